import { describeThrown } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * Errors of one connection that had no listener. Descriptors that are used up become free again.
 */
const OF_CONNECTIONS =
  /^(?:ECONNRESET|EPIPE|ECONNABORTED|ENOTCONN|ETIMEDOUT|EMFILE|ENFILE|ERR_STREAM_\w+|ERR_SOCKET_CLOSED\w*|ERR_HTTP2_\w+)$/;
/** Time between two lines about them; each error is counted. */
const LOG_INTERVAL_MS = 1000;

interface LastResortParts {
  readonly log: Pick<Log, 'warn'>;
  /** Counts an error of a connection. */
  readonly count: (code: string) => void;
  /** Ends the server. */
  readonly fatal: (thrown: unknown) => void;
}

/**
 * Handles uncaught exceptions: an error of a connection costs that client only, every other ends
 * the server.
 */
export class LastResort {
  readonly #parts: LastResortParts;
  #loggedAt = -Infinity;
  #skipped = 0;

  constructor(parts: LastResortParts) {
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
