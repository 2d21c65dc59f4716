/**
 * A script with a test that needs no server: see score.test.ts.
 *
 * npm start -- --entry-script docs/cookbook/unit-test/score.ts
 * sh docs/cookbook/unit-test/try.sh
 * node --import ./server/worker/register.ts --test docs/cookbook/unit-test/score.test.ts
 */

import { Collector, type CounterMetric, type InitContext, type Model, ScoringError } from 'scoring-server';

interface House {
  readonly rooms: number;
  readonly area: number;
}

const inputs = new Collector({ name: 'model_inputs' });
let model: Model;
let priced: CounterMetric;

export async function init(context: InitContext) {
  model = await context.openModel('prices.onnx');
  priced = context.metrics.counter('houses_priced_total', 'houses of all requests');
}

export async function run({ houses }: { houses: House[] }) {
  if (houses.length === 0) throw new ScoringError(422, 'houses: expected at least one');
  inputs.collect(houses);
  const { price } = await model.run({ features: houses.map(({ rooms, area }) => [rooms, area]) });
  priced.inc(houses.length);
  return { prices: price?.data };
}
