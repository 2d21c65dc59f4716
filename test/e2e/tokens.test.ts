import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { GrpcClient } from '../grpc/client.ts';
import { folder } from '../set-up/folder.ts';
import { AUDIENCE, claims, ISSUER, jwksOf, signingKey, tokenOf } from '../set-up/token-issuer.ts';
import { startCollector } from '../telemetry/span-collector.ts';
import { makeCertificate } from './certificate.ts';
import { freePort } from './free-port.ts';
import { SCRIPTS, ServerProcess } from './start-server.ts';

const RULES = { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE };
const SERVED = { AZUREML_ENTRY_SCRIPT: join(SCRIPTS, 'echo.ts'), AZUREML_LOG_LEVEL: 'debug', DRAIN_DELAY_MS: '0' };

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy that lists the hosts for which it opened a tunnel. */
async function tunnelProxy(t: TestContext): Promise<{ readonly url: string; readonly tunnels: string[] }> {
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket: Socket) => {
    const target = String(request.url);
    tunnels.push(target);
    const upstream = connect(Number(target.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => undefined);
    t.after(() => [socket, upstream].forEach((end) => end.destroy()));
  });
  return { url: `http://${await listening(t, proxy)}`, tunnels };
}

async function started(t: TestContext, env: Record<string, string>): Promise<ServerProcess> {
  const server = new ServerProcess([], { cwd: folder(), env: { ...SERVED, ...env } });
  t.after(() => server.stop());
  await server.line(({ msg }) => msg === 'ready');
  return server;
}

async function exitOf(t: TestContext, env: Record<string, string>): Promise<{ readonly code: number | null; readonly text: string }> {
  const server = new ServerProcess([], { cwd: folder(), env: { ...SERVED, ...env } });
  t.after(() => server.stop());
  const { code } = await server.exited;
  return { code, text: [server.stderr, ...server.lines.map(({ msg }) => msg)].join('\n') };
}

const score = (server: ServerProcess, headers: Record<string, string>): Promise<Response> => server.score({}, headers);

test('keys come over HTTPS with an authority of the operator, through a proxy, and rotate; no token is written anywhere', async (t) => {
  const { key, certificate } = makeCertificate(folder());
  const [first, second] = [signingKey('RS256', 'first'), signingKey('ES256', 'second')];
  const issuer = createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_request, response) => {
    response.end(jwksOf(first, second));
  });
  const host = await listening(t, issuer);
  t.after(() => issuer.closeAllConnections());
  const proxy = await tunnelProxy(t);
  const server = await started(t, {
    ...RULES,
    JWT_JWKS_URL: `https://user:S3cretMark@${host}/keys?S3cretMark`,
    NODE_EXTRA_CA_CERTS: certificate,
    https_proxy: proxy.url,
  });
  await server.line(({ msg }) => msg === `fetched the keys that sign tokens from https://${host}`);
  const tokens = [tokenOf(first), tokenOf(second, claims({ sub: 'bob' }))];
  for (const token of tokens) assert.equal((await score(server, { authorization: `Bearer ${token}` })).status, 200);
  const wrong = tokenOf(signingKey('ES256', 'second'));
  assert.equal((await score(server, { authorization: `Bearer ${wrong}` })).status, 401);
  const metrics = await server.metrics();
  server.child.kill('SIGTERM');
  await server.exited;
  assert.deepEqual(
    server.linesWith('request').flatMap(({ token }) => token ?? []),
    ['ann', 'bob'],
  );
  const written = [metrics, server.stderr, ...server.lines.map((line) => JSON.stringify(line))].join('\n');
  assert.doesNotMatch(written, /S3cretMark/);
  for (const part of [...tokens, wrong].flatMap((token) => token.split('.'))) assert.ok(!written.includes(part.slice(0, 30)), part);
});

test('no script, record or span gets a token', async (t) => {
  const spans = await startCollector(t);
  const [code, collected] = [folder(), folder()];
  const key = signingKey();
  writeFileSync(
    join(code, 'score.ts'),
    'export const init = () => {};\nexport const run = (_data, request) => ({ headers: [...request.headers] });\n',
  );
  writeFileSync(join(code, 'jwks.json'), jwksOf(key));
  const server = await started(t, {
    ...RULES,
    AZUREML_ENTRY_SCRIPT: join(code, 'score.ts'),
    JWT_JWKS_FILE: join(code, 'jwks.json'),
    MDC_DIR: collected,
    MDC_SINK: 'file',
    MDC_CAPTURE_HEADERS: 'authorization,api-key,x-tenant',
    OTEL_EXPORTER_OTLP_ENDPOINT: spans.url,
  });
  const token = tokenOf(key);
  const answers = [];
  for (const name of ['authorization', 'api-key']) {
    const answer = await server.score({}, { [name]: name === 'api-key' ? token : `Bearer ${token}`, 'x-tenant': 'a' });
    assert.equal(answer.status, 200);
    answers.push(await answer.text());
  }
  server.child.kill('SIGTERM');
  await server.exited;
  const files = readdirSync(collected, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const records = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
  assert.match(records.join(''), /x-tenant/);
  assert.match(answers.join(''), /x-tenant/);
  assert.ok(spans.spans.length > 0);
  const given = [answers, records, spans.spans].map((each) => JSON.stringify(each)).join('\n');
  for (const part of token.split('.')) assert.ok(!given.includes(part.slice(0, 30)));
});

test('a server without keys of the issuer is ready, and says why tokens get 503', async (t) => {
  const server = await started(t, { ...RULES, JWT_JWKS_URL: 'http://user-s3cret:S3cretMark@127.0.0.1:1/S3cretMark?S3cretMark' });
  const { msg } = await server.line(({ level, msg: text }) => level === 'warn' && text.startsWith('JWT_JWKS_URL: '));
  assert.match(msg, /^JWT_JWKS_URL: http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*: requests with a token get 503 until it answers$/);
  const answer = await score(server, { authorization: `Bearer ${tokenOf(signingKey())}` });
  assert.equal(answer.status, 503);
  assert.equal((await score(server, {})).status, 401);
  await server.stop();
  assert.doesNotMatch(JSON.stringify(server.lines) + server.stderr, /S3cretMark|user-s3cret/);
});

test('options of tokens that would leave the door open stop the start with exit code 2', async (t) => {
  const file = join(folder(), 'jwks.json');
  writeFileSync(file, '{"keys": 7}');
  for (const [env, expected] of [
    [{ ...RULES, JWT_JWKS_FILE: file }, /JWT_JWKS_FILE: .*expected a JSON Web Key Set/],
    [{ ...RULES, JWT_JWKS_FILE: `${file}.missing` }, /JWT_JWKS_FILE: expected a file, .*missing does not exist/],
    [{ JWT_JWKS_URL: 'https://127.0.0.1:1/', JWT_ISSUER: ISSUER }, /JWT_JWKS_URL: expected JWT_AUDIENCE with it, got none/],
  ] as const) {
    const { code, text } = await exitOf(t, env);
    assert.equal(code, 2);
    assert.match(text, expected);
  }
});

test('HTTP and gRPC share one rate', async (t) => {
  const port = await freePort();
  const server = await started(t, { RATE_LIMIT_PER_SECOND: '0.01', RATE_LIMIT_BURST: '2', GRPC_PORT: String(port) });
  const client = new GrpcClient(port);
  t.after(() => client.close());
  assert.equal((await score(server, {})).status, 200);
  await client.call('ServerMetadata');
  const { status, headers } = await score(server, {});
  assert.equal(status, 429);
  assert.ok(Number(headers.get('retry-after')) > 50);
  assert.equal((await client.error('ServerMetadata', {})).details.startsWith('Too many requests'), true);
  assert.equal(await server.status('/readyz'), 200);
});
