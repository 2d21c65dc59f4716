import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { closed } from '../e2e/closed.ts';
import { ServerProcess, withServer } from '../e2e/start-server.ts';
import { parse, rest, until } from '../http/raw-client.ts';

const POST = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

/**
 * Undefined: the port is closed. The kernel resets a connection that was made within microseconds
 * of that, before anything is sent.
 */
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

for (const [signal, delayMs] of [
  ['SIGTERM', '300'],
  ['SIGINT', '0'],
] as const) {
  test(`under ${signal} each new connection is refused, or gets its answer: at most one is reset, by the kernel`, () =>
    withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        const port = await server.port();
        let answered = 0;
        let reset = 0;
        const busy = Promise.withResolvers<void>();
        /** Connects anew for each request, until the port is closed. */
        const client = async (): Promise<void> => {
          for (let socket = await open(port); socket !== undefined; socket = await open(port)) {
            socket.write(POST.replace('Host: x', 'Host: x\r\nConnection: close'));
            try {
              assert.equal(parse(await rest(socket)).status, 200);
              answered++;
              if (answered === 100) busy.resolve();
            } catch (thrown) {
              if ((thrown as NodeJS.ErrnoException).code !== 'ECONNRESET') throw thrown;
              reset++;
            }
          }
        };
        const clients = Promise.all(Array.from({ length: 16 }, client));
        await Promise.race([clients, busy.promise]);
        server.child.kill(signal);
        await clients;
        assert.equal((await server.exited).code, 0);
        assert.ok(answered >= 100, `${answered} requests`);
        // One may be made between the last accept() and close(), which no program can join.
        assert.ok(reset <= 1, `${reset} of ${answered + reset} were reset`);
      },
      { env: { DRAIN_DELAY_MS: delayMs, ACCESS_LOG: 'false' } },
    ));
}

/** The server waits for a second after its listener has stopped. */
const LONGEST_ASK_MS = 500;

/**
 * Connections that ask once more when the listener has stopped; undefined: this machine was too
 * slow to ask in time.
 */
async function askLate(server: ServerProcess): Promise<string[] | undefined> {
  await server.ready();
  const port = await server.port();
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
  await closed(port);
  const began = performance.now();
  const settled = await Promise.allSettled(
    [...idle, ...silent].map((socket) => {
      socket.write(POST);
      return rest(socket);
    }),
  );
  if (performance.now() - began > LONGEST_ASK_MS && settled.some(({ status }) => status === 'rejected')) return undefined;
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

test('requests on idle and silent connections after the listener has stopped are answered with Connection: close', async () => {
  const attempt = async (): Promise<string[] | undefined> => {
    const server = new ServerProcess(['--entry-script', 'echo.ts'], { env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' } });
    try {
      const answers = await askLate(server);
      assert.equal((await server.exited).code, 0);
      return answers;
    } finally {
      await server.stop();
    }
  };
  const answers = (await attempt()) ?? (await attempt()) ?? (await attempt());
  assert.ok(answers !== undefined, 'this machine is too slow');
  for (const answer of answers) {
    const { status, headers } = parse(answer);
    assert.deepEqual([status, headers['connection']], [200, 'close']);
  }
});
