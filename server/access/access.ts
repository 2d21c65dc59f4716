import type { IncomingHttpHeaders } from 'node:http';

/** Who sent a request: the log names the key, or the subject of the token. */
export interface Caller {
  readonly kind: 'key' | 'token';
  readonly name: string;
}

/**
 * What a route asks for. `open`: nothing, for probes. `key`: a key or a token. `login`: the same,
 * also as the password of Basic, for which browsers ask.
 */
export type RouteAccess = 'open' | 'key' | 'login';

/** Decides who may call. Undefined in the parts of a front door: everybody. */
export interface Access {
  /**
   * Identifies the caller of a request.
   * @returns a promise only where a token has to be verified
   * @throws ServerError unauthorized, forbidden
   */
  check(headers: IncomingHttpHeaders, route: RouteAccess): Caller | Promise<Caller>;
}
