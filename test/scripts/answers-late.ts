import type { RequestContext } from 'scoring-server';
import { appendFileSync } from 'node:fs';
import { Readable } from 'node:stream';

export function init(): void {}

/** Answers once its client has left, or as a Response that HTTP cannot carry, and reports the end of the body. */
export async function run({ how, file }: { how: string; file: string }, { signal }: RequestContext): Promise<unknown> {
  const ended = (what: string): void => appendFileSync(file, `${what} ended\n`);
  const stream = new ReadableStream({ cancel: () => ended(how) });
  if (how === 'refused') return new Response(stream, { headers: { 'x-a': '\u0001' } });
  appendFileSync(file, 'running\n');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  if (how === 'late Readable') return new Readable({ read: () => undefined, destroy: (_error, done) => (ended(how), done(null)) });
  return how === 'late stream' ? stream : new Response(stream);
}
