export { init, run } from './held.ts';

/** Answered at once. */
export const sample = '';
