import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { SCRIPTS, ServerProcess, withServer } from './start-server.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const [OLD, STAYS, NEW] = ['S3cretMark-old-old', 'S3cretMark+/stays/AA==', 'S3cretMark-new-new'];
/** From a change of the file to the first request that it decides. */
const COUNTS_WITHIN_MS = 3000;

/** Requests with one key, one after the other, until they are stopped. */
class Traffic {
  readonly statuses: number[] = [];
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(send: () => Promise<number>) {
    this.#done = this.#run(send);
  }

  async stop(): Promise<readonly number[]> {
    this.#stopped = true;
    await this.#done;
    return this.statuses;
  }

  async #run(send: () => Promise<number>): Promise<void> {
    while (!this.#stopped) this.statuses.push(await send());
  }
}

/** One connection that is kept. */
function overOneConnection(url: string, agent: Agent, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/score`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on('error', reject).end('{}');
  });
}

type Change = (path: string) => void;

/** Each way to hand over new keys: what is there at first, and how it changes. */
const ways: Readonly<Record<string, { readonly set: Change; readonly change: Change }>> = {
  'a file is written in place': {
    set: (path) => writeFileSync(path, `old:${OLD}\nstays:${STAYS}\n`),
    change: (path) => writeFileSync(path, `# rotated\nnew:${NEW}\nstays:${STAYS}\n`),
  },
  'a file is replaced by a rename': {
    set: (path) => writeFileSync(path, `old:${OLD}\nstays:${STAYS}\n`),
    change: (path) => {
      writeFileSync(`${path}.tmp`, `new:${NEW}\nstays:${STAYS}\n`);
      renameSync(`${path}.tmp`, path);
    },
  },
  'a Secret of Kubernetes changes its links': {
    set: (path) => {
      mkdirSync(path);
      publish(path, '..1', { old: OLD, stays: STAYS });
      for (const name of ['old', 'stays']) symlinkSync(`..data/${name}`, join(path, name));
    },
    change: (path) => {
      publish(path, '..2', { new: NEW, stays: STAYS });
      symlinkSync('..data/new', join(path, 'new'));
      rmSync(join(path, 'old'));
      rmSync(join(path, '..1'), { recursive: true });
    },
  },
};

/** As the kubelet does: a new folder, then one rename of the link that leads to it. */
function publish(path: string, version: string, keys: Readonly<Record<string, string>>): void {
  mkdirSync(join(path, version));
  for (const [name, key] of Object.entries(keys)) writeFileSync(join(path, version, name), key);
  symlinkSync(version, join(path, '..data_tmp'));
  renameSync(join(path, '..data_tmp'), join(path, '..data'));
}

for (const [name, { set, change }] of Object.entries(ways))
  test(`keys rotate under load without a failed request: ${name}`, async (t) => {
    const path = join(folder(), 'keys');
    set(path);
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        t.after(() => agent.destroy());
        const url = await server.url();
        const traffic = [
          new Traffic(async () => (await server.score({}, { authorization: `Bearer ${STAYS}` })).status),
          new Traffic(() => overOneConnection(url, agent, { 'x-api-key': STAYS })),
        ];
        await until(() => traffic.every(({ statuses }) => statuses.length > 20));
        assert.deepEqual(
          [(await server.score({}, { 'api-key': OLD })).status, (await server.score({}, { 'api-key': NEW })).status],
          [200, 401],
        );
        change(path);
        const changed = performance.now();
        await until(async () => (await server.score({}, { 'api-key': OLD })).status === 401);
        const ms = performance.now() - changed;
        assert.equal((await server.score({}, { 'api-key': NEW })).status, 200);
        t.diagnostic(`the removed key was refused after ${Math.round(ms)} ms`);
        assert.ok((await server.metric('server_key_requests_total{key="stays"}')) > 20);
        assert.equal(await server.metric('server_key_requests_total{key="old"}'), 0);
        assert.ok((await server.metric('server_access_refused_total{reason="wrong"}')) > 0);
        assert.ok(ms < COUNTS_WITHIN_MS, `${ms} ms`);
        for (const statuses of await Promise.all(traffic.map((each) => each.stop()))) assert.deepEqual(new Set(statuses), new Set([200]));
        const { added, removed, keys } = await server.said('the keys were read again');
        assert.deepEqual(
          { added, removed, keys: (keys as string[]).toSorted() },
          { added: ['new'], removed: ['old'], keys: ['new', 'stays'] },
        );
        assert.doesNotMatch(JSON.stringify(server.lines), /S3cretMark/);
      },
      { env: { SCORING_KEYS_FILE: path } },
    );
  });

test('a file of keys that becomes wrong or is lost leaves the keys as they are', async () => {
  const path = join(folder(), 'keys');
  writeFileSync(path, `stays:${STAYS}`);
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const refusals = (): number => server.linesWith('SCORING_KEYS_FILE cannot be used').length;
      for (const [index, spoil] of [() => writeFileSync(path, 'S3cretMark'), () => writeFileSync(path, ''), () => rmSync(path)].entries()) {
        spoil();
        await until(() => refusals() === index + 1);
        assert.equal((await server.score({}, { 'api-key': STAYS })).status, 200);
        assert.equal((await server.score({})).status, 401);
      }
      await server.drain();
      assert.equal(refusals(), 3);
      assert.doesNotMatch(JSON.stringify(server.lines) + server.stderr, /S3cretMark/);
    },
    { env: { SCORING_KEYS_FILE: path } },
  );
});

test('keys that cannot be used end the start with exit code 2 and a text that shows none', () => {
  const dir = folder();
  writeFileSync(join(dir, 'short'), 'S3cretMark');
  writeFileSync(join(dir, 'twice'), 'web:S3cretMark-S3cretMark');
  for (const [env, expected] of [
    [{ SCORING_KEYS: 'web:S3cretMark' }, /SCORING_KEYS: key 1: expected .*openssl rand -base64 32/],
    [{ SCORING_KEYS: 'S3cretMark-S3cretMark,S3cretMark-S3cretMark' }, /primary and secondary are the same key/],
    [{ SCORING_KEYS_FILE: join(dir, 'missing') }, /SCORING_KEYS_FILE: expected a file, .*missing does not exist/],
    [{ SCORING_KEYS_FILE: join(dir, 'short') }, /short: line 1: expected .*openssl rand -base64 32/],
    [{ SCORING_KEYS_FILE: join(dir, 'twice'), SCORING_KEYS: 'web:S3cretMark+S3cretMark' }, /web is there twice/],
    [{ METRICS_KEY_REQUIRED: 'true' }, /METRICS_KEY_REQUIRED: expected SCORING_KEYS/],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [MAIN, '--port', '0', '--host', '127.0.0.1', '--entry-script', 'echo.ts'],
      {
        cwd: SCRIPTS,
        env: { ...process.env, ...env },
        encoding: 'utf8',
        timeout: 60_000,
      },
    );
    assert.equal(status, 2, stdout + stderr);
    assert.match(stdout + stderr, expected);
    assert.doesNotMatch(stdout + stderr, /S3cretMark/);
  }
});

test('the start says who may call', async () => {
  for (const [args, env, expected] of [
    [['--host', '0.0.0.0'], {}, 'everybody who reaches the port may call: set SCORING_KEYS'],
    [[], { SCORING_KEYS: `web:${OLD},${NEW}` }, 'callers need a key or token, except for probes'],
  ] as const)
    await withServer(
      ['--entry-script', 'echo.ts', ...args],
      async (server) => {
        const line = await server.said(expected);
        if ('SCORING_KEYS' in env) assert.deepEqual(line['keys'], ['web', 'primary']);
      },
      { env },
    );
  await withServer(['--entry-script', 'echo.ts'], async (server) => {
    await server.ready();
    assert.deepEqual(server.linesWith('may call'), []);
  });
});

const SHOWS_HEADERS = `
export function init() {}
export const run = (data, request) => {
  console.log(JSON.stringify(Array.from(request.headers)));
  return Object.fromEntries(request.headers);
};
`;

test('a key is in no log line, metric, error, record, help text or answer', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'score.ts'), SHOWS_HEADERS);
  const env = {
    SCORING_KEYS: `web:${STAYS}`,
    METRICS_KEY_REQUIRED: 'true',
    AZUREML_LOG_LEVEL: 'debug',
    AML_MODEL_DC_STORAGE_ENABLED: 'true',
    MDC_SINK: 'file',
    MDC_DIR: join(dir, 'records'),
    MDC_CAPTURE_HEADERS: 'authorization,api-key,x-api-key,x-tenant',
    ACCESS_LOG_FIELDS: 'client,user-agent',
    DRAIN_DELAY_MS: '0',
  };
  const server = new ServerProcess(['--entry-script', join(dir, 'score.ts')], { env });
  try {
    await server.ready();
    const texts: string[] = [];
    for (const headers of [
      { authorization: `Bearer ${STAYS}`, 'x-tenant': 'a' },
      { 'api-key': STAYS, 'x-api-key': STAYS },
      { 'api-key': `${STAYS}wrong` },
      { authorization: `Basic ${btoa(`me:${STAYS}`)}` },
    ]) {
      texts.push(await (await server.score({ a: 1 }, headers)).text());
      for (const path of ['/metrics', '/none', '/swagger.json'])
        texts.push(await (await fetch(await server.url(path), { headers })).text());
    }
    await server.drain();
    const collected = join(dir, 'records');
    const records = readdirSync(collected, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
    assert.ok(records.length > 0);
    for (const name of records) texts.push(readFileSync(join(collected, name), 'utf8'));
    const help = spawnSync(process.execPath, [MAIN, '--help'], { env: { ...process.env, ...env }, encoding: 'utf8' });
    const all = [...texts, JSON.stringify(server.lines), server.stderr, help.stdout, help.stderr].join('\n');
    // The script answers all headers that it gets, and records have those that may be collected.
    assert.match(texts[0] ?? '', /x-tenant/);
    assert.match(texts.at(-1) ?? '', /x-tenant/);
    // The context of a finding says where it is; the whole text would not.
    assert.equal(/.{0,80}(?:S3cretMark|UzNjcmV0TWFya)/s.exec(all)?.[0], undefined);
  } finally {
    await server.stop();
  }
});
