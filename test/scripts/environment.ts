export function init(): void {}

/** Answers variables of its process. */
export const run = (names: string[]): Record<string, string | undefined> =>
  Object.fromEntries(names.map((name) => [name, process.env[name]]));
