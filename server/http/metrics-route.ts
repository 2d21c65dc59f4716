import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Exchange, Shared } from './exchange.ts';
import { readOnly } from './methods.ts';
import { addRoute } from './router.ts';

/** What the page may do: run its own script, and ask this server. */
const PAGE_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";

/** `/metrics` in the Prometheus text format, and the page that draws them where it is asked for. */
export function addMetrics(app: FastifyInstance, shared: Shared, config: Config, { registry }: Metrics): void {
  // Whoever asks in the same turn of the loop gets the same text: it takes about a millisecond to make.
  let made: Promise<string> | undefined;
  const make = (): Promise<string> => {
    setImmediate(() => (made = undefined));
    return registry.metrics();
  };
  const show = (exchange: Exchange): void => {
    made ??= make();
    made
      .then((text) => exchange.answer(200, ['Content-Type', registry.contentType], text))
      .catch((thrown: unknown) => exchange.fail(thrown));
  };
  addRoute(app, shared, { path: '/metrics', counted: false, cors: false }, readOnly(show));
  if (!config.statusPage) return;
  const page = readFileSync(new URL('./status.html', import.meta.url));
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', PAGE_POLICY];
  addRoute(
    app,
    shared,
    { path: '/status', counted: false, cors: false },
    readOnly((exchange) => exchange.answer(200, [...headers], page)),
  );
}
