import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '../log.ts';
import type { RequestIds } from '../request/request-ids.ts';

/**
 * Logs the first use of a deprecated header at a front door. Why not each use: a client that sends
 * it sends it always.
 */
export class Deprecations {
  readonly #log: Log;
  #isLogged = false;

  constructor(log: Log) {
    this.#log = log;
  }

  check(headers: IncomingHttpHeaders, { id, traceId }: RequestIds): void {
    if (this.#isLogged || !headers['x-ms-request-id']) return;
    this.#isLogged = true;
    this.#log.warn(
      { requestId: id, traceId },
      'a request has the header x-ms-request-id, which is deprecated: send x-ms-client-request-id. Further requests with it are not logged',
    );
  }
}
