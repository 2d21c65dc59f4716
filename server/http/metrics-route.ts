import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../errors.ts';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { htmlHeaders } from './browser-headers.ts';
import type { Handler, HttpRoute } from './exchange.ts';
import { readOnly } from './router.ts';

/** Between two texts of `/metrics`. */
const PAGE_PAUSE_MS = 25;

/** The page may load its own files and send requests to this server, and nothing else. */
const PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

const PAGE_FILES = new URL('./status/', import.meta.url);
const FILE_HEADERS: Readonly<Record<string, readonly string[]>> = {
  '.html': htmlHeaders(PAGE_POLICY),
  '.css': ['Content-Type', 'text/css; charset=utf-8'],
  '.js': ['Content-Type', 'text/javascript; charset=utf-8'],
};

/** `/metrics` in the Prometheus text format, and the page that draws them if it is configured. */
export function metricsRoutes(
  { statusPage, metricsKeyRequired }: Pick<Config, 'statusPage' | 'metricsKeyRequired'>,
  { registry }: Metrics,
): readonly HttpRoute[] {
  const page = new SharedPage(() => registry.metrics());
  const showMetrics: Handler = (exchange) => {
    page
      .text()
      .then((text) => exchange.answer(200, ['Content-Type', registry.contentType], text))
      .catch((thrown: unknown) => exchange.fail(thrown));
  };
  const unlisted = { counted: false, cors: false, access: metricsKeyRequired ? 'login' : 'open' } as const;
  const metrics: HttpRoute = { path: '/metrics', ...unlisted, handle: readOnly(showMetrics) };
  return statusPage ? [metrics, ...pageRoutes(unlisted)] : [metrics];
}

/**
 * A text that takes the event loop 1 to 3 ms to make. Requests share one, and the next is begun
 * `PAGE_PAUSE_MS` later at the earliest. So scrapes take a bounded share of the loop. No request
 * gets a text that was begun before it came.
 */
class SharedPage {
  readonly #make: () => Promise<string>;
  #next: Promise<string> | undefined;
  #begunAt = -Infinity;

  constructor(make: () => Promise<string>) {
    this.#make = make;
  }

  text(): Promise<string> {
    return (this.#next ??= this.#begin());
  }

  async #begin(): Promise<string> {
    const pauseMs = this.#begunAt + PAGE_PAUSE_MS - performance.now();
    if (pauseMs > 0) await delay(pauseMs);
    this.#begunAt = performance.now();
    // Requests of this turn of the loop share the text, and later ones do not.
    setImmediate(() => (this.#next = undefined));
    return this.#make();
  }
}

/** The page and its files. It names them by relative paths, so that a gateway may add a prefix. */
function pageRoutes(unlisted: Pick<HttpRoute, 'counted' | 'cors' | 'access'>): HttpRoute[] {
  return readdirSync(PAGE_FILES).map((name) => {
    const headers = FILE_HEADERS[extname(name)];
    if (headers === undefined)
      throw new ServerError('internal', `expected a .html, .css or .js file in ${PAGE_FILES.pathname}, got ${name}`);
    const content = readFileSync(new URL(name, PAGE_FILES));
    const show: Handler = (exchange) => exchange.answer(200, [...headers], content);
    return { path: name === 'status.html' ? '/status' : `/status/${name}`, ...unlisted, handle: readOnly(show) };
  });
}
