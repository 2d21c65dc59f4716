import type { BytesTensor } from 'scoring-server';
export const bytesInputs = true;
export function init() {}
/** Says which bytes it got; BYTES that are no UTF-8 arrive whole. */
export const run = (inputs: Record<string, BytesTensor>) => {
  const { type, dims, data } = inputs['image']!;
  return { about: [`${type} [${dims.join(',')}]`], hex: data.map((element) => Buffer.from(element).toString('hex')) };
};
