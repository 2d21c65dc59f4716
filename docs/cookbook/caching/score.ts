/**
 * Answers of a model are kept in a bounded cache, and a metric counts the hits. Equal requests that
 * are under way together share one inference. Each worker has a cache of its own.
 *
 * npm install --prefix docs/cookbook/caching
 * npm start -- --entry-script docs/cookbook/caching/score.ts
 * sh docs/cookbook/caching/try.sh
 */

import { LRUCache } from 'lru-cache';
import type { CounterMetric, InitContext } from 'scoring-server';

interface House {
  readonly rooms: number;
  readonly area: number;
}

let prices: LRUCache<string, number, House>;
let lookups: CounterMetric;

export async function init(context: InitContext) {
  lookups = context.metrics.counter('price_lookups_total', 'lookups in the cache of prices', { labels: ['result'] });
  const model = await context.openModel('prices.onnx');
  prices = new LRUCache<string, number, House>({
    max: 10_000,
    ttl: 3_600_000,
    fetchMethod: async (_key, _stale, { context: { rooms, area } }) => {
      const { price } = await model.run({ features: [[rooms, area]] });
      return Number(price?.data[0]);
    },
  });
}

export async function run(house: House) {
  const status: LRUCache.Status<string, number, House> = {};
  const price = await prices.fetch(JSON.stringify([house.rooms, house.area]), { context: house, status });
  lookups.inc(1, { result: status.fetch ?? 'miss' });
  return { price };
}
