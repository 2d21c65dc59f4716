import type { RequestContext } from 'scoring-server';
import { appendFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

interface Wish {
  readonly how: string;
  readonly url: string;
  /** Gets a line when the signal of the request fires, and when a generator ends. */
  readonly file: string;
}

export function init(): void {}

const bodyOf = async (url: string): Promise<ReadableStream<Uint8Array>> => (await fetch(url)).body!;
const got = (url: string): Promise<IncomingMessage> => new Promise((resolve) => get(url, resolve));

const answers: Record<string, (wish: Wish, request: RequestContext) => unknown> = {
  fetch: ({ url }) => fetch(url),
  'new Response': async ({ url }) => {
    const up = await fetch(url);
    return new Response(up.body, up);
  },
  'a thrown Response': async ({ url }) => {
    throw await fetch(url);
  },
  'a bare stream': ({ url }) => bodyOf(url),
  pipeThrough: async ({ url }) => new Response((await bodyOf(url)).pipeThrough(new TransformStream())),
  'a Readable': ({ url }) => got(url),
  'a Readable of a stream': async ({ url }) => Readable.fromWeb((await bodyOf(url)) as never),
  'a Response of a package': async ({ url }) => {
    const body = await got(url);
    return { [Symbol.toStringTag]: 'Response', status: 200, headers: [['content-type', 'text/plain']], body, bodyUsed: false, url };
  },
  async *'a generator'({ url }, { signal }) {
    yield* (await fetch(url, { signal })).body!;
  },
  async *'a generator that waits for ever'({ url }) {
    if (url.endsWith('?first')) yield 'first';
    await new Promise(() => undefined);
  },
};

export function run(wish: Wish, request: RequestContext): unknown {
  request.signal.addEventListener('abort', () => appendFileSync(wish.file, `aborted ${wish.how}\n`));
  return answers[wish.how]?.(wish, request);
}
