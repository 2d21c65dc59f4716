export const init = () => new Promise(() => undefined);
export const run = () => 1;
