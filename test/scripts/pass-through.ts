import type { RequestContext } from 'scoring-server';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';

export const rawHttp = true;
export function init(): void {}

const got = (url: string): Promise<IncomingMessage> => new Promise((resolve) => get(url, resolve));

/** A Response as node-fetch 2 makes it: its headers join what has several values, but for `raw()`. */
function likeNodeFetch({ headersDistinct, statusCode: status }: IncomingMessage, body: Readable, url: string): unknown {
  const headers = {
    get: (name: string) => headersDistinct[name.toLowerCase()]?.join(', ') ?? null,
    raw: () => headersDistinct,
    *[Symbol.iterator]() {
      for (const name of Object.keys(headersDistinct)) yield [name, this.get(name)];
    },
  };
  return { [Symbol.toStringTag]: 'Response', status, headers, body, bodyUsed: false, url };
}

const answers: Record<string, (request: Request, up: string, context: RequestContext) => unknown> = {
  fetch: (_request, up) => fetch(up),
  copied: async (_request, up) => {
    const response = await fetch(up);
    return new Response(response.body, response);
  },
  'of a package': async (_request, up) => {
    const message = await got(up);
    return likeNodeFetch(message, message.headers['content-encoding'] === 'gzip' ? message.pipe(createGunzip()) : message, up);
  },
  'of a package, as it came': async (_request, up) => {
    const message = await got(up);
    return likeNodeFetch(message, message, up);
  },
  compressed: (_request, up) => new Response(gzipSync(`made for ${up}`), { headers: { 'content-encoding': 'gzip' } }),
  'compressed as a stream': (_request, up) =>
    new Response(new Blob([`made for ${up}`]).stream().pipeThrough(new CompressionStream('gzip')), {
      headers: { 'content-encoding': 'gzip' },
    }),
  forwarded: (request, up) => fetch(up, request),
  'forwarded in a Request': (request, up) => fetch(new Request(up, request)),
  'forwarded by its headers': async (request, up) =>
    fetch(up, { method: request.method, headers: request.headers, body: await request.arrayBuffer() }),
  json: async (request) => Response.json(await request.json()),
  'json of a clone': async (request) => Response.json(await request.clone().clone().json()),
  form: async (request) => Response.json(Object.fromEntries(await request.formData())),
  caught: async (request) => {
    const failed: unknown[] = [];
    for (const read of [() => request.clone().json(), () => request.clone().formData()])
      await read().catch((thrown: unknown) =>
        failed.push([thrown instanceof SyntaxError, thrown instanceof TypeError, Object.keys(thrown as object)]),
      );
    return Response.json(failed);
  },
  'read twice': async (request) => [await request.text(), await request.json()],
  'form read twice': async (request) => [await request.text(), await request.formData()],
  "the script's own": () => JSON.parse('{') as unknown,
  headers: (request, _up, context) =>
    Response.json({ own: Object.fromEntries(request.headers), context: Object.fromEntries(context.headers) }),
};

export function run(request: Request, context: RequestContext): unknown {
  const { searchParams } = new URL(request.url);
  return answers[searchParams.get('how') ?? '']?.(request, searchParams.get('up') ?? '', context);
}
