export const inputType = 'bytes';
export function init() {}
export const run = (data: Buffer) => ({ kind: typeof data, data: data.toString('hex') });
