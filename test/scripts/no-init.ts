export const run = (data: unknown) => data;
