import { ServerError } from '../errors.ts';
import { Changes } from './changes.ts';
import type { BatchInput } from './inputs.ts';
import type { Output } from './output.ts';
import type { OutputLine } from './output-lines.ts';

/** Inputs in the window for each call of `run()` that can be made at a time. */
const WINDOW = 2;
/** Bytes of lines that are written at a time, unless one is longer. */
const PORTION = 256 * 1024;

export interface RunParts {
  /** Scores one input. Never rejects. */
  readonly score: (input: BatchInput) => Promise<OutputLine>;
  readonly output: Output;
  /** Calls of `run()` at a time, of all workers. */
  readonly concurrency: () => number;
  /** Bytes of the bodies and lines in the window, unless one is larger. */
  readonly maxBytes: number;
  /** Inputs that may fail; -1: any number. */
  readonly errorThreshold: number;
}

/** What a batch has done. */
export interface Tally {
  readonly inputs: number;
  readonly errors: number;
}

interface Slot {
  line: OutputLine | undefined;
  bytes: number;
}

/**
 * Scores inputs in a window, and writes a line for each in their order. The window bounds what is
 * read ahead of the output: a slow worker holds the reader, and a slow output holds both.
 */
export class BatchRun {
  readonly #parts: RunParts;
  readonly #changes = new Changes();
  readonly #slots: Slot[] = [];
  #bytes = 0;
  #widest = WINDOW;
  #inputs = 0;
  #errors = 0;
  /** No input comes any more. */
  #ended = false;
  #stopped = false;
  /** Why it ends early. */
  #failure: unknown;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  get tally(): Tally {
    return { inputs: this.#inputs, errors: this.#errors };
  }

  /** Reads and writes nothing more, but for the lines that are being written. */
  stop(): void {
    this.#stopped = true;
    this.#changes.tell();
  }

  /**
   * Resolves when every line is written, or the run was stopped.
   * @throws ServerError batch_failed
   */
  async run(inputs: AsyncIterable<BatchInput>): Promise<void> {
    // A read that waits for its input must not hold the end.
    void this.#read(inputs).catch((thrown: unknown) => {
      this.#failure = thrown;
      this.#ended = true;
      this.#changes.tell();
    });
    await this.#write();
    const { errorThreshold } = this.#parts;
    if (this.#tooMany)
      throw new ServerError(
        'batch_failed',
        `more inputs failed than --error-threshold ${errorThreshold} allows: the batch ends after ${this.#inputs} inputs`,
      );
    if (this.#failure !== undefined && !this.#stopped) throw this.#failure;
  }

  async #read(inputs: AsyncIterable<BatchInput>): Promise<void> {
    for await (const input of inputs) {
      while (!this.#stopped && this.#isFull(input.body.length)) await this.#changes.next;
      if (this.#stopped) return;
      this.#add(input);
    }
    this.#ended = true;
    this.#changes.tell();
  }

  #isFull(bytes: number): boolean {
    const { concurrency, maxBytes } = this.#parts;
    // A worker that is being replaced must not narrow it.
    this.#widest = Math.max(this.#widest, WINDOW * concurrency());
    return this.#slots.length > 0 && (this.#slots.length >= this.#widest || this.#bytes + bytes > maxBytes);
  }

  #add(input: BatchInput): void {
    const bytes = input.body.length;
    const slot: Slot = { line: undefined, bytes };
    this.#bytes += bytes;
    this.#slots.push(slot);
    void this.#score(input, slot);
    this.#changes.tell();
  }

  async #score(input: BatchInput, slot: Slot): Promise<void> {
    slot.line = await this.#parts.score(input);
    this.#bytes += slot.line.bytes.length - slot.bytes;
    slot.bytes = slot.line.bytes.length;
    this.#changes.tell();
  }

  /** Writes the lines that are done, from the first one on. */
  async #write(): Promise<void> {
    for (;;) {
      if (this.#stopped || this.#tooMany) return this.stop();
      const lines = this.#takeDone();
      if (lines.length > 0) await this.#parts.output.write(lines);
      else if (this.#slots.length > 0 || !this.#ended) await this.#changes.next;
      else return undefined;
      this.#changes.tell();
    }
  }

  #takeDone(): Buffer[] {
    const lines: Buffer[] = [];
    let bytes = 0;
    for (let [slot] = this.#slots; slot?.line !== undefined && bytes < PORTION && !this.#tooMany; [slot] = this.#slots) {
      this.#slots.shift();
      lines.push(slot.line.bytes);
      bytes += slot.bytes;
      this.#bytes -= slot.bytes;
      this.#inputs++;
      if (slot.line.failed) this.#errors++;
    }
    return lines;
  }

  get #tooMany(): boolean {
    const { errorThreshold } = this.#parts;
    return errorThreshold >= 0 && this.#errors > errorThreshold;
  }
}
