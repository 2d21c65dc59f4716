import { describeThrown } from '../errors.ts';
import type { Log } from '../log.ts';

/** What goes wrong with one connection, whoever forgot to listen for it. Descriptors that are used up come back. */
const OF_CONNECTIONS =
  /^(?:ECONNRESET|EPIPE|ECONNABORTED|ENOTCONN|ETIMEDOUT|EMFILE|ENFILE|ERR_STREAM_\w+|ERR_SOCKET_CLOSED\w*|ERR_HTTP2_\w+)$/;
/** A flood of them is one line in so long; each is counted. */
const LOG_INTERVAL_MS = 1000;

interface Parts {
  readonly log: Pick<Log, 'warn'>;
  /** Counts an error that was survived. */
  readonly count: (code: string) => void;
  /** The server ends. */
  readonly fatal: (thrown: unknown) => void;
}

/** Where exceptions end that nobody caught: those of connections cost nobody but their client, all others end the server. */
export class LastResort {
  readonly #parts: Parts;
  #loggedAt = -Infinity;
  #skipped = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  take(thrown: unknown): void {
    const code = connectionError(thrown);
    if (code === undefined) return this.#parts.fatal(thrown);
    this.#parts.count(code);
    if (performance.now() - this.#loggedAt < LOG_INTERVAL_MS) {
      this.#skipped++;
      return undefined;
    }
    this.#loggedAt = performance.now();
    this.#parts.log.warn(
      { code, skipped: this.#skipped, err: thrown },
      `an error of a connection had no listener: ${describeThrown(thrown)}`,
    );
    this.#skipped = 0;
    return undefined;
  }
}

/** The code of an error that belongs to one connection. */
function connectionError(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') return undefined;
  return OF_CONNECTIONS.test(thrown.code) ? thrown.code : undefined;
}
