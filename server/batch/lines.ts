import { ServerError } from '../errors.ts';

const [NEWLINE, RETURN] = [0x0a, 0x0d];
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A line that is not blank. */
export interface Line {
  /** From 1, blank lines too. */
  readonly number: number;
  readonly bytes: Buffer;
  /** The line is too long: its bytes were dropped. */
  readonly refusal?: ServerError;
}

/**
 * Splits bytes into lines. It holds one line, and no more than the limit of it.
 * @param limit bytes of the longest line
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Line> {
  const cutter = new LineCutter(limit);
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      cutter.add(chunk.subarray(from, end));
      const line = cutter.cut();
      if (line !== undefined) yield line;
      from = end + 1;
    }
    cutter.add(chunk.subarray(from));
  }
  const last = cutter.cut();
  if (last !== undefined) yield last;
}

/** Collects the pieces of one line. */
class LineCutter {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #number = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#limit) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  /** The line that ends here; undefined if it is blank. */
  cut(): Line | undefined {
    const [pieces, bytes] = [this.#pieces, this.#bytes];
    [this.#pieces, this.#bytes] = [[], 0];
    const number = ++this.#number;
    if (bytes > this.#limit) return { number, bytes: Buffer.alloc(0), refusal: tooLong(bytes, this.#limit) };
    const [first = Buffer.alloc(0)] = pieces;
    const line = trimmed(pieces.length > 1 ? Buffer.concat(pieces) : first, number === 1);
    return isBlank(line) ? undefined : { number, bytes: line };
  }
}

/** Without the mark that some editors write first, and a carriage return. */
function trimmed(line: Buffer, isFirst: boolean): Buffer {
  const from = isFirst && line.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  return line.subarray(from, line.at(-1) === RETURN ? -1 : undefined);
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== RETURN) return false;
  return true;
}

export function tooLong(bytes: number, limit: number): ServerError {
  return new ServerError('body_too_large', `The input has ${bytes} bytes: expected at most ${limit} (BODY_LIMIT_BYTES).`);
}
