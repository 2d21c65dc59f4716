export const inputType = 'text';
export function init() {}
export const run = (data: string) => ({ kind: typeof data, data: data });
