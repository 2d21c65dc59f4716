import type { RequestContext } from 'scoring-server';

interface Wish {
  readonly megabytes: number;
  readonly stays?: boolean;
}

export function init(): void {}

/** Streams so many megabytes, and waits, where it is asked to, for its client to leave before it ends. */
export async function* run({ megabytes, stays }: Wish, { signal }: RequestContext): AsyncGenerator<string> {
  yield 'begin ';
  for (let n = 0; n < megabytes; n++) yield '.'.repeat(1024 * 1024);
  if (stays) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  yield 'end';
}
