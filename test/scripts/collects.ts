import { Collector, ModelDataCollector, type RequestContext } from 'scoring-server';

const inputs = new Collector({ name: 'model_inputs' });
const outputs = new Collector({ name: 'model_outputs' });
const legacyInputs = new ModelDataCollector('diabetes', { designation: 'inputs', featureNames: ['age', 'bmi'] });
const legacyPredictions = new ModelDataCollector('diabetes', { designation: 'predictions', featureNames: ['y'] });

interface Wish {
  readonly many?: number;
  readonly wrong?: boolean;
  readonly legacy?: readonly number[];
  readonly die?: boolean;
  readonly who?: boolean;
}

export function init(): void {}

export async function run(data: Wish, request: RequestContext): Promise<unknown> {
  if (data.die) process.kill(process.pid, 'SIGKILL');
  if (data.many !== undefined) for (let n = 0; n < data.many; n++) outputs.collect([{ n }], { id: `${request.id}-${n}` });
  if (data.who) outputs.collect([{ pid: process.pid }]);
  if (data.wrong) inputs.collect({ a: [1, 2], b: [1] });
  if (data.legacy) {
    const correlations = legacyInputs.collect(data.legacy);
    legacyPredictions.collect(legacyPredictions.addCorrelations([0.5], correlations));
  }
  if (Object.keys(data).length > 0) return { id: request.id };
  inputs.collect({ y: [1, 2], w: [3, 4n] });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const context = outputs.collect({ score: { type: 'float32', dims: [2, 2], data: Float32Array.of(0.5, 1, Number.NaN, 2) } });
  return { id: context.id };
}
