import type { WriterLog } from '../writer-messages.ts';
import type { Removed } from './file-room.ts';
import type { Tally } from './tally.ts';

const LOG_INTERVAL_MS = 3_600_000;

/** Files that the sink removed for newer ones: counts each, and logs their number once an hour. */
export class Removals {
  readonly #log: Pick<WriterLog, 'warn'>;
  readonly #tally: Pick<Tally, 'filesRemoved'>;
  #files = 0;
  #bytes = 0;
  #loggedAt = -Infinity;

  constructor(log: Pick<WriterLog, 'warn'>, tally: Pick<Tally, 'filesRemoved'>) {
    this.#log = log;
    this.#tally = tally;
  }

  /** @param now on the monotonic clock, in milliseconds */
  add({ files, bytes }: Removed, now = performance.now()): void {
    this.#tally.filesRemoved(files);
    this.#files += files;
    this.#bytes += bytes;
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#log.warn(
      `the oldest ${this.#files} files of collected data (${this.#bytes} bytes) were removed for newer ones: MDC_DIR_MAX_BYTES is reached, or the volume is nearly full`,
    );
    this.#loggedAt = now;
    this.#files = 0;
    this.#bytes = 0;
  }
}
