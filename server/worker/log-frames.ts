import type { FrameWriter } from '../ipc/frames.ts';
import { logText } from './message-text.ts';
import { Kind, type LogMessage } from '../ipc/protocol.ts';

/** Bytes of log frames that may wait for the kernel. A script that says more in one go loses lines; `run()` and its answers go on. */
const MOST_WAITING = 4 * 1024 * 1024;
/** When lines that are lost are told, where no line follows them. */
const TELL_MS = 1000;

/** The worker's end of its log: frames of a bounded size in all, and a count of the lines for which there was no room. */
export class LogFrames {
  readonly #frames: FrameWriter;
  #waiting = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Lines of level debug are sent, too. */
  verbose = true;

  constructor(frames: FrameWriter) {
    this.#frames = frames;
  }

  send(message: LogMessage): void {
    if (!this.verbose && message.level === 'debug') return;
    if (this.#waiting < MOST_WAITING) return this.#write(message);
    this.#dropped++;
    this.#timer ??= setTimeout(() => this.tellDropped(), TELL_MS).unref();
  }

  /** Tells how many lines are lost since the last line that was sent. */
  tellDropped(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dropped > 0) this.#write({ level: 'warn', msg: '' });
  }

  #write(message: LogMessage): void {
    const text = logText(this.#dropped === 0 ? message : { ...message, dropped: this.#dropped });
    this.#dropped = 0;
    this.#waiting += text.length;
    this.#frames.write(0, Kind.log, [text], () => (this.#waiting -= text.length));
  }
}
