import type { Block } from '../encode/block.ts';
import type { FromWriter } from '../writer-messages.ts';
import { CALL_TIMEOUT_MS, limited, SinkError, type Batch, type Sink } from './sink.ts';

/** Bytes that are on their way to stdout at a time. */
const PORTION_BYTES = 64 * 1024;

/** A block of one line as the line `{"mdc": event}`, which stands among the server's log lines. */
export const printed = ({ data }: Block): string => `{"mdc":${data.toString('utf8', 0, data.length - 1)}}\n`;

/** The server's stdout, as the sink uses it. */
export interface Stdout {
  /**
   * Answers how many of these whole lines are written: all, or those that were when the signal
   * fired. Called for one text at a time.
   */
  deliver(text: string, signal: AbortSignal): Promise<number>;
}

/** Stdout of the host, from the writer's thread. */
export class ThreadStdout implements Stdout {
  readonly #post: (message: FromWriter) => void;
  #delivering = Promise.withResolvers<number>();

  constructor(post: (message: FromWriter) => void) {
    this.#post = post;
  }

  async deliver(text: string, signal: AbortSignal): Promise<number> {
    if (signal.aborted) return 0;
    this.#delivering = Promise.withResolvers<number>();
    const retract = (): void => this.#post({ kind: 'retract' });
    this.#post({ kind: 'deliver', text });
    signal.addEventListener('abort', retract, { once: true });
    const lines = await this.#delivering.promise;
    signal.removeEventListener('abort', retract);
    return lines;
  }

  /** The host's answer. */
  delivered(lines: number): void {
    this.#delivering.resolve(lines);
  }
}

/**
 * Prints one line for each record. A line counts as sent once it is written. So a reader that is
 * slow is a sink that is slow.
 */
export class StdoutSink implements Sink {
  readonly name = 'stdout';
  readonly appends = false;
  readonly largestInline = 1024 * 1024;
  readonly #stdout: Stdout;

  constructor(stdout: Stdout) {
    this.#stdout = stdout;
  }

  reference(): undefined {
    return undefined;
  }

  /** Removes each line that is written from the batch, so that a retry prints only the rest. */
  async write({ blocks }: Batch, signal: AbortSignal): Promise<void> {
    while (blocks.length > 0) {
      const lines = firstLines(blocks);
      const written = await this.#stdout.deliver(lines.join(''), limited(signal));
      blocks.splice(0, written);
      if (written < lines.length)
        throw new SinkError('stalled', `stdout has taken ${written} of ${lines.length} lines in ${CALL_TIMEOUT_MS / 1000} s`);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** As many lines as a portion holds, and at least one. */
function firstLines(blocks: readonly Block[]): string[] {
  const lines: string[] = [];
  let bytes = 0;
  for (const block of blocks) {
    bytes += block.data.length;
    if (lines.length > 0 && bytes > PORTION_BYTES) break;
    lines.push(printed(block));
  }
  return lines;
}
