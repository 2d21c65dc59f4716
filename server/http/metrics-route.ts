import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Handler, HttpRoute } from './exchange.ts';
import { readOnly } from './router.ts';

/** The page may only run its own script and send requests to this server. */
const PAGE_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";

/** `/metrics` in the Prometheus text format, and the page that draws them if it is configured. */
export function metricsRoutes({ statusPage }: Pick<Config, 'statusPage'>, { registry }: Metrics): readonly HttpRoute[] {
  // Requests of one turn of the event loop share a text, because it takes about 1 ms to make.
  let made: Promise<string> | undefined;
  const make = (): Promise<string> => {
    setImmediate(() => (made = undefined));
    return registry.metrics();
  };
  const showMetrics: Handler = (exchange) => {
    made ??= make();
    made
      .then((text) => exchange.answer(200, ['Content-Type', registry.contentType], text))
      .catch((thrown: unknown) => exchange.fail(thrown));
  };
  const metrics: HttpRoute = { path: '/metrics', counted: false, cors: false, handle: readOnly(showMetrics) };
  if (!statusPage) return [metrics];
  const page = readFileSync(new URL('./status.html', import.meta.url));
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', PAGE_POLICY];
  const showPage: Handler = (exchange) => exchange.answer(200, [...headers], page);
  return [metrics, { path: '/status', counted: false, cors: false, handle: readOnly(showPage) }];
}
