export function init() {}
// Says what it got.
export const run = (data: unknown) =>
  data instanceof Uint8Array ? { bytes: Buffer.from(data).toString('latin1') } : { [typeof data]: data };
