import type { IncomingMessage } from 'node:http';

const METHODS = ['GET', 'POST'];

/** CORS headers by AML_CORS_ORIGINS: docs/http-api.md. */
export class Cors {
  readonly #origins: readonly string[];
  readonly #any: boolean;
  readonly #first: string | undefined;

  /** @param origins `*`, or origins as a browser sends them; no CORS headers if it is empty */
  constructor(origins: readonly string[]) {
    this.#origins = origins.map((origin) => origin.toLowerCase());
    this.#any = origins.includes('*');
    this.#first = this.#any ? '*' : origins[0];
  }

  get enabled(): boolean {
    return this.#first !== undefined;
  }

  /** True if a browser asks whether an allowed origin may send a request. */
  isPreflight({ method, headers }: IncomingMessage): boolean {
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
    return headers.origin !== undefined && this.#allows(headers.origin);
  }

  /** Appends the CORS headers of the answer to `request`. */
  append(request: IncomingMessage, headers: string[]): void {
    if (this.#first === undefined) return;
    if (this.#any || this.#origins.length > 1) headers.push('Vary', 'Origin');
    const { origin } = request.headers;
    if (origin !== undefined && !this.#allows(origin)) return;
    headers.push('Access-Control-Allow-Origin', origin ?? this.#first);
    if (request.method === 'OPTIONS') appendPreflight(request, headers);
  }

  #allows(origin: string): boolean {
    return this.#any || this.#origins.includes(origin.toLowerCase());
  }
}

function appendPreflight(request: IncomingMessage, headers: string[]): void {
  const method = request.headers['access-control-request-method'];
  if (method === undefined || !METHODS.includes(method.toUpperCase())) return;
  headers.push('Access-Control-Allow-Methods', METHODS.join(', '));
  const requested = request.headers['access-control-request-headers'];
  if (requested !== undefined) headers.push('Access-Control-Allow-Headers', requested);
}
