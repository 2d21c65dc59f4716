export function init() {}
export const run = 'later';
