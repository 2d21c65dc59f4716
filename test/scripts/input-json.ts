export const inputType = 'json';
export function init() {}
export const run = (data: unknown) => ({ kind: typeof data, data: data });
