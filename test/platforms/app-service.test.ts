import assert from 'node:assert/strict';
import test from 'node:test';
import { asOtherUser } from '../e2e/other-user.ts';
import { freePort } from '../e2e/free-port.ts';
import { until } from '../set-up/until.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';

/** App Service chooses the port by itself: only the address is the test's. */
const flags = ['--host', '127.0.0.1'];
const WARM_UP = '/robots933456.txt';
const JSON_TYPE = { 'content-type': 'application/json' };
const KEY = '1234567890123456';
/** A script that is ready at once, and one whose `init()` never ends. */
const [READY, STARTS] = ['echo.ts', 'init-hangs.ts'];

const site = { WEBSITE_SITE_NAME: 'my-app', WEBSITE_INSTANCE_ID: 'abc', WEBSITE_SKU: 'Basic', HOME: '/home', SERVER_PORT: '80' };

interface App {
  readonly script?: string;
  readonly settings?: Record<string, string>;
}

/** The app settings arrive as variables, under two names each. */
async function withApp({ script = READY, settings = {} }: App, play: (server: ServerProcess, at: string) => Promise<void>): Promise<void> {
  const port = String(await freePort());
  const given = { WEBSITES_PORT: port, PORT: port, AZUREML_ENTRY_SCRIPT: script, ...settings };
  const seconds = Object.fromEntries(Object.entries(given).map(([name, value]) => [`APPSETTING_${name}`, value]));
  await withServer([], (server) => play(server, `http://127.0.0.1:${port}`), { flags, env: { ...site, ...seconds, ...given } });
}

/** Asks as the platform does, until the port is open. */
async function statusOf(address: string): Promise<number> {
  let status = 0;
  await until(async () => {
    const answer = await fetch(address).catch(() => undefined);
    await answer?.arrayBuffer();
    status = answer?.status ?? 0;
    return status !== 0;
  });
  return status;
}

const warnings = (server: ServerProcess): string[] =>
  server.lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ msg }) => msg);

test('a web app listens where WEBSITES_PORT says, warms up without an error in the log, scores, and drains', async () => {
  await withApp({ settings: { SCORING_KEYS: KEY } }, async (server, at) => {
    assert.ok([200, 503].includes(await statusOf(at + WARM_UP)));
    await server.ready();
    assert.equal(await statusOf(at + WARM_UP), 200);
    assert.equal((await server.said('profile app-service'))['profile'], 'app-service');
    const answer = await fetch(`${at}/score`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { ...JSON_TYPE, Authorization: `Bearer ${KEY}` },
    });
    assert.deepEqual([answer.status, await answer.json()], [200, { a: 1 }]);
    assert.equal((await fetch(`${at}/score`, { method: 'POST', body: '{}' })).status, 401);
    assert.equal(await statusOf(at), 200, 'Always On asks for /');
    assert.deepEqual(
      warnings(server).filter((msg) => !msg.includes('SERVER_PORT')),
      [],
    );
    assert.ok(server.lines.every((line) => line['path'] !== WARM_UP && !JSON.stringify(line).includes(`GET ${WARM_UP}`)));
    await server.drain();
  });
});

test('the port is PORT where only that is set, and 80 where nothing is', async () => {
  await withApp({ settings: { WEBSITES_PORT: '' } }, async (_server, at) => assert.ok((await statusOf(at + WARM_UP)) > 0));
  const env = { ...site, AZUREML_ENTRY_SCRIPT: READY };
  await withServer(
    [],
    async (server) => {
      const { code } = await server.exited;
      assert.equal(code, 2);
      const reason = server.lines.at(-1)?.msg ?? '';
      assert.match(reason, /cannot listen on 127\.0\.0\.1:80: this user may not open the port: choose one above 1023 with WEBSITES_PORT/);
    },
    { flags, env, ...asOtherUser },
  );
});

test('a container that starts answers 503 to the warm-up, which counts unless WEBSITE_WARMUP_STATUSES says otherwise', async () => {
  await withApp({ script: STARTS }, async (server, at) => {
    assert.equal(await statusOf(at + WARM_UP), 503);
    await server.said('listening');
    assert.deepEqual(server.linesWith('INIT_TIMEOUT_MS'), []);
  });
  const settings = { WEBSITE_WARMUP_STATUSES: '200,202', WEBSITES_CONTAINER_START_TIME_LIMIT: '120' };
  await withApp({ script: STARTS, settings }, async (server, at) => {
    assert.equal(await statusOf(at + WARM_UP), 503);
    const { msg } = await server.said('WEBSITES_CONTAINER_START_TIME_LIMIT');
    assert.match(msg, /init\(\) may take 300 s .* not ready after 120 s/);
  });
});

for (const path of ['/api/warm', 'api/warm', '/warm?full=1', '/a:b(*', '/health/ready', '/score'])
  test(`the warm-up path ${path} answers 200 once the workers are ready, without a key`, async () => {
    const settings = { WEBSITE_WARMUP_PATH: path, WEBSITE_WARMUP_STATUSES: '200', SCORING_KEYS: KEY };
    await withApp({ settings }, async (server, at) => {
      await server.ready();
      assert.equal(await statusOf(`${at}/${path.replace(/^\//, '')}`), 200);
    });
  });

for (const path of ['https://a.example/warm', '/a b', '/%zz'])
  test(`a warm-up path that is no path ends the start with 2: ${path}`, async () => {
    await withApp({ settings: { WEBSITE_WARMUP_PATH: path } }, async (server) => {
      assert.equal((await server.exited).code, 2);
      assert.match(server.stderr, /WEBSITE_WARMUP_PATH: expected a path as a request has it, such as \/health\/ready/);
    });
  });

test('an app without a key says at its start that everybody may call it', async () => {
  await withApp({}, async (server) => {
    await server.said('Azure App Service checks no key of this server, and no key is set');
  });
});

test('scripts get the second name of no secret', async () => {
  await withApp({ script: 'environment.ts', settings: { SCORING_KEYS: KEY, COLOUR: 'red' } }, async (server, at) => {
    await server.ready();
    const names = ['COLOUR', 'APPSETTING_COLOUR', 'SCORING_KEYS', 'APPSETTING_SCORING_KEYS'];
    const answer = await fetch(`${at}/score`, { method: 'POST', body: JSON.stringify(names), headers: { ...JSON_TYPE, 'api-key': KEY } });
    assert.deepEqual(await answer.json(), { COLOUR: 'red', APPSETTING_COLOUR: 'red' });
  });
});
