import { ScoringError, type RequestContext, type Tensor } from 'scoring-server';
export function init() {}
/** Doubles x and tells what it got, the Open Inference Protocol's way. */
export const run = (inputs: Record<string, Tensor>, request: RequestContext) => {
  if ('refuse' in inputs) throw new ScoringError(422, 'not today');
  if ('stream' in inputs) return ['a', 'b'].values();
  const { type, dims, data } = inputs['x']!;
  const doubled = { type, dims, data: (data as Float32Array).map((value) => value * 2) };
  return { doubled, about: [`${type} [${dims.join(',')}]`], wanted: [(request.outputs ?? ['all']).join(' ')] };
};
