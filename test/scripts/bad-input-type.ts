export const inputType = 'xml';
export function init() {}
export const run = (data: unknown) => data;
