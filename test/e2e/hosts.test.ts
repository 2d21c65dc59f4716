import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
import { freePort } from './free-port.ts';
import { curlLine } from '../../server/host/curl-line.ts';
import { GrpcClient } from '../grpc/client.ts';
import { type ServerProcess, withServer } from './start-server.ts';

const IPV6 = (networkInterfaces()['lo'] ?? []).some(({ address }) => address === '::1') || 'this machine has no ::1';
const ENV = { LOG_FORMAT: 'json', ACCESS_LOG_FIELDS: 'client', TRUSTED_PROXIES: '::1' };

/** Status of `/readyz` at an address of this machine, or why there is no connection. */
async function ask(host: string, port: number): Promise<number | string> {
  const socket = connect({ host, port, family: host.includes(':') ? 6 : 4 });
  const problem = await once(socket, 'connect').then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (problem !== undefined) return problem;
  socket.destroy();
  const url = host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
  return (await fetch(`${url}/readyz`)).status;
}

/** Runs the server with its host named as operators name it: by the variable or the flag. */
function withHost(host: string, args: readonly string[], check: (server: ServerProcess, port: number) => Promise<void>): Promise<void> {
  return withServer(
    ['--host', host, ...args],
    async (server) => {
      await server.ready();
      await check(server, await server.port());
    },
    { cwd: folder(), env: ENV },
  );
}

test('--host 127.0.0.1 lets in clients of that address only', () =>
  withHost('127.0.0.1', [], async (_server, port) => {
    assert.equal(await ask('127.0.0.1', port), 200);
    assert.equal(await ask('127.0.0.2', port), 'ECONNREFUSED');
    if (IPV6 === true) assert.equal(await ask('::1', port), 'ECONNREFUSED');
  }));

test('--host :: lets in clients of both families, and the log has the addresses of each as they are', { skip: IPV6 !== true && IPV6 }, () =>
  withHost('::', [], async (server, port) => {
    for (const host of ['127.0.0.1', '127.0.0.2', '::1']) assert.equal(await ask(host, port), 200, host);
    for (const [host, forwarded, client] of [
      ['127.0.0.1', undefined, '127.0.0.1'],
      ['[::1]', undefined, '::1'],
      ['[::1]', '2001:db8::7', '2001:db8::7'],
      ['[::1]', '[2001:db8::8]:443', '2001:db8::8'],
      ['[::1]', '::ffff:192.0.2.1', '192.0.2.1'],
      ['127.0.0.1', '2001:db8::9', '127.0.0.1'],
    ] as const) {
      const id = `${host}-${forwarded ?? 'none'}`;
      const headers = { 'x-request-id': id, ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) };
      await (await fetch(`http://${host}:${port}/v2`, { headers })).text();
      assert.equal((await server.line((line) => line['requestId'] === id && 'client' in line))['client'], client, id);
    }
  }),
);

test(
  '--host ::1 serves every port there and none elsewhere, also as the line with curl names it',
  { skip: IPV6 !== true && IPV6 },
  async () => {
    const [metrics, grpc] = [await freePort(), await freePort()];
    await withHost('::1', ['--metrics-port', String(metrics), '--grpc-port', String(grpc)], async (_server, port) => {
      const client = new GrpcClient(`[::1]:${grpc}`);
      assert.deepEqual((await client.call('ServerReady')).message, { ready: true });
      client.client.close();
      assert.equal((await fetch(`http://[::1]:${metrics}/metrics`)).status, 200);
      for (const each of [port, metrics, grpc]) assert.equal(await ask('127.0.0.1', each), 'ECONNREFUSED');
      const command = curlLine({ host: '::1', tlsCertFile: '' }, port, { text: '{"data": [[1,2,3,4,5,6,7,8,9,10]]}' });
      const answer = execFileSync('bash', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      assert.match(answer, /^\[11633\.1/);
    });
  },
);

for (const [name, host, text] of [
  ['a name that no machine has', 'no.such.host.invalid', /no\.such\.host\.invalid:0: no address has this name.*SCORING_HOST/],
  ['an address with brackets', '[::1]', /\[::1\]:0: no address has this name: choose an address, IPv6 without brackets/],
  ['an address of another machine', '2001:db8::1', /\[2001:db8::1\]:0: this machine has no .*SCORING_HOST/],
] as const)
  test(`--host with ${name} ends the server with the reason`, () =>
    withServer(
      ['--host', host],
      async (server) => {
        assert.equal((await server.exited).code, 2);
        assert.match(server.lines.map((line) => JSON.stringify(line)).join('\n'), text);
      },
      { cwd: folder(), env: ENV },
    ));
