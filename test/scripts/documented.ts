import { ScoringError } from 'scoring-server';
/** What the API description says of every script: an object in, an object out. */
export const sample = { data: [1, 2, 3] };
export function init() {}
export function run(data: unknown) {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new ScoringError(422, 'expected an object');
  return { keys: Object.keys(data).length };
}
