import { existsSync } from 'node:fs';

interface Wish {
  readonly end: 'returns' | 'throws' | 'dies' | 'stalls';
  /** A file: what follows the first chunk waits for it. */
  readonly until: string;
}

export function init(): void {}

/** A stream of two chunks that ends as it is told. */
export async function* run({ end, until }: Wish): AsyncGenerator<string> {
  yield 'first ';
  while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 5));
  if (end === 'throws') throw new Error('the stream broke');
  if (end === 'dies') process.kill(process.pid, 'SIGKILL');
  if (end === 'stalls') await new Promise(() => undefined);
  yield 'second';
}
