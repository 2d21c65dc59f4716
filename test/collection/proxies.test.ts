import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { Azurite, eventsOf } from './azurite.ts';
import { startIdentityEndpoint } from './identity-endpoint.ts';
import { serve } from './start-collecting.ts';

/** A forward proxy that leads every address to one port. */
interface ForwardProxy {
  readonly url: string;
  /** Targets, as the client named them. */
  readonly asked: string[];
  readonly credentials: Set<string | undefined>;
}

async function startForwardProxy(t: TestContext, port: number): Promise<ForwardProxy> {
  const asked: string[] = [];
  const credentials = new Set<string | undefined>();
  const note = ({ headers }: IncomingMessage, target: string): void => {
    asked.push(target);
    credentials.add(headers['proxy-authorization']);
  };
  const server = createServer((incoming, outgoing) => {
    const { host, pathname, search } = new URL(incoming.url ?? '');
    note(incoming, `${host}${pathname}`);
    const options = { host: '127.0.0.1', port, method: incoming.method, path: pathname + search, headers: incoming.headers };
    const onward = request(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, socket: Socket) => {
    note(incoming, incoming.url ?? '');
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => undefined);
    t.after(() => [socket, upstream].forEach((end) => end.destroy()));
  });
  const own = await listening(t, server);
  return { url: `http://user:s3cret@127.0.0.1:${own}`, asked, credentials };
}

async function listening(t: TestContext, server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Takes every event. */
async function receiver(t: TestContext): Promise<{ port: number; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (piece: Buffer) => (body += piece.toString()));
    incoming.on('end', () => outgoing.writeHead(bodies.push(body) > 0 ? 202 : 500).end());
  });
  return { port: await listening(t, server), bodies };
}

/** Of TEST-NET-3 (RFC 5737). Not a name: Azurite would read the account from it. */
const AWAY = '203.0.113.1';
const REQUESTS = { MDC_COLLECTIONS: 'request' };
const BASIC = `Basic ${Buffer.from('user:s3cret').toString('base64')}`;

/** Scores once, and ends the server. */
async function scoreOnce(t: TestContext, env: Record<string, string>, script = 'echo.ts'): Promise<string> {
  const server = await serve(t, script, { ...REQUESTS, ...env });
  assert.equal((await server.score({ a: 1 }, { 'x-request-id': 'one' })).status, 200);
  await server.drain();
  const output = JSON.stringify(server.lines);
  assert.ok(!output.includes('s3cret'));
  return output;
}

test("the sinks http and azureml go through http_proxy, by either case, and as the proxy's user", async (t) => {
  const { port, bodies } = await receiver(t);
  const proxy = await startForwardProxy(t, port);
  await scoreOnce(t, { http_proxy: proxy.url, MDC_HTTP_URL: 'http://events.invalid/hook' });
  await scoreOnce(t, { HTTP_PROXY: proxy.url, MDC_HTTP_URL: 'http://events.invalid/upper' });
  await scoreOnce(t, { http_proxy: proxy.url.replace('http://', ''), MDC_HTTP_URL: 'http://events.invalid/no-scheme' });
  await scoreOnce(t, { http_proxy: proxy.url, MDC_SINK: 'azureml', AZUREML_MDC_HOST: 'sidecar.invalid' });
  assert.deepEqual(proxy.asked, [
    'events.invalid/hook',
    'events.invalid/upper',
    'events.invalid/no-scheme',
    'sidecar.invalid:50011/modeldata/log',
  ]);
  assert.equal(bodies.length, 4);
  assert.deepEqual([...proxy.credentials], [BASIC]);
});

test('no_proxy names hosts and what is below them, and loopback never goes through a proxy', async (t) => {
  const { port, bodies } = await receiver(t);
  const proxy = await startForwardProxy(t, port);
  const proxies = { http_proxy: proxy.url, https_proxy: proxy.url };
  await scoreOnce(t, { ...proxies, MDC_HTTP_URL: `http://127.0.0.1:${port}/` });
  await scoreOnce(t, { ...proxies, MDC_HTTP_URL: `http://localhost:${port}/`, no_proxy: 'example.com' });
  await scoreOnce(t, { ...proxies, MDC_SINK: 'azureml', AZUREML_MDC_PORT: String(port) });
  await scoreOnce(t, { ...proxies, NO_PROXY: '*', MDC_HTTP_URL: `http://events.invalid:${port}/`, MDC_FLUSH_TIMEOUT_MS: '200' });
  await scoreOnce(t, { ...proxies, no_proxy: 'invalid', MDC_HTTP_URL: `http://events.invalid:${port}/`, MDC_FLUSH_TIMEOUT_MS: '200' });
  assert.deepEqual([bodies.length, proxy.asked], [3, []]);
});

test('the sink azure-blob goes through the proxy, but not to an account on loopback', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startForwardProxy(t, azurite.port);
  const sas = azurite.accountSas('co');
  const path = new URL(azurite.url()).pathname;
  await scoreOnce(t, { https_proxy: proxy.url, http_proxy: proxy.url, MDC_BLOB_ACCOUNT_URL: `http://${AWAY}${path}?${sas}` });
  const through = proxy.asked.length;
  assert.ok(through > 0 && proxy.asked.every((target) => target.startsWith(AWAY)), proxy.asked.join());
  await scoreOnce(t, { https_proxy: proxy.url, http_proxy: proxy.url, MDC_BLOB_ACCOUNT_URL: `${azurite.url()}?${sas}` });
  assert.equal(proxy.asked.length, through);
  assert.equal(eventsOf(await azurite.blobs(), 'request').length, 2);
});

test('the endpoint of the identity is asked without the proxy', async (t) => {
  const azurite = await Azurite.start(t, true);
  const identity = await startIdentityEndpoint(t);
  const proxy = await startForwardProxy(t, azurite.port);
  await scoreOnce(t, {
    ...identity.env,
    https_proxy: proxy.url,
    http_proxy: proxy.url,
    MDC_BLOB_ACCOUNT_URL: azurite.url(),
    NODE_EXTRA_CA_CERTS: azurite.certificate!,
  });
  assert.deepEqual(identity.asked, ['https://storage.azure.com']);
  assert.deepEqual(proxy.asked, []);
  assert.equal(eventsOf(await azurite.blobs(), 'request').length, 1);
});

test('a proxy that is no URL is a warning without its text, and stops nothing', async (t) => {
  const { port, bodies } = await receiver(t);
  const output = await scoreOnce(t, { https_proxy: 'socks5://user:s3cret@proxy', MDC_HTTP_URL: `http://127.0.0.1:${port}/` });
  assert.match(output, /https_proxy: expected an http:\/\/ or https:\/\/ URL/);
  assert.equal(bodies.length, 1);
});
