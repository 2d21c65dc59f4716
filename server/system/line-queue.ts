/** Bytes of one write. A portion is written alone, and may be longer. */
export const PIECE = 64 * 1024;
const LF = 10;

/** Lines whose source is told how many of them are written. */
export interface Portion {
  /** Whole lines. */
  readonly text: string;
  /** Called once, as soon as all lines are written or the rest is retracted. */
  readonly settled: (lines: number) => void;
}

/** Lines that wait for a descriptor, in their order, and the piece that is being written. */
export class LineQueue {
  /** A text is a line, or a few that are lost together. */
  #entries: (string | Portion)[] = [];
  /** How many of the entries are taken already. */
  #taken = 0;
  #piece: Buffer = Buffer.alloc(0);
  /** Bytes of the piece that are written. */
  #written = 0;
  #pieceLines = 0;
  /** The owner of the piece; undefined: lines that nobody asks for. */
  #portion: Portion | undefined;
  /** Characters of the entries that are not taken. */
  waiting = 0;

  add(entry: string | Portion): void {
    this.#entries.push(entry);
    this.waiting += lengthOf(entry);
  }

  /** The next bytes to write. */
  next(): Buffer | undefined {
    if (this.#written === this.#piece.length) this.#begin();
    return this.#written === this.#piece.length ? undefined : this.#piece.subarray(this.#written);
  }

  wrote(bytes: number): void {
    this.#written = Math.min(this.#piece.length, this.#written + bytes);
    if (this.#written === this.#piece.length) this.#settle(this.#pieceLines);
  }

  /**
   * Takes back the lines of a portion that are not begun. A line that is begun counts as written,
   * because it stands before everything that follows it.
   */
  retract(portion: Portion): void {
    if (portion !== this.#portion) {
      const at = this.#entries.indexOf(portion, this.#taken);
      if (at < 0) return;
      this.#entries.splice(at, 1);
      this.waiting -= portion.text.length;
      portion.settled(0);
      return;
    }
    const begun = this.#written > 0 && this.#piece[this.#written - 1] !== LF;
    this.#piece = this.#piece.subarray(0, begun ? this.#piece.indexOf(LF, this.#written) + 1 : this.#written);
    this.#pieceLines = linesIn(this.#piece);
    this.#settle(this.#pieceLines);
  }

  /** Forgets the piece, which a thread writes. */
  forgetPiece(): void {
    this.#written = this.#piece.length;
    this.#portion = undefined;
  }

  /** Forgets all lines. Answers how many they were. */
  clear(): number {
    const left = this.#entries.slice(this.#taken).reduce((sum, entry) => sum + countOf(entry), 0);
    const lines = left + (this.#written === this.#piece.length ? 0 : this.#pieceLines);
    this.forgetPiece();
    this.#entries = [];
    this.#taken = 0;
    this.waiting = 0;
    return lines;
  }

  #begin(): void {
    const from = this.#taken;
    const first = this.#entries[from];
    if (first === undefined) return;
    if (typeof first === 'object') {
      this.#taken++;
      this.waiting -= first.text.length;
      this.#start(first.text, countOf(first), first);
      return;
    }
    let text = '';
    for (let entry: string | Portion | undefined = first; typeof entry === 'string'; entry = this.#entries[++this.#taken]) {
      if (text.length >= PIECE) break;
      text += entry;
    }
    this.waiting -= text.length;
    this.#start(text, this.#taken - from);
  }

  #start(text: string, lines: number, portion?: Portion): void {
    this.#piece = Buffer.from(text);
    this.#written = 0;
    this.#pieceLines = lines;
    this.#portion = portion;
    if (this.#taken < this.#entries.length && this.#taken <= 4096) return;
    this.#entries = this.#entries.slice(this.#taken);
    this.#taken = 0;
  }

  #settle(lines: number): void {
    const portion = this.#portion;
    this.#portion = undefined;
    portion?.settled(lines);
  }
}

const lengthOf = (entry: string | Portion): number => (typeof entry === 'string' ? entry : entry.text).length;
const countOf = (entry: string | Portion): number => (typeof entry === 'string' ? 1 : linesIn(Buffer.from(entry.text)));

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}
