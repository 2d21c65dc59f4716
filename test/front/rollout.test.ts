import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it, type TestContext } from 'node:test';
import { ServerProcess, withServer } from '../e2e/start-server.ts';
import { until } from '../set-up/until.ts';
import { clients, type LoadClient, type Tally } from './clients.ts';
import { type Kind, missing, Proxy } from './proxies.ts';

const SERVICE = fileURLToPath(new URL('service.cfg', import.meta.url));
const QUIET = { env: { ACCESS_LOG: 'false' } };
/** Answers of a server that show that the load is under way. */
const UNDER_WAY = 150;

const here = Object.entries(clients).filter(([, client]) => client.missing === false);

/** The clients of this machine, which are built before the tests. */
class Clients {
  readonly #clients: readonly (readonly [name: string, client: LoadClient])[];

  private constructor(opened: Clients['clients']) {
    this.#clients = opened;
  }

  get clients(): readonly (readonly [name: string, client: LoadClient])[] {
    return this.#clients;
  }

  /** End after the test. */
  static async open(t: TestContext, url: string): Promise<Clients> {
    const opened = await Promise.all(here.map(async ([name, { open }]) => [name, await open(url)] as const));
    t.after(() => Promise.all(opened.map(([, client]) => client.end())));
    return new Clients(opened);
  }

  start(): void {
    for (const [, client] of this.#clients) client.start();
  }

  /** The tally of each client by its name. */
  async stop(): Promise<Record<string, Tally>> {
    return Object.fromEntries(await Promise.all(this.#clients.map(async ([name, client]) => [name, await client.stop()] as const)));
  }
}

const answered = (server: ServerProcess): Promise<number> => server.metric('scoring_requests_total{route="/score",code="200"}');

/** Resolves when the server has answered requests of a load from now on. */
async function underWay(server: ServerProcess): Promise<void> {
  const before = await answered(server);
  await until(async () => (await answered(server)) >= before + UNDER_WAY);
}

/** Asserts that every answer of every client is one of these statuses. */
function assertOnly(statuses: readonly string[], tallies: Record<string, Tally>): void {
  assert.deepEqual(
    Object.keys(tallies),
    here.map(([name]) => name),
  );
  for (const [name, tally] of Object.entries(tallies)) {
    assert.ok((tally['200'] ?? 0) > 0, `${name}: ${JSON.stringify(tally)}`);
    for (const key of Object.keys(tally)) assert.ok(statuses.includes(key), `${name}: ${JSON.stringify(tally)}`);
  }
}

const fronts: Record<string, { readonly kind: Kind; readonly file?: string }> = {
  haproxy: { kind: 'haproxy' },
  nginx: { kind: 'nginx' },
  'a Service, which hands on whole connections': { kind: 'haproxy', file: SERVICE },
};

describe('a rollout', () => {
  for (const [name, client] of Object.entries(clients)) if (client.missing !== false) it(`is seen by ${name}`, { skip: client.missing });

  for (const [name, { kind, ...config }] of Object.entries(fronts))
    it(`behind ${name} loses no request, under load and on idle connections`, { skip: missing(kind) }, async (t) => {
      const [busy, idle, last] = await Promise.all(
        ['busy', 'idle', 'last'].map(() => new ServerProcess(['--entry-script', 'echo.ts'], QUIET).ready()),
      );
      t.after(() => Promise.all([busy!.stop(), idle!.stop(), last!.stop()]));
      const servers = await Promise.all([busy!.port(), idle!.port(), last!.port()]);
      const proxy = await Proxy.start(t, kind, { servers, ...config });
      const load = await Clients.open(t, proxy.url('/score'));
      load.start();
      await underWay(busy!);
      await busy!.drain();
      await underWay(last!);
      assertOnly(['200'], await load.stop());
      // The clients and the proxy keep connections to it that nobody uses now.
      await idle!.drain();
      load.start();
      await underWay(last!);
      assertOnly(['200'], await load.stop());
    });
});

describe('the replacement of a worker', () => {
  it('that ends while no request runs loses none', (t) =>
    withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        const load = await Clients.open(t, await server.url('/score'));
        for (let round = 1; round <= 3; round++) {
          load.start();
          await underWay(server);
          assertOnly(['200'], await load.stop());
          process.kill(server.workers.at(-1)!, 'SIGKILL');
          load.start();
          await until(() => server.workers.length > round);
          await underWay(server);
          assertOnly(['200'], await load.stop());
        }
      },
      QUIET,
    ));

  for (const workers of [1, 2])
    it(`of ${workers} that ends under load costs what it held: 503 with Retry-After, and no connection`, (t) =>
      withServer(
        ['--entry-script', 'echo.ts', '--worker-count', String(workers)],
        async (server) => {
          await server.ready();
          const load = await Clients.open(t, await server.url('/score'));
          load.start();
          for (let round = 1; round <= 3; round++) {
            await underWay(server);
            process.kill(server.workers.at(-1)!, 'SIGKILL');
            await until(() => server.workers.length >= workers + round);
          }
          await underWay(server);
          const tallies = await load.stop();
          assertOnly(['200', '503'], tallies);
          const refused = Object.values(tallies).reduce((sum, tally) => sum + (tally['503'] ?? 0), 0);
          assert.ok(refused <= 3 * 4 * here.length, `${refused} requests were lost: more than there were connections`);
        },
        QUIET,
      ));
});
