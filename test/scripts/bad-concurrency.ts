export const concurrency = 0;
export function init() {}
export const run = (data: unknown) => data;
