export function init() {}
export const exactIntegers = true;
export const run = (data: unknown) => data;
