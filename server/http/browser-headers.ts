import type { Config } from '../config/config.ts';

/** A browser takes the content type as it is, so that no text of a client becomes a page. */
export const NOSNIFF = ['X-Content-Type-Options', 'nosniff'] as const;
/** Answers of the server itself show one moment, and errors may quote a request. */
const SHOWN = [...NOSNIFF, 'Cache-Control', 'no-store'] as const;
/** Pages of other sites may not embed the answer. With CORS on, the listed origins may read it. */
const SAME_ORIGIN = [...SHOWN, 'Cross-Origin-Resource-Policy', 'same-origin'] as const;
/** Of every answer over TLS, for a year. */
export const HTTPS_ONLY = ['Strict-Transport-Security', 'max-age=31536000'] as const;

/**
 * Content type of HTML, and what such an answer may do in a browser. No page may frame it.
 * @param policy of the content: nothing by default
 */
export function htmlHeaders(policy = "default-src 'none'"): string[] {
  return [
    'Content-Type',
    'text/html; charset=utf-8',
    'Content-Security-Policy',
    `${policy}; frame-ancestors 'none'`,
    'Referrer-Policy',
    'no-referrer',
  ];
}

/** Headers that limit what a browser makes of an answer: docs/http-api.md. */
export class BrowserHeaders {
  /** Of answers that the server itself makes, on routes without CORS. */
  static readonly own: readonly string[] = SAME_ORIGIN;
  readonly #withCors: readonly string[];

  constructor({ corsOrigins }: Pick<Config, 'corsOrigins'>) {
    this.#withCors = corsOrigins.length > 0 ? SHOWN : SAME_ORIGIN;
  }

  /** @param cors the route has CORS headers where they are on */
  own(cors: boolean): readonly string[] {
    return cors ? this.#withCors : BrowserHeaders.own;
  }
}
