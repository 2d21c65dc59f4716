const MOST_LINES = 100;
const MOST_CHARACTERS = 64 * 1024;
/** UTF-16 units of the place where a line is cut. */
const CUT = '... (cut)';

/** The lines that a script has logged during one run, for protocols that answer them. Bounded. */
export class RunLines {
  readonly #lines: string[] = [];
  #left = MOST_CHARACTERS;
  #dropped = 0;

  add(line: string): void {
    if (this.#lines.length === MOST_LINES || this.#left <= 0) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line.length > this.#left ? line.slice(0, this.#left) + CUT : line);
    this.#left -= line.length;
  }

  /** The lines, and how many are left out. */
  get all(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [...this.#lines, `... ${this.#dropped} more lines are in the log of the server`];
  }
}
