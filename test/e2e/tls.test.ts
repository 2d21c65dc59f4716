import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { folder } from '../set-up/folder.ts';
import { makeAuthority, makePair, openssl, type TlsPair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';
import { freePort } from './free-port.ts';
import { type Line, ServerProcess } from './start-server.ts';
import { TlsLoad } from './tls-load.ts';

const home = folder();
const authority = makeAuthority(home, 'authority');
const ca = readFileSync(authority.certificate);
const ec = makePair(home, 'ec', {}, authority);
const rsa = makePair(home, 'rsa', { kind: 'rsa' }, authority);

const tls = ({ certificate, key }: TlsPair): Record<string, string> => ({
  TLS_CERT_FILE: certificate,
  TLS_KEY_FILE: key,
  HEALTH_PORT: '0',
});

/** Lines of the keys that the server read. */
const secrets = [ec, rsa].flatMap(({ key }) => readFileSync(key, 'utf8').split('\n').slice(1, -2));

/** Starts a server, and asserts that nothing of a key leaves it. */
async function serve(env: Record<string, string>, run: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = new ServerProcess(['--entry-script', 'echo.ts'], { env: { AZUREML_LOG_LEVEL: 'debug', ...env } });
  try {
    await run(server);
  } finally {
    await server.stop();
    const written = JSON.stringify(server.lines) + server.stderr;
    for (const secret of secrets) assert.ok(!written.includes(secret), 'a line of the private key is in the output');
  }
}

const portsOf = async (server: ServerProcess): Promise<number[]> => (await server.said('listening'))['ports'] as number[];

describe('the server does not start', () => {
  const cases: [why: string, env: Record<string, string>, text: string][] = [
    [
      'a certificate without a key',
      { TLS_CERT_FILE: ec.certificate },
      'TLS_CERT_FILE: expected TLS_KEY_FILE too, the private key of the certificate',
    ],
    ['a key without a certificate', { TLS_KEY_FILE: ec.key }, 'TLS_KEY_FILE: expected TLS_CERT_FILE too, the certificate of the key'],
    [
      'authorities without a certificate',
      { TLS_CLIENT_CA_FILE: authority.certificate },
      'TLS_CLIENT_CA_FILE: expected TLS_CERT_FILE and TLS_KEY_FILE too: clients send certificates only over TLS',
    ],
  ];
  for (const [why, env, text] of cases)
    test(`${why}: exit 2, before anything is started`, () =>
      serve(env, async (server) => {
        assert.deepEqual(await server.exited, { code: 2, signal: null });
        assert.equal(server.stderr, `scoring-server cannot start:\n  ${text}\n`);
      }));

  test('files that do not fit: exit 2, and one line that names them', () =>
    serve({ ...tls(ec), TLS_KEY_FILE: rsa.key }, async (server) => {
      assert.deepEqual(await server.exited, { code: 2, signal: null });
      const [line] = server.linesWith('TLS_');
      assert.deepEqual(
        [line?.['level'], line?.['code'], line?.['exitCode'], line?.msg],
        [
          'fatal',
          'usage',
          2,
          `TLS_KEY_FILE: expected the private key of the first certificate of ${ec.certificate}; the key of ${rsa.key} belongs to another one`,
        ],
      );
    }));
});

test('a certificate that has ended is a warning, and clients decide', async () => {
  const ended = { certificate: join(home, 'ended.crt'), key: ec.key };
  const wanted = join(home, 'ended.csr');
  openssl('req', '-new', '-key', ec.key, '-subj', '/CN=ended', '-out', wanted);
  openssl('x509', '-req', '-in', wanted, '-signkey', ec.key, '-days', '-1', '-out', ended.certificate);
  await serve(tls(ended), async (server) => {
    await server.ready();
    assert.equal(server.lines.filter(({ level, msg }) => level === 'warn' && /^the TLS certificate ended \d{4}-/.test(msg)).length, 1);
  });
});

describe('openssl s_client', () => {
  interface Agreed {
    readonly code: number | null;
    readonly text: string;
  }
  const client = (port: number, args: readonly string[], input = 'Q'): Agreed => {
    const { status, stdout, stderr } = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], {
      input,
      encoding: 'utf8',
    });
    return { code: status, text: stdout + stderr };
  };
  const weak = 'ALL:@SECLEVEL=0';

  for (const [kind, pair] of [
    ['ECDSA', ec],
    ['RSA', rsa],
  ] as const)
    test(`gets TLS 1.2 and 1.3 with modern ciphers only: ${kind}`, async () =>
      serve({ ...tls(pair), GRPC_PORT: String(await freePort()) }, async (server) => {
        const [port = 0] = await portsOf(server);
        const grpc = Number((await server.said('listening for gRPC'))['port']);
        for (const each of [port, grpc]) {
          for (const version of ['-tls1', '-tls1_1'])
            assert.match(client(each, [version, '-cipher', weak]).text, /alert protocol version|no protocols available/, version);
          assert.match(client(each, ['-tls1_2']).text, new RegExp(`TLSv1\\.2, Cipher is ECDHE-${kind}-AES128-GCM-SHA256`));
          assert.match(client(each, ['-tls1_3']).text, /TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256/);
          for (const cipher of [
            'ECDHE-ECDSA-AES128-SHA',
            'ECDHE-RSA-AES128-SHA256',
            'DHE-RSA-AES128-GCM-SHA256',
            'AES128-GCM-SHA256',
            'AES256-SHA',
          ])
            assert.match(client(each, ['-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`]).text, /alert handshake failure/, cipher);
          // The order of the server counts, not that of the client.
          const reversed = `ECDHE-${kind}-CHACHA20-POLY1305:ECDHE-${kind}-AES128-GCM-SHA256`;
          assert.match(client(each, ['-tls1_2', '-cipher', reversed]).text, new RegExp(`Cipher is ECDHE-${kind}-AES128-GCM-SHA256`));
        }
        assert.match(client(port, ['-alpn', 'h2,http/1.1']).text, /ALPN protocol: http\/1\.1/);
        assert.match(client(port, ['-alpn', 'h2']).text, /alert no application protocol/);
        assert.match(client(grpc, ['-alpn', 'h2']).text, /ALPN protocol: h2/);
        assert.match(client(grpc, ['-alpn', 'http/1.1']).text, /alert no application protocol/);
        assert.match(
          client(port, ['-CAfile', authority.certificate, '-verify_hostname', 'localhost', '-verify_return_error']).text,
          /Verify return code: 0/,
        );
        assert.match(client(port, ['-tls1_2'], 'R\n').text, /no renegotiation/);
        assert.deepEqual(
          server.lines.filter(({ level }) => level !== 'info' && level !== 'debug'),
          [],
        );
      }));
});

describe('under load of kept and of new connections, no request fails', () => {
  const loaded = (line: Line): boolean => line.msg === 'TLS certificate loaded';

  test('while the certificate changes: by a write, by a rename, by a link', async () => {
    const dir = folder();
    const mount = (version: string, { certificate, key }: TlsPair): void => {
      mkdirSync(join(dir, version));
      writeFileSync(join(dir, version, 'tls.crt'), readFileSync(certificate));
      writeFileSync(join(dir, version, 'tls.key'), readFileSync(key));
      symlinkSync(version, join(dir, '..new'));
      renameSync(join(dir, '..new'), join(dir, '..data'));
    };
    mount('..1', ec);
    const files = { certificate: join(dir, 'tls.crt'), key: join(dir, 'tls.key') };
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(dir, name));
    await serve({ ...tls(files), GRPC_PORT: String(await freePort()) }, async (server) => {
      await server.ready();
      const [port = 0] = await portsOf(server);
      const load = new TlsLoad(ca, port, Number((await server.said('listening for gRPC'))['port']));
      const changes: (() => void)[] = [
        () => mount('..2', rsa),
        () => {
          for (const name of ['certificate', 'key'] as const) {
            writeFileSync(join(dir, 'next'), readFileSync(ec[name]));
            renameSync(join(dir, 'next'), files[name]);
          }
        },
        () => {
          for (const name of ['certificate', 'key'] as const) writeFileSync(files[name], readFileSync(rsa[name]));
        },
      ];
      for (const [at, change] of changes.entries()) {
        await load.more(20);
        change();
        await until(() => server.lines.filter(loaded).length === at + 2);
        await load.more(20);
        assert.equal(load.subject, at === 1 ? 'ec' : 'rsa');
      }
      // A pair that does not fit changes nothing.
      writeFileSync(files.key, readFileSync(ec.key));
      await server.said('stays as it is');
      await load.more(20);
      assert.equal(load.subject, 'rsa');
      await load.end();
      assert.deepEqual(load.failures, []);
    });
  });

  test('while the server drains', () =>
    serve(tls(rsa), async (server) => {
      await server.ready();
      const [port = 0] = await portsOf(server);
      const load = new TlsLoad(ca, port);
      await load.more(100);
      server.child.kill('SIGTERM');
      await server.exited.then((exit) => assert.deepEqual(exit, { code: 0, signal: null }));
      await load.end();
      // The port is closed: those clients have sent nothing.
      assert.deepEqual(
        load.failures.filter((failure) => failure !== 'ECONNREFUSED'),
        [],
      );
    }));
});
