import type { Tensor } from 'scoring-server';
export const inputType = 'tensors';
export function init() {}
export const run = ({ x, name }: { x: Tensor; name: string }) => ({
  dims: x.dims,
  type: x.type,
  values: Array.from<unknown>(x.data),
  name,
});
