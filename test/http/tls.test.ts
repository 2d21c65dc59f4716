import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Lifecycle } from '../../server/lifecycle.ts';
import { freePort } from '../e2e/free-port.ts';
import { folder } from '../set-up/folder.ts';
import { makeAuthority, makePair, openssl, type TlsPair } from '../set-up/tls-files.ts';
import { until as when } from '../set-up/until.ts';
import { reply } from './fake-scorer.ts';
import { open, parse, raw, rest, until } from './raw-client.ts';
import { start } from './start.ts';

const home = folder();
const authority = makeAuthority(home, 'authority');
const ca = readFileSync(authority.certificate);
const pair = makePair(home, 'server', {}, authority);
const other = makePair(home, 'other', { kind: 'rsa' }, authority);
const options = ({ certificate, key }: TlsPair): { tlsCertFile: string; tlsKeyFile: string } => ({
  tlsCertFile: certificate,
  tlsKeyFile: key,
});
const DAY_MS = 86_400_000;
/** Type of a record. */
const ALERT = 0x15;
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

async function secure(port: number, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca, ...more });
  await once(socket, 'secureConnect');
  return socket;
}

/** A connection whose only request has been sent. */
async function asked(port: number, more: ConnectionOptions): Promise<TLSSocket> {
  const socket = await secure(port, more);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  return socket;
}

/** Copies a pair to files that a test changes. */
function copy(from: TlsPair): TlsPair {
  const dir = folder();
  const to = { certificate: join(dir, 'tls.crt'), key: join(dir, 'tls.key') };
  replace(to, from);
  return to;
}

function replace(to: TlsPair, from: TlsPair): void {
  writeFileSync(`${to.key}.new`, readFileSync(from.key));
  writeFileSync(`${to.certificate}.new`, readFileSync(from.certificate));
  renameSync(`${to.key}.new`, to.key);
  renameSync(`${to.certificate}.new`, to.certificate);
}

const nameOf = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject.CN;

/** A request over an agent. */
async function get(agent: Agent, port: number, path = '/'): Promise<{ status: number; body: string }> {
  const sent = request({ agent, port, path, host: '127.0.0.1', ca }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const piece of answer.setEncoding('utf8')) body += piece as string;
  return { status: answer.statusCode ?? 0, body };
}

describe('a port with TLS', () => {
  it('answers every route, parser errors and a long pipeline, and counts nothing as failed', async (t) => {
    const { port, certificates } = await start(t, options(pair));
    const socket = await secure(port, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.write(GET.repeat(100));
    let healthy = 0;
    while (healthy < 100) healthy += (await until(socket, 'Healthy')).split('Healthy').length - 1;
    socket.write('nonsense\r\n\r\n');
    assert.equal(parse(await rest(socket)).status, 400);
    assert.deepEqual([...certificates!.failures.values()], [0, 0, 0, 0]);
  });

  it('refuses a client of HTTP/2 alone, and takes one that names no protocol', async (t) => {
    const { port } = await start(t, options(pair));
    await assert.rejects(secure(port, { ALPNProtocols: ['h2'] }), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
    const socket = await secure(port);
    socket.write(GET);
    await until(socket, 'Healthy');
    socket.destroy();
  });

  it('answers a request without TLS with 400, and closes other connections', async (t) => {
    const { port, certificates, lines } = await start(t, options(pair));
    const { status, body, headers } = parse(await raw(port, 'GET /score HTTP/1.1\r\nHost: x\r\n\r\n'));
    assert.deepEqual([status, headers['connection'], JSON.parse(body)], [400, 'close', { message: 'This port speaks TLS: use https://' }]);
    for (const wrong of [
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x00\x00',
      '\x80\x2e\x01\x03\x01',
      `\x16\x03\x01\xff\xff${'x'.repeat(70_000)}`,
    ])
      assert.equal(await raw(port, wrong).catch(() => ''), '');
    assert.equal(certificates!.failures.get('not_tls'), 5);
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'info'),
      [],
    );
  });

  it('serves a client whose first key is of another group, and refuses one that has no other', async (t) => {
    const { port } = await start(t, options(pair));
    for (const ecdhCurve of ['P-521:X25519', 'ffdhe3072:P-256', 'X448:X25519MLKEM768'])
      assert.match(await rest(await asked(port, { ecdhCurve })), /Healthy/, ecdhCurve);
    for (const ecdhCurve of ['P-384', 'P-521', 'X448', 'ffdhe2048'])
      await assert.rejects(secure(port, { ecdhCurve, minVersion: 'TLSv1.3' }), /handshake failure/, ecdhCurve);
  });

  it('counts what OpenSSL refuses, and logs nothing', async (t) => {
    const { port, certificates, lines } = await start(t, options(pair));
    await assert.rejects(secure(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }));
    await assert.rejects(secure(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }));
    // A record of the right form whose content is none.
    assert.equal((await raw(port, '\x16\x03\x01\x00\x04abcd')).charCodeAt(0), ALERT);
    await when(() => certificates!.failures.get('refused') === 3);
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'info'),
      [],
    );
  });

  it('takes a first message in single bytes', async (t) => {
    const { port } = await start(t, options(pair));
    const slow = await open(port);
    const { Duplex } = await import('node:stream');
    const single = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer, _encoding, done) => {
        for (const byte of bytes) slow.write(Buffer.of(byte));
        done();
      },
    });
    slow.setNoDelay(true).on('data', (piece: Buffer) => single.push(piece));
    const socket = connect({ socket: single, ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    socket.write(GET);
    await until(socket, 'Healthy');
    slow.destroy();
  });

  it('sends a large body whole, also to a slow client', async (t) => {
    const { port, scorer } = await start(t, options(pair));
    const body = Buffer.alloc(5_000_000, 'x');
    scorer.outcome = () => reply({ body, headers: [['Content-Type', 'application/octet-stream']] });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    for (let i = 0; i < 3; i++) assert.equal((await get(agent, port, '/score')).body.length, body.length);
    const slow = await secure(port);
    slow.write('GET /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    slow.pause();
    // The whole body counts, though only a piece of it is written.
    await when(() => scorer.answers.bytes > 4_000_000);
    slow.resume();
    assert.equal(parse(await rest(slow)).body.length, body.length);
    await when(() => scorer.answers.bytes === 0);
  });

  it('does not count a small answer as unsent', async (t) => {
    const { port, scorer } = await start(t, options(pair));
    let held = 0;
    const hold = scorer.answers.hold.bind(scorer.answers);
    scorer.answers.hold = (...args) => {
      held++;
      return hold(...args);
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    for (let i = 0; i < 10; i++) assert.equal((await get(agent, port, '/score')).status, 200);
    assert.equal(held, 0);
  });

  it('serves a client that closes its side after its request', async (t) => {
    const { port, scorer } = await start(t, options(pair));
    const outcome = Promise.withResolvers<object>();
    scorer.outcome = () => outcome.promise;
    const scored = scorer.called('score');
    const socket = await secure(port, { allowHalfOpen: true } as ConnectionOptions);
    socket.end('GET /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await scored;
    outcome.resolve({});
    assert.match(await rest(socket), /\{"ok":true\}/);
  });

  it('closes the connection of a client that leaves during its handshake', async (t) => {
    const { port, app, certificates } = await start(t, options(pair));
    const connections = (): Promise<number> => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));
    for (let i = 0; i < 20; i++) {
      // Node's client reports the end of a handshake before it sends its last message.
      const socket = connect({ port, host: '127.0.0.1', ca }, () => socket.destroy());
      await once(socket, 'close');
    }
    await when(async () => (await connections()) === 0);
    assert.equal(certificates!.failures.get('timeout'), 0);
  });

  it('cancels the request of a client that leaves', async (t) => {
    const { port, scorer } = await start(t, options(pair));
    scorer.outcome = () => new Promise(() => undefined);
    const scored = scorer.called('score');
    const socket = await secure(port);
    socket.write('GET /score HTTP/1.1\r\nHost: x\r\n\r\n');
    await scored;
    socket.destroy();
    await when(() => scorer.cancelled === 1);
  });
});

describe('the ports beside one with TLS', () => {
  it('are a plain one for probes alone, and metrics with TLS', async (t) => {
    const { listening } = await start(t, { ...options(pair), metricsPort: await freePort() });
    const [, health = 0, metrics = 0] = listening.ports;
    const status = async (path: string): Promise<number> =>
      parse(await raw(health, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).status;
    for (const path of ['/', '/livez', '/readyz', '/health/live', '/health/ready', '/v2/health/live', '/v2/health/ready'])
      assert.equal(await status(path), 200, path);
    for (const path of [
      '/score',
      '/swagger.json',
      '/metrics',
      '/status',
      '/v2',
      '/v2/models',
      '/v2/models/x',
      '/none',
      '/v2/models/x/infer',
    ])
      assert.equal(await status(path), 404, path);
    const agent = new Agent();
    assert.equal((await get(agent, metrics, '/metrics')).status, 200);
    assert.equal((await get(agent, metrics, '/')).status, 404);
  });

  it('say why there is a plain one, where its number is in use', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await assert.rejects(start(t, { ...options(pair), healthPort: port }), {
      message: `cannot listen on 127.0.0.1:${port}, the plain port of the probes beside TLS: the port is in use: stop what listens there, or choose another with HEALTH_PORT`,
    });
  });

  it('tell the truth of a server that is not ready', async (t) => {
    const { listening } = await start(t, options(pair), '/nowhere', new Lifecycle());
    const status = async (path: string): Promise<number> =>
      parse(await raw(listening.ports[1] ?? 0, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).status;
    assert.deepEqual([await status('/readyz'), await status('/livez')], [503, 200]);
  });
});

describe('clients with certificates', () => {
  const foreign = makeAuthority(home, 'foreign');
  const client = makePair(home, 'client', { kind: 'rsa', names: 'URI:spiffe://cluster/ns/prod/sa/caller,DNS:caller' }, authority);
  const named = makePair(home, 'named', {}, authority);
  const large = makePair(home, 'large', { kind: 'ec384' }, authority);
  const wrong = makePair(home, 'wrong', {}, foreign);
  const withCa = { ...options(pair), tlsClientCaFile: authority.certificate };
  const as = ({ certificate, key }: TlsPair): ConnectionOptions => ({ cert: readFileSync(certificate), key: readFileSync(key) });

  /** Everything that the server sends a client, or its error. */
  const ask = async (port: number, more: ConnectionOptions): Promise<string> => {
    const socket = await secure(port, more);
    socket.on('error', () => undefined).write('GET /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return rest(socket);
  };

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`are served, others are not: ${version}`, async (t) => {
      const { port, scorer, certificates } = await start(t, withCa);
      const only = { minVersion: version, maxVersion: version };
      await assert.rejects(ask(port, only));
      assert.equal(await ask(port, { ...as(wrong), ...only }).catch(() => ''), '');
      assert.equal(scorer.requests.length, 0);
      for (const each of [client, named, large]) assert.match(await ask(port, { ...as(each), ...only }), /200 OK/);
      await when(() => certificates!.failures.get('refused') === 2);
    });

  it('are named in the log: by their URI, else by their common name', async (t) => {
    const { port, line } = await start(t, withCa);
    await ask(port, as(client));
    await line(({ certificate }) => certificate === 'spiffe://cluster/ns/prod/sa/caller');
    await ask(port, as(named));
    await line(({ certificate }) => certificate === 'named');
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`lose their sessions with their authority: ${version}`, async (t) => {
      const authorities = join(folder(), 'ca.crt');
      writeFileSync(authorities, readFileSync(authority.certificate));
      const { port, line, lines } = await start(t, { ...withCa, tlsClientCaFile: authorities });
      const only = { ...as(client), minVersion: version, maxVersion: version };
      const first = await secure(port, only);
      first.write(GET);
      await until(first, 'Healthy');
      const session = first.getSession();
      const resumed = await secure(port, { ...only, session: session! });
      assert.ok(resumed.isSessionReused());
      resumed.write('GET /score HTTP/1.1\r\nHost: x\r\n\r\n');
      await until(resumed, '{"ok":true}');
      // A resumed session keeps the name.
      await line(({ certificate }) => certificate === 'spiffe://cluster/ns/prod/sa/caller');
      writeFileSync(authorities, readFileSync(foreign.certificate));
      await when(() => lines.filter(({ msg }) => msg === 'TLS certificate loaded').length === 2);
      assert.equal(await ask(port, { ...only, session: session! }).catch(() => ''), '');
      // Open connections go on.
      first.write(GET);
      await until(first, 'Healthy');
      first.destroy();
      resumed.destroy();
    });
});

describe('a certificate that changes', () => {
  it('is used for new connections, and open ones go on', async (t) => {
    const files = copy(pair);
    const { port, lines } = await start(t, options(files));
    const kept = await secure(port);
    assert.equal(nameOf(kept), 'server');
    replace(files, other);
    await when(() => lines.filter(({ msg }) => msg === 'TLS certificate loaded').length === 2);
    const fresh = await secure(port);
    assert.equal(nameOf(fresh), 'other');
    for (const socket of [kept, fresh]) {
      socket.write(GET);
      await until(socket, 'Healthy');
      socket.destroy();
    }
  });

  it('stays as it is while the new files are wrong, with one line, and is replaced once they fit', async (t) => {
    const files = copy(pair);
    const { port, line, lines } = await start(t, options(files));
    const errors = (): string[] => lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
    const served = async (): Promise<unknown> => {
      const socket = await secure(port);
      const name = nameOf(socket);
      socket.destroy();
      return name;
    };
    writeFileSync(files.certificate, readFileSync(other.certificate));
    await when(() => errors().length === 1);
    assert.match(
      errors()[0]!,
      /stays as it is, until its files are right: TLS_KEY_FILE: expected the private key of the first certificate/,
    );
    writeFileSync(files.key, 'no key at all');
    await when(() => errors().length === 2);
    renameSync(files.key, `${files.key}.gone`);
    await when(() => errors().length === 3);
    assert.match(errors()[2]!, /TLS_KEY_FILE: expected a file, .* does not exist/);
    assert.equal(await served(), 'server');
    writeFileSync(files.key, readFileSync(other.key));
    await when(async () => (await served()) === 'other');
    assert.equal(errors().length, 3);
    assert.ok(!JSON.stringify(lines).includes(readFileSync(other.key, 'utf8').split('\n')[1]!));
    await line(({ msg }) => msg === 'TLS certificate loaded');
  });

  it('stays as it is while the new one has ended', async (t) => {
    const files = copy(pair);
    const { port, line } = await start(t, options(files));
    const [wanted, ended] = [`${files.certificate}.csr`, `${files.certificate}.ended`];
    openssl('req', '-new', '-key', other.key, '-subj', '/CN=ended', '-out', wanted);
    openssl('x509', '-req', '-in', wanted, '-signkey', other.key, '-days', '-1', '-out', ended);
    replace(files, { certificate: ended, key: other.key });
    await line(({ level, msg }) => level === 'error' && /are right: TLS_CERT_FILE: the new certificate ended \d{4}-/.test(msg));
    assert.equal(nameOf(await secure(port)), 'server');
  });

  it('that ends soon is a warning: within 14 days, and within a third of its life', async (t) => {
    const short = makePair(home, 'short', { days: 3 });
    const warnings = async (from: TlsPair, inDays: number): Promise<string[]> => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + inDays * DAY_MS });
      const { lines, certificates } = await start(t, options(from));
      t.mock.timers.reset();
      assert.ok(Math.abs(certificates!.expiresAt * 1000 - Date.now() - (from === short ? 3 : 90) * DAY_MS) < 60_000);
      return lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    };
    assert.deepEqual([await warnings(pair, 0), await warnings(pair, 75), await warnings(short, 1)], [[], [], []]);
    assert.match(
      (await warnings(pair, 77)).join('|'),
      /^the TLS certificate ends \d{4}-[^|]*: renew the files of TLS_CERT_FILE and TLS_KEY_FILE$/,
    );
    assert.equal((await warnings(short, 2.1)).length, 1);
    assert.match((await warnings(pair, 91)).join('|'), /^the TLS certificate ended \d{4}-[^|]*, and clients refuse it/);
    assert.match((await warnings(pair, -2)).join('|'), /holds only from/);
  });
});

describe('closing with TLS', () => {
  it('serves requests under way, and ends idle and unfinished connections', async (t) => {
    const { port, listening, lifecycle, scorer } = await start(t, options(pair));
    const outcome = Promise.withResolvers<object>();
    scorer.outcome = () => outcome.promise;
    const idle = await secure(port);
    idle.write(GET);
    await until(idle, 'Healthy');
    const silent = await secure(port);
    const unfinished = [await open(port), await open(port)];
    unfinished[1]!.write('\x16\x03\x01\x02');
    const busy = await secure(port);
    const scored = scorer.called('score');
    busy.write('GET /score HTTP/1.1\r\nHost: x\r\n\r\n');
    await scored;
    lifecycle.to('draining');
    let closed = false;
    const closing = listening.close().then(() => (closed = true));
    await Promise.all([idle, silent, ...unfinished].map(async (socket) => (socket.resume(), once(socket, 'close'))));
    assert.equal(closed, false);
    outcome.resolve({});
    assert.match(await rest(busy), /connection: close[\s\S]*\{"ok":true\}/i);
    await closing;
  });
});
