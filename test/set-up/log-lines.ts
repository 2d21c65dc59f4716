import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import type { Log } from '../../server/log.ts';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A log of this process that a test reads. */
export class LogLines {
  readonly lines: LogLine[] = [];
  readonly log: Log;
  readonly #written = new EventEmitter();

  constructor() {
    const write = (text: string): void => {
      this.lines.push(JSON.parse(text) as LogLine);
      this.#written.emit('line');
    };
    this.#written.setMaxListeners(0);
    this.log = pino({ level: 'debug', base: null, formatters: { level: (level) => ({ level }) } }, { write });
  }

  /** Resolves with the first line, past or future, that the test accepts. */
  async line(accepts: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(accepts);
      if (found !== undefined) return found;
      await this.next();
    }
  }

  /** Resolves at the next line. */
  async next(): Promise<void> {
    await once(this.#written, 'line');
  }
}
