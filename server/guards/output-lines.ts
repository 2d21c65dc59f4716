import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest line of output in bytes, or in UTF-16 units of decoded text. The rest is cut off. */
export const LONGEST_LINE = 64 * 1024;
/**
 * Cost that one source of lines may have in a turn of the event loop: its bytes, and `LINE_COST` a
 * line.
 */
export const TURN_BUDGET = 64 * 1024;
export const LINE_COST = 512;

const NOTHING = Buffer.alloc(0);
const LF = 10;
const CR = 13;

/** A line that a process wrote. */
export interface OutputLine {
  readonly text: string;
  /** The line was longer than this. */
  readonly cut: boolean;
}

/** Cuts text to the longest line, between two characters. */
export function cutText(text: string, longest = LONGEST_LINE): string {
  if (text.length <= longest) return text;
  const last = text.charCodeAt(longest - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? longest - 1 : longest);
}

/**
 * Splits bytes into lines, which end with LF, CR or both; empty lines are left out. The lines do
 * not depend on the chunks. It holds the chunk and at most one line's bytes. Work is linear in the
 * bytes.
 */
export class LineSplitter {
  readonly #longest: number;
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** The next LF and CR at or after `#at`, or the end of the chunk. */
  #lf = 0;
  #cr = 0;
  /** Beginning of a line that earlier chunks brought. */
  #held = NOTHING;
  #filled = 0;
  /** The rest of a line that was cut is being skipped. */
  #skips = false;

  constructor(longest = LONGEST_LINE) {
    this.#longest = longest;
  }

  /** Takes the next bytes. All lines of the last ones must have been read by `next`. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#lf = -1;
    this.#cr = -1;
  }

  /** The next line; undefined if no whole line is left. */
  next(): OutputLine | undefined {
    while (this.#at < this.#chunk.length) {
      const from = this.#at;
      const end = this.#lineEnd();
      const over = end < this.#chunk.length;
      this.#at = over ? end + 1 : end;
      if (this.#skips) {
        this.#skips = !over;
        continue;
      }
      const room = this.#longest - this.#filled;
      if (end - from > room) {
        this.#skips = !over;
        return this.#take(from, from + room, true);
      }
      if (!over) this.#hold(from, end);
      else if (this.#filled + end - from > 0) return this.#take(from, end, false);
    }
    this.#chunk = NOTHING;
    this.#at = 0;
    return undefined;
  }

  /** The last line, if it has no end. */
  end(): OutputLine | undefined {
    return this.#filled === 0 ? undefined : this.#take(0, 0, false);
  }

  #lineEnd(): number {
    if (this.#lf < this.#at) this.#lf = this.#find(LF);
    if (this.#cr < this.#at) this.#cr = this.#find(CR);
    return Math.min(this.#lf, this.#cr);
  }

  #find(byte: number): number {
    const found = this.#chunk.indexOf(byte, this.#at);
    return found === -1 ? this.#chunk.length : found;
  }

  #hold(from: number, end: number): void {
    if (this.#held.length === 0) this.#held = Buffer.allocUnsafeSlow(this.#longest);
    this.#filled += this.#chunk.copy(this.#held, this.#filled, from, end);
  }

  #take(from: number, end: number, cut: boolean): OutputLine {
    let bytes = this.#chunk.subarray(from, end);
    if (this.#filled > 0) {
      this.#hold(from, end);
      bytes = this.#held.subarray(0, this.#filled);
      this.#filled = 0;
    }
    return { text: bytes.toString('utf8', 0, cut ? wholeCharacters(bytes) : bytes.length), cut };
  }
}

/** The length without a UTF-8 sequence that was cut at the end. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/**
 * Reads a stream to its end, line by line, a bounded share in each turn of the event loop. The rest
 * waits in its pipe, and so does the process that writes it. Never rejects.
 */
export async function relayLines(stream: Readable, take: (line: OutputLine) => void): Promise<void> {
  const splitter = new LineSplitter();
  let spent = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      splitter.feed(chunk);
      spent += chunk.length;
      for (let line = splitter.next(); line !== undefined; line = splitter.next()) {
        take(line);
        spent += LINE_COST;
        if (spent >= TURN_BUDGET) spent = await restart();
      }
      if (spent >= TURN_BUDGET) spent = await restart();
    }
  } catch {
    // The stream was destroyed: the lines that arrived before are read.
  }
  const last = splitter.end();
  if (last !== undefined) take(last);
}

/** Waits for the next turn. Returns the cost that is spent there: none. */
async function restart(): Promise<number> {
  await nextTurn();
  return 0;
}
