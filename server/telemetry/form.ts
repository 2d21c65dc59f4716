/** A text with blanks, in UTF-8: what many texts share is encoded once. */
export interface Form {
  /** What comes before a blank, and which value fills it. */
  readonly parts: readonly { readonly before: Buffer; readonly value: number }[];
  readonly end: Buffer;
  /** Bytes of everything but the values, and of the end of the line. */
  readonly size: number;
}

/** Makes a form of a text: each match of `blanks` is one, and its first group says which value fills it. */
export function makeForm(text: string, blanks: RegExp): Form {
  const pieces = text.split(blanks);
  const parts: Form['parts'][number][] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) parts.push({ before: Buffer.from(pieces[at] ?? ''), value: Number(pieces[at + 1]) });
  const end = Buffer.from(`${pieces.at(-1)}\n`);
  return { parts, end, size: parts.reduce((size, { before }) => size + before.length, end.length) };
}

const LONGEST_CHARACTER = 3;
const FIRST_LENGTH = 512 * 1024;

/** Fills forms into memory that it keeps, a line each: strings in between cost twice as much, and the garbage collector as much again. */
export class FormWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_LENGTH);
  #length = 0;

  /** @returns bytes of the line */
  write({ parts, end, size }: Form, values: readonly string[]): number {
    let longest = size;
    for (const { value } of parts) longest += LONGEST_CHARACTER * (values[value]?.length ?? 0);
    const start = this.#length;
    this.#makeRoom(start + longest);
    const buffer = this.#buffer;
    let at = start;
    for (const { before, value } of parts) {
      buffer.set(before, at);
      at += before.length;
      at += buffer.write(values[value] ?? '', at);
    }
    buffer.set(end, at);
    this.#length = at + end.length;
    return this.#length - start;
  }

  /** A copy of the lines written since the last call. */
  take(): Uint8Array<ArrayBuffer> {
    const lines = new Uint8Array(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return lines;
  }

  #makeRoom(length: number): void {
    if (length <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * length);
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
