export function init() {}
const values: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  float32: () => Float32Array.of(0.5, Number.NaN, -Infinity),
  bigints: () => ({ ids: BigInt64Array.of(9007199254740993n), one: 12345678901234567890n }),
  tensor: () => ({ type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) }),
  nan: () => ({ score: Number.NaN, list: [1, Infinity] }),
  map: () => ({ deep: [new Map()] }),
  function: () => () => 1,
  blob: () => new Blob(['x']),
  promise: () => ({ later: Promise.resolve(1) }),
  error: () => ({ error: new Error('secret') }),
  chunk: () => [{ map: new Map() }].values(),
  circular: () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    return value;
  },
  json: () => '{"already": "json"}',
};
export const run = (name: string | { x: unknown }) => (typeof name === 'string' ? values[name]?.() : new Map([['y', name.x]]));
