import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { parse, rest, until } from '../http/raw-client.ts';

const POST = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

/** Undefined: the port is closed. The kernel resets a connection that was made within microseconds of that, before anything is sent. */
async function open(port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return socket;
  } catch (thrown) {
    assert.match((thrown as NodeJS.ErrnoException).code ?? '', /^ECONN(?:REFUSED|RESET)$/);
    return undefined;
  }
}

/** Whether a new connection is taken at once. One that the kernel drops tries again after a second, which is the whole grace period. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setTimeout(100);
  const taken = await new Promise<boolean>((resolve) => {
    socket
      .once('connect', () => resolve(true))
      .once('timeout', () => resolve(false))
      .once('error', () => resolve(false));
  });
  socket.destroy();
  return taken;
}

for (const [signal, delayMs] of [
  ['SIGTERM', '300'],
  ['SIGINT', '0'],
] as const) {
  test(`under ${signal} each new connection is refused, or gets its answer: none is reset`, () =>
    withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        const port = Number(new URL(await server.url()).port);
        let answered = 0;
        let reset = 0;
        /** Connects anew for each request, until the port is closed. */
        const client = async (): Promise<void> => {
          for (let socket = await open(port); socket !== undefined; socket = await open(port)) {
            socket.write(POST.replace('Host: x', 'Host: x\r\nConnection: close'));
            try {
              assert.equal(parse(await rest(socket)).status, 200);
              answered++;
            } catch (thrown) {
              if ((thrown as NodeJS.ErrnoException).code !== 'ECONNRESET') throw thrown;
              reset++;
            }
          }
        };
        const clients = Promise.all(Array.from({ length: 16 }, client));
        await Promise.race([clients, new Promise((resolve) => setTimeout(resolve, 300))]);
        server.child.kill(signal);
        await clients;
        assert.equal((await server.exited).code, 0);
        assert.ok(answered >= 16, `${answered} requests`);
        // One may be made between the last accept() and close(), which no program can join.
        assert.ok(reset <= 1, `${reset} of ${answered + reset} were reset`);
      },
      { env: { DRAIN_DELAY_MS: delayMs, ACCESS_LOG: 'false' } },
    ));
}

test('idle and silent connections that ask once more when the listener has stopped are answered, and told to close', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const port = Number(new URL(await server.url()).port);
      const connected = async (): Promise<Socket> => {
        const socket = await open(port);
        assert.ok(socket !== undefined);
        return socket;
      };
      const idle = await Promise.all(Array.from({ length: 8 }, connected));
      await Promise.all(
        idle.map(async (socket) => {
          const answer = until(socket, '{}');
          socket.write(POST);
          await answer;
        }),
      );
      const silent = await Promise.all(Array.from({ length: 8 }, connected));
      server.child.kill('SIGTERM');
      while (await accepts(port));
      const answers = await Promise.all(
        [...idle, ...silent].map((socket) => {
          socket.write(POST);
          return rest(socket);
        }),
      );
      for (const answer of answers) {
        const { status, headers } = parse(answer);
        assert.deepEqual([status, headers['connection']], [200, 'close']);
      }
      assert.equal((await server.exited).code, 0);
    },
    { env: { DRAIN_DELAY_MS: '0' } },
  ));
