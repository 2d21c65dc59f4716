import { existsSync } from 'node:fs';
export function init() {}
/** @param until a file: the first chunk comes before the failure, which waits for it */
export async function* run({ until }: { until?: string }) {
  if (until !== undefined) {
    yield 'first';
    while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the stream broke');
}
