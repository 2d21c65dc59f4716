import assert from 'node:assert/strict';
import { credentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { folder } from '../set-up/folder.ts';
import { makeAuthority, makePair, type TlsPair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';
import { GrpcClient } from './client.ts';
import { start } from './start.ts';

const home = folder();
const authority = makeAuthority(home, 'authority');
const ca = readFileSync(authority.certificate);
const pair = makePair(home, 'server', {}, authority);
const options = { tlsCertFile: pair.certificate, tlsKeyFile: pair.key };

function client(t: TestContext, port: number, own?: TlsPair): GrpcClient {
  const files = own === undefined ? [] : [readFileSync(own.key), readFileSync(own.certificate)];
  const made = new GrpcClient(port, credentials.createSsl(ca, ...files));
  t.after(() => made.close());
  return made;
}

async function secure(port: number, more: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca, ...more });
  await once(socket, 'secureConnect');
  return socket;
}

describe('the gRPC port with TLS', () => {
  it('serves clients with TLS, and closes those without', async (t) => {
    const { listening, client: plain, certificates } = await start(t, options);
    const { message } = await client(t, listening.port).call('ServerLive');
    assert.deepEqual(message, { live: true });
    const deadline = new Date(Date.now() + 5000);
    assert.equal((await plain.error('ServerLive', {}, {}, deadline)).code, 14);
    assert.ok(certificates!.failures.get('not_tls')! > 0);
  });

  it('refuses clients without HTTP/2', async (t) => {
    const { listening } = await start(t, options);
    await assert.rejects(secure(listening.port, { ALPNProtocols: ['http/1.1'] }), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
    const socket = await secure(listening.port, {});
    let answer = '';
    for await (const piece of socket.setEncoding('latin1')) answer += piece as string;
    assert.match(answer, /^HTTP\/1\.0 403/);
  });

  it('asks for certificates of its authority, and names them in the log', async (t) => {
    const foreign = makeAuthority(home, 'foreign');
    const own = makePair(home, 'caller', { names: 'URI:spiffe://cluster/caller' }, authority);
    const wrong = makePair(home, 'wrong', {}, foreign);
    const { listening, line, scorer } = await start(t, { ...options, tlsClientCaFile: authority.certificate });
    const deadline = (): Date => new Date(Date.now() + 5000);
    for (const files of [undefined, wrong])
      assert.equal((await client(t, listening.port, files).error('ModelInfer', { model_name: 'wine' }, {}, deadline())).code, 14);
    assert.equal(scorer.requests.length, 0);
    // The answer of the fake scorer is no message.
    assert.equal((await client(t, listening.port, own).error('ModelInfer', { model_name: 'wine' })).code, 13);
    assert.equal(scorer.requests.length, 1);
    await line(({ certificate }) => certificate === 'spiffe://cluster/caller');
  });

  it('counts connections before their handshake', async (t) => {
    const { listening } = await start(t, options, { connections: 4 });
    const silent = Array.from({ length: 4 }, () => connectTcp(listening.port, '127.0.0.1'));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const refused = connectTcp(listening.port, '127.0.0.1');
    await once(refused.resume(), 'close');
    for (const socket of silent) socket.destroy();
    await until(
      async () =>
        (await client(t, listening.port)
          .call('ServerLive')
          .catch(() => undefined)) !== undefined,
    );
  });

  it('takes a new certificate for new connections, and open ones go on', async (t) => {
    const dir = folder();
    const files = { tlsCertFile: join(dir, 'tls.crt'), tlsKeyFile: join(dir, 'tls.key') };
    const write = (from: TlsPair): void => {
      writeFileSync(files.tlsCertFile, readFileSync(from.certificate));
      writeFileSync(files.tlsKeyFile, readFileSync(from.key));
    };
    write(pair);
    const { listening, lines } = await start(t, files);
    const kept = client(t, listening.port);
    await kept.call('ServerLive');
    write(makePair(home, 'other', { kind: 'rsa' }, authority));
    await until(() => lines.filter(({ msg }) => msg === 'TLS certificate loaded').length === 2);
    const fresh = await secure(listening.port, { ALPNProtocols: ['h2'] });
    assert.equal(fresh.getPeerCertificate().subject.CN, 'other');
    fresh.destroy();
    await kept.call('ServerLive');
  });

  it('closes: ends unfinished handshakes at once, and a session that is new', async (t) => {
    const { listening } = await start(t, options);
    const session = connectHttp2(`https://127.0.0.1:${listening.port}`, { ca });
    await once(session, 'connect');
    const unfinished = connectTcp(listening.port, '127.0.0.1');
    await once(unfinished, 'connect');
    const closing = listening.close();
    await once(session, 'close');
    listening.closeAll();
    await once(unfinished.resume(), 'close');
    await closing;
  });

  it('closes without closeAll, also while clients have no session: silent ones, and one without HTTP/2', async (t) => {
    const { listening } = await start(t, options);
    const silent = connectTcp(listening.port, '127.0.0.1');
    await once(silent, 'connect');
    const other = await secure(listening.port, { allowHalfOpen: true } as ConnectionOptions);
    const drip = setInterval(() => other.write('x'), 50);
    t.after(() => clearInterval(drip));
    other.on('error', () => undefined).resume();
    silent.resume();
    const started = performance.now();
    await listening.close();
    assert.ok(performance.now() - started < 5000);
  });
});
