import { BasicCorrelationContext, Collector } from 'scoring-server';

// A weight is a float, also where the first one is whole.
const options = { name: 'model_inputs', types: { weight: 'float' } } as const;
const inputs = new Collector(options);
const outputs = new Collector({ name: 'model_outputs', featureNames: ['petal.length', 'petal.width'] });

interface Wish {
  /** Seconds since 1970: when the request was, as far as its records know. */
  readonly at: number;
  readonly weight: number;
  readonly height: number;
}

export function init(): void {}

export function run({ at, weight, height }: Wish): object {
  const context = inputs.collect(
    [
      { age: 41, weight, height, smoker: true, name: 'é "a"', person: { id: 7n, address: { city: 'x', floor: 1.5 } }, bmi: null },
      { age: 42, weight: null, height: 1.5, smoker: false, name: null, person: { id: 8n, address: { city: 'y', floor: 2.5 } }, bmi: 22.5 },
    ],
    new BasicCorrelationContext({ id: `at-${at}`, timestamp: at }),
  );
  outputs.collect({ type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, Number.NaN, 4) }, context);
  return {};
}
