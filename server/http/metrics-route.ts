import type { Metrics } from '../telemetry/metrics.ts';
import type { Exchange } from './exchange.ts';

/** `/metrics` in the Prometheus text format. */
export function showMetrics({ registry }: Metrics): (exchange: Exchange) => void {
  return (exchange) => {
    registry
      .metrics()
      .then((text) => exchange.answer(200, ['Content-Type', registry.contentType], text))
      .catch((thrown: unknown) => exchange.fail(thrown));
  };
}
