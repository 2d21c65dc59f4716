import { describeThrown } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import type { Log } from '../log.ts';

/** Errors of one connection, codes of the system. Descriptors that are used up become free. */
const OF_SYSTEM = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ENOTCONN', 'ETIMEDOUT', 'EMFILE', 'ENFILE'] as const;
/** Beginnings of Node's own codes for them. */
const OF_NODE = ['ERR_STREAM', 'ERR_SOCKET_CLOSED', 'ERR_HTTP2'] as const;

/** Label `code` of `server_stray_errors_total`, so that each is counted from 0. */
export const strayErrorCodes = [...OF_SYSTEM, ...OF_NODE];
type StrayErrorCode = (typeof strayErrorCodes)[number];

/** Time between two lines about them; each error is counted. */
const LOG_INTERVAL_MS = 1000;

interface LastResortParts {
  readonly log: Pick<Log, 'warn'>;
  /** Counts an error of a connection, by its code or the beginning of that. */
  readonly count: (code: StrayErrorCode) => void;
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
    const code = codeOf(thrown);
    const counted = strayErrorCode(code);
    if (counted === undefined) return this.#parts.fatal(thrown);
    this.#parts.count(counted);
    if (performance.now() - this.#loggedAt < LOG_INTERVAL_MS) {
      this.#skipped++;
      return undefined;
    }
    this.#loggedAt = performance.now();
    this.#parts.log.warn(
      { code, skipped: this.#skipped, err: thrown },
      `an error of a connection had no listener: ${withoutKeys(describeThrown(thrown))}`,
    );
    this.#skipped = 0;
    return undefined;
  }
}

/** Undefined: it is no error of one connection. */
function strayErrorCode(code: string | undefined): StrayErrorCode | undefined {
  return OF_SYSTEM.find((own) => own === code) ?? OF_NODE.find((own) => code === own || code?.startsWith(`${own}_`) === true);
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}
