export const sample = 1;
export function init() {}
export const run = () => process.exit(9);
