export function init() {}
export const run = (data: unknown) => JSON.parse(data as string) as unknown;
