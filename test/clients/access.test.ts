import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../e2e/free-port.ts';
import { SCRIPTS, ServerProcess } from '../e2e/start-server.ts';
import { type ClientOptions, clients, type LoadClient, type Tally } from '../front/clients.ts';
import { folder } from '../set-up/folder.ts';
import { python, runProgram, whyNoPython } from '../set-up/python.ts';
import { makeAuthority, makePair, type TlsPair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const [RIGHT, NEXT, WRONG] = ['right-key-of-the-clients', 'next-key-of-the-clients', 'wrong-key-of-the-clients'];
const files = folder();
const authority = makeAuthority(files, 'authority');
const stranger = makeAuthority(files, 'stranger');
const own = makePair(files, 'own', {}, authority);
const client = makePair(files, 'client', { subject: '/CN=client' }, authority);
const strangers = makePair(files, 'strangers-client', { subject: '/CN=client' }, stranger);

const here = Object.entries(clients).filter(([, { missing }]) => missing === false);
/** fetch of Node takes no client certificate. */
const withCertificates = Object.entries(clients).filter(([name]) => name !== 'undici');

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const pair = ({ certificate, key }: TlsPair): ClientOptions => ({ certificate, privateKey: key });
const TLS = { TLS_CERT_FILE: own.certificate, TLS_KEY_FILE: own.key, HEALTH_PORT: '0' };

async function serve(t: TestContext, script: string, env: Record<string, string>, ...args: string[]): Promise<ServerProcess> {
  const server = new ServerProcess(['--entry-script', join(SCRIPTS, script), ...args], { env: { ACCESS_LOG: 'false', ...env } });
  t.after(() => server.stop());
  return server.ready();
}

/** Sends a few requests with a client, and resolves with what came back. */
async function answers(
  t: TestContext,
  open: (url: string, options: ClientOptions) => Promise<LoadClient>,
  url: string,
  options: ClientOptions,
): Promise<string[]> {
  const opened = await open(url, options);
  t.after(() => opened.end());
  opened.start();
  return Object.keys(await opened.stop());
}

const scoreUrl = async (server: ServerProcess, scheme = 'http'): Promise<string> => `${scheme}://127.0.0.1:${await server.port()}/score`;

describe('a key', () => {
  const wanted: readonly (readonly [Record<string, string>, string])[] = [
    [bearer(RIGHT), '200'],
    [{ 'api-key': RIGHT }, '200'],
    [{ 'x-api-key': RIGHT }, '200'],
    [bearer(WRONG), '401'],
    [{ 'api-key': `${RIGHT}x` }, '401'],
    [{}, '401'],
  ];
  for (const [name, { open, missing }] of Object.entries(clients))
    it(`is sent by ${name}: the right one is answered, a wrong one and none get 401`, { skip: missing }, async (t) => {
      const server = await serve(t, 'echo.ts', { SCORING_KEYS: `one:${RIGHT}` });
      for (const [headers, status] of wanted)
        assert.deepEqual(await answers(t, open, await scoreUrl(server), { headers }), [status], JSON.stringify(Object.keys(headers)));
    });

  it('is rotated under the load of every client without a failed request', async (t) => {
    const keys = join(folder(), 'keys');
    const write = (text: string): void => {
      writeFileSync(`${keys}.tmp`, text);
      renameSync(`${keys}.tmp`, keys);
    };
    write(`old:${RIGHT}\n`);
    const server = await serve(t, 'echo.ts', { SCORING_KEYS_FILE: keys });
    const status = async (key: string): Promise<number> => (await server.score([1], bearer(key))).status;
    const load = async (key: string): Promise<LoadClient[]> => {
      const opened = await Promise.all(here.map(async ([, { open }]) => open(await scoreUrl(server), { headers: bearer(key) })));
      t.after(() => Promise.all(opened.map((each) => each.end())));
      for (const each of opened) each.start();
      return opened;
    };
    const stop = async (opened: LoadClient[]): Promise<void> => assertAnswered(await Promise.all(opened.map((each) => each.stop())));
    const old = await load(RIGHT);
    write(`old:${RIGHT}\nnew:${NEXT}\n`);
    await until(async () => (await status(NEXT)) === 200);
    const next = await load(NEXT);
    await stop(old);
    write(`new:${NEXT}\n`);
    await until(async () => (await status(RIGHT)) === 401);
    await stop(next);
  });
});

function assertAnswered(tallies: readonly Tally[]): void {
  for (const tally of tallies) assert.deepEqual(Object.keys(tally), ['200'], JSON.stringify(tally));
}

describe('TLS', () => {
  for (const [name, { open, missing }] of Object.entries(clients))
    it(`is spoken by ${name} with the file of the authority, and with a key`, { skip: missing }, async (t) => {
      const server = await serve(t, 'echo.ts', { ...TLS, SCORING_KEYS: `one:${RIGHT}` });
      const url = await scoreUrl(server, 'https');
      const ca = authority.certificate;
      assert.deepEqual(await answers(t, open, url, { ca, headers: bearer(RIGHT) }), ['200']);
      assert.deepEqual(await answers(t, open, url, { ca, headers: bearer(WRONG) }), ['401']);
      const [refused = ''] = await answers(t, open, url, { ca: stranger.certificate, headers: bearer(RIGHT) });
      assert.match(refused, /^error .*(?:certificate|CERT|issuer)/i);
    });

  for (const [name, { open, missing }] of withCertificates)
    it(`asks ${name} for a certificate of the authority`, { skip: missing }, async (t) => {
      const server = await serve(t, 'echo.ts', { ...TLS, TLS_CLIENT_CA_FILE: authority.certificate });
      const url = await scoreUrl(server, 'https');
      const ca = authority.certificate;
      assert.deepEqual(await answers(t, open, url, { ca, ...pair(client) }), ['200']);
      for (const refused of [{}, pair(strangers)]) assert.match((await answers(t, open, url, { ca, ...refused })).join(), /^error /);
    });

  it('gets a new certificate under the load of every client without a failed request', async (t) => {
    const home = folder();
    const [certificate, key] = [join(home, 'cert.pem'), join(home, 'key.pem')];
    const put = (from: TlsPair): void => {
      for (const [source, target] of [
        [from.certificate, certificate],
        [from.key, key],
      ] as const)
        renameSync(source, target);
    };
    put(makePair(home, 'first', {}, authority));
    const server = await serve(t, 'echo.ts', {
      TLS_CERT_FILE: certificate,
      TLS_KEY_FILE: key,
      HEALTH_PORT: '0',
      METRICS_PORT: String(await freePort()),
    });
    const opened = await Promise.all(
      here.map(async ([, { open }]) => open(await scoreUrl(server, 'https'), { ca: authority.certificate })),
    );
    t.after(() => Promise.all(opened.map((each) => each.end())));
    for (const each of opened) each.start();
    for (const name of ['second', 'third']) {
      const seen = server.lines.length;
      put(makePair(home, name, {}, authority));
      await server.line((line) => server.lines.indexOf(line) >= seen && /certificate/i.test(line.msg) && line['level'] === 'info');
    }
    assertAnswered(await Promise.all(opened.map((each) => each.stop())));
  });
});

describe('tritonclient', { skip: whyNoPython() ?? false }, () => {
  before(async () => void (await python(HERE)));

  const ask = (protocol: string, port: number, options: ClientOptions): Promise<string> =>
    runProgram(join(HERE, 'access.py'), [protocol, `127.0.0.1:${port}`, JSON.stringify(options)]);

  it('sends a key over HTTP and gRPC', async (t) => {
    const grpc = await freePort();
    const server = await serve(t, 'tensors.ts', { SCORING_KEYS: `one:${RIGHT}` }, '--grpc-port', String(grpc));
    for (const [protocol, port, refused] of [
      ['http', await server.port(), '401'],
      ['grpc', grpc, 'StatusCode.UNAUTHENTICATED'],
    ] as const) {
      for (const headers of [bearer(RIGHT), { 'api-key': RIGHT }]) assert.equal(await ask(protocol, port, { headers }), 'answered');
      for (const headers of [bearer(WRONG), {}]) assert.equal(await ask(protocol, port, { headers }), refused);
    }
  });

  it('speaks TLS over HTTP and gRPC, with its certificate', async (t) => {
    const grpc = await freePort();
    const env = { ...TLS, TLS_CLIENT_CA_FILE: authority.certificate, SCORING_KEYS: `one:${RIGHT}` };
    const server = await serve(t, 'tensors.ts', env, '--grpc-port', String(grpc));
    const ca = authority.certificate;
    for (const [protocol, port] of [
      ['http', await server.port()],
      ['grpc', grpc],
    ] as const) {
      assert.equal(await ask(protocol, port, { ca, headers: bearer(RIGHT), ...pair(client) }), 'answered');
      assert.match(await ask(protocol, port, { ca, headers: bearer(RIGHT), ...pair(strangers) }), /no connection|UNAVAILABLE/);
    }
  });
});
