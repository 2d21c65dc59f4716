export function init() {}
export const run = (data: unknown) => data;
