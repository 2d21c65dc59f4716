import { type Fault, isRefusal, type ServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import type { Log } from '../log.ts';
import type { RequestIds } from '../request/request-ids.ts';

const LEVELS = { client: 'debug', operator: 'warn', user: 'error', server: 'error' } as const satisfies Record<Fault, string>;
const REFUSAL_LOG_INTERVAL_MS = 1000;

/**
 * Logs failures by fault. Refusals get one line a second, with the number of the others, so that
 * overload cannot flood the log.
 */
export class FailureLog {
  readonly #log: Log;
  #refusalLoggedAt = -Infinity;
  #refusalsSkipped = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  write(error: ServerError, ids: Pick<RequestIds, 'id' | 'traceId'>, worker?: number): void {
    const level = LEVELS[error.failure.fault];
    const fields: Record<string, unknown> = { requestId: ids.id, traceId: ids.traceId, code: error.code, worker };
    if (isRefusal(error)) {
      const now = performance.now();
      if (now - this.#refusalLoggedAt < REFUSAL_LOG_INTERVAL_MS) {
        this.#refusalsSkipped++;
        return;
      }
      if (this.#refusalsSkipped > 0) fields['skipped'] = this.#refusalsSkipped;
      this.#refusalLoggedAt = now;
      this.#refusalsSkipped = 0;
    } else if (error.failure.fault === 'server') {
      // A stack helps only with faults of this server; for other faults the message is enough.
      fields['err'] = error;
    }
    // A client's own text is no secret of others. Scripts and libraries quote addresses.
    this.#log[level](fields, level === LEVELS.client ? error.message : withoutKeys(error.message));
  }
}
