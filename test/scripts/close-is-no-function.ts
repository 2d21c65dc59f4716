export function init() {}
export const run = () => 1;
export const close = true;
