import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/**
 * The fate of a call: it passes, its answer is dropped, or the proxy answers with a code of the
 * service.
 */
type Fate =
  | 'pass'
  | 'lose answer'
  | 'hang'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly code?: string };

/** A proxy in front of a blob server. The test decides each call's fate. */
export interface Proxy {
  readonly port: number;
  /** Decides for each call, by method and URL. */
  fate: (method: string, url: string) => Fate;
  readonly calls: string[];
  /** Resolves when so many calls have come in all. */
  called(count: number): Promise<void>;
}

export async function startProxy(t: TestContext, target: number): Promise<Proxy> {
  const calls: string[] = [];
  let waiting: (() => void)[] = [];
  const proxy: Proxy & { port: number } = {
    port: 0,
    fate: () => 'pass',
    calls,
    called: async (count) => {
      while (calls.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '' } = incoming;
    calls.push(`${method} ${url}`);
    waiting.forEach((wake) => wake());
    waiting = [];
    const fate = proxy.fate(method, url);
    if (fate === 'hang') return void incoming.resume();
    if (typeof fate === 'object') {
      incoming.resume();
      const body = fate.code === undefined ? '' : `<?xml version="1.0"?><Error><Code>${fate.code}</Code><Message>m</Message></Error>`;
      const headers = { ...(body !== '' && { 'content-type': 'application/xml' }), ...fate.headers };
      return void incoming.on('end', () => outgoing.writeHead(fate.status, headers).end(body));
    }
    return forward(target, incoming, outgoing, fate === 'lose answer');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}

function forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse, loseAnswer: boolean): void {
  const onward = request({ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
    if (loseAnswer) {
      answer.resume();
      answer.on('end', () => outgoing.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}
