import { ScoringError } from 'scoring-server';

const ways: Record<string, () => ScoringError> = {
  object: () => new ScoringError(422, { field: 'age', ids: [9007199254740993n], scores: Float32Array.of(1.5, Number.NaN) }),
  list: () => new ScoringError(400, ['a', 'b']),
  text: () => new ScoringError(400, 'plain'),
  map: () => new ScoringError(400, { deep: new Map() }),
  error: () => new ScoringError(400, new Error('secret')),
  'object with a cause': () => new ScoringError(422, { field: 'age' }, { cause: new Error('the reason') }),
};

export function init() {}
export function run(way: string | { way: { data: string[] } }) {
  throw ways[typeof way === 'string' ? way : String(way.way.data[0])]?.();
}
