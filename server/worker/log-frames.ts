import type { ToHost } from '../ipc/to-host.ts';
import type { LogMessage } from '../ipc/worker-messages.ts';

/**
 * Characters of log frames that may wait for the kernel. Lines beyond it are dropped; `run()` and
 * its answers go on.
 */
const MOST_WAITING = 4 * 1024 * 1024;
/** Milliseconds after which dropped lines are reported, where no line follows them. */
const REPORT_AFTER_MS = 1000;

/**
 * The worker's end of its log: frames of a bounded size in all, and a count of the lines that were
 * dropped.
 */
export class LogFrames {
  readonly #toHost: ToHost;
  readonly #written = (characters: number): void => {
    this.#waiting -= characters;
  };
  #waiting = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Lines of level debug are sent, too. */
  verbose = true;

  constructor(toHost: ToHost) {
    this.#toHost = toHost;
  }

  send(message: LogMessage): void {
    if (!this.verbose && message.level === 'debug') return;
    if (this.#waiting < MOST_WAITING) return this.#write(message);
    this.#dropped++;
    this.#timer ??= setTimeout(() => this.reportDropped(), REPORT_AFTER_MS).unref();
  }

  /** Reports how many lines were dropped since the last line that was sent. */
  reportDropped(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dropped > 0) this.#write({ level: 'warn', msg: '' });
  }

  #write(message: LogMessage): void {
    const whole = this.#dropped === 0 ? message : { ...message, dropped: this.#dropped };
    this.#dropped = 0;
    // A toJSON() of the fields may log, too: `#waiting` is read only after the line is written.
    const characters = this.#toHost.log(whole, this.#written);
    this.#waiting += characters;
  }
}
