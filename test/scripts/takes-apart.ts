import {
  Collector,
  ModelDataCollector,
  type CounterMetric,
  type InitContext,
  type Logger,
  type Model,
  type RequestContext,
} from 'scoring-server';
// Every object is taken apart, and its members are used without it.
const { collect } = new Collector({ name: 'model_inputs' });
const { collect: collectInputs } = new ModelDataCollector('m', { designation: 'inputs' });
const predictions = new ModelDataCollector('m', { designation: 'predictions' });
const { collect: collectPredictions, addCorrelations } = predictions;
let run_: Model['run'];
let inc: CounterMetric['inc'];
let info: Logger['info'];
export async function init({ openModel, modelPath, modelDir, log, metrics, signal, ...rest }: InitContext) {
  ({ run: run_ } = await openModel(modelPath('ridge', 1)));
  ({ info } = log);
  const { counter } = metrics;
  ({ inc } = counter('taken_apart_total', 'runs'));
  info('taken apart', { rest: Object.keys(rest), modelDir: typeof modelDir, aborted: signal.aborted });
}
export async function run(inputs: Record<string, never>, request: RequestContext) {
  const { id, headers, signal, ...rest } = request;
  inc();
  info('scored');
  collectPredictions(addCorrelations([1], collectInputs([1])));
  const contexts = [collect([{ a: 1 }]), collect([{ a: 1 }], request), collect([{ a: 1 }], { ...request })];
  const { variable } = await run_(inputs);
  return {
    ids: [id, ...contexts.map((context) => context.id)],
    header: headers.get('x-custom'),
    aborted: signal.aborted,
    rest: Object.keys(rest),
    rows: variable?.dims[0],
  };
}
