export const rawHttp = true;
export const inputType = 'json';
export function init() {}
export const run = (data: unknown) => data;
