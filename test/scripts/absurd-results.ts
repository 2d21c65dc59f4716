export function init() {}
const nested = (levels: number, wrap: (value: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
};
const tensor = (dims: readonly unknown[], data: unknown = []): unknown => ({ type: 'float32', dims, data });
const text = 'x'.repeat(1024 * 1024);
const results: Record<string, () => unknown> = {
  arrays: () => nested(1_000_000, (value) => [value]),
  objects: () => nested(5000, (value) => ({ a: value })),
  special: () => nested(5000, (value) => [value, Number.NaN]),
  empty: () => tensor([2 ** 30, 0]),
  huge: () => tensor([2 ** 40, 0]),
  negative: () => tensor([-1, -1], [1]),
  fraction: () => tensor([0.5, 2], [1]),
  none: () => tensor([Number.NaN]),
  axes: () =>
    tensor(
      Array.from({ length: 1_000_000 }, () => 1),
      [1],
    ),
  sparse: () => Object.assign([], { length: 2 ** 32 - 1 }),
  'sparse tensor': () => tensor([2 ** 32 - 1], Object.assign([], { length: 2 ** 32 - 1 })),
  shared: () => nested(40, (value) => [value, value]),
  texts: () => Array.from({ length: 20 }, () => text),
  numbers: () => new Float64Array(4 * 1024 * 1024).fill(1 / 3),
  response: () => new Response(text.repeat(20)),
  chunk: () => [text.repeat(20)].values(),
  'second chunk': () => ['a', text.repeat(20)].values(),
  'as large as may be': () => Array.from({ length: 9 }, () => text),
};
export const run = (name: string) => (name in results ? results[name]?.() : name);
