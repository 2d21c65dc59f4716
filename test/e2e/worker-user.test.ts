import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { chooseProvider } from '../../server/scoring/provider-choice.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { alive } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { asOtherUser, otherUid, sharedFolder } from './other-user.ts';
import { SCRIPTS, withServer, type ServerProcess, type StartOptions } from './start-server.ts';

const UID = 65_534;
const GID = 65_533;
const USER = { WORKER_USER: `${UID}:${GID}` };
/** Why a test cannot run here; false: it can. */
const notRoot = process.getuid?.() === 0 ? false : 'needs root, which alone may start processes of another user';

const as = (args: readonly string[], use: (server: ServerProcess) => Promise<void>, options: StartOptions = {}): Promise<void> =>
  withServer(args, async (server) => use(await server.ready()), { ...options, env: { ...USER, ...options.env } });

/** The exit code of a server that must not start, and its reason. */
async function refusal(
  options: StartOptions,
  args: readonly string[] = ['--entry-script', 'echo.ts'],
): Promise<{ code: number | null; reason: string }> {
  let result = { code: null as number | null, reason: '' };
  await withServer(
    args,
    async (server) => {
      const { code } = await server.exited;
      result = { code, reason: server.lines.find(({ level }) => level === 'fatal')?.msg ?? server.stderr };
    },
    options,
  );
  return result;
}

test('a script of another user has no way to the host and its files', { skip: notRoot }, async (t) => {
  const [home, spool] = [sharedFolder(t), sharedFolder(t)];
  const keys = join(home, 'keys');
  writeFileSync(keys, 'primary:s3cret\n', { mode: 0o600 });
  const env = { MDC_HTTP_URL: 'http://127.0.0.1:1/', MDC_SPILL_DIR: join(spool, 'waiting') };
  await as(
    ['--entry-script', 'attempts.ts'],
    async (server) => {
      const first = await server.score([['user', '']]);
      assert.deepEqual(await first.json(), [[UID, GID, GID].join()]);
      await until(() => readdirSync(env.MDC_SPILL_DIR).length > 0);
      const [instance = ''] = readdirSync(env.MDC_SPILL_DIR);
      const answer = await server.score([
        ['read', `/proc/${server.pid}/environ`],
        ['list', `/proc/${server.pid}/fd`],
        ['read', `/proc/${server.pid}/mem`],
        ['read', keys],
        ['list', join(env.MDC_SPILL_DIR, instance)],
        ['write', join(home, 'new')],
        ['signal', String(server.pid)],
        // What the host has opened for it stays closed to others.
        ['write', '/proc/self/fd/4'],
        ['variable', 'HOME'],
        ['write', '/tmp/scoring-server-of-a-script'],
      ]);
      assert.deepEqual(await answer.json(), [
        'EACCES',
        'EACCES',
        'EACCES',
        'EACCES',
        'EACCES',
        'EACCES',
        'EPERM',
        'EACCES',
        '/nonexistent',
        'written',
      ]);
    },
    { env },
  );
});

test(
  'a worker of another user is measured, chosen by the kernel first, ended at its deadline, and replaced',
  { skip: notRoot },
  async () => {
    const env = { SCORING_TIMEOUT_MS: '2000', CANCEL_GRACE_MS: '100' };
    await as(
      ['--entry-script', 'starts-children.ts'],
      async (server) => {
        const ids = (await (await server.score('who')).json()) as number[];
        assert.equal(readFileSync(`/proc/${server.workers[0]}/status`, 'latin1').includes(`Uid:\t${UID}\t${UID}\t${UID}\t${UID}`), true);
        const own = Number(readFileSync(`/proc/${server.pid}/oom_score_adj`, 'latin1'));
        assert.equal(Number(readFileSync(`/proc/${server.workers[0]}/oom_score_adj`, 'latin1')), Math.min(1000, own + 500));
        await until(async () => (await server.metric('worker_memory_bytes{worker="0"}')) > 1e6);
        assert.equal((await server.score('spin')).status, 504);
        await until(() => server.workers.length === 2);
        await until(() => ids.every((pid) => !alive(pid)));
        assert.equal((await server.score('who')).status, 200);
        await server.drain();
      },
      { env },
    );
  },
);

test('a busy worker of another user ends with its killed host', { skip: notRoot }, async () => {
  await as(['--entry-script', 'run-spins.ts'], async (server) => {
    const [worker = 0] = server.workers;
    server.score('spin').catch(() => undefined);
    await server.inFlight(1);
    await server.stop();
    await until(() => !alive(worker));
  });
});

test('another user serves a model, the sample and a script with close(), also under the permission model', { skip: notRoot }, async (t) => {
  const cwd = sharedFolder(t);
  const model = writeModel('ridge', cwd);
  for (const env of [{}, { WORKER_PERMISSION_MODEL: 'on' }])
    for (const args of [
      ['--model', model],
      ['--app-root', cwd],
      ['--entry-script', join(SCRIPTS, 'closes-with-model.ts'), '--model', model],
    ])
      await as(args, async (server) => server.drain(), { cwd, env });
});

test('what another user may not read ends the start with 3, and names the user and the cure', { skip: notRoot }, async (t) => {
  const cwd = sharedFolder(t);
  const model = writeModel('ridge', cwd);
  const script = join(cwd, 'score.mjs');
  writeFileSync(script, "import './lib.mjs';\nexport const init = () => {};\nexport const run = () => 1;\n");
  const lib = join(cwd, 'lib.mjs');
  writeFileSync(lib, '');
  const cases = [
    [model, ['--model', model]],
    [script, ['--entry-script', script]],
    [lib, ['--entry-script', script]],
  ] as const;
  for (const [file, args] of cases) {
    chmodSync(file, 0o600);
    const { code, reason } = await refusal({ cwd, env: USER }, args);
    assert.equal(code, 3, reason);
    assert.ok(reason.includes(file), reason);
    assert.match(reason, new RegExp(`[Pp]ermission denied for uid:gid ${UID}:${GID} at .* owner 0:0\\)\\. Allow it with chmod`));
    chmodSync(file, 0o644);
  }
});

test('a Node.js that another user may not run ends the start, with the user and the file', { skip: notRoot }, async (t) => {
  const home = sharedFolder(t);
  chmodSync(home, 0o700);
  const node = join(home, 'node');
  copyFileSync(process.execPath, node);
  const { code, reason } = await refusal({ env: USER, prelude: `shift; set -- ${node} "$@"` });
  assert.equal(code, 3, reason);
  assert.ok(reason.includes(`EACCES (as user ${UID}:${GID} of WORKER_USER, who must be able to execute ${node})`), reason);
});

test('a server that is not root refuses WORKER_USER with exit code 2', async () => {
  const { code, reason } = await refusal({ env: USER, ...asOtherUser });
  assert.equal(code, 2);
  assert.match(
    reason,
    new RegExp(`^WORKER_USER: expected a server that runs as root, got uid ${otherUid}\\. Start it as root \\(docker run --user 0`),
  );
});

const wrong: Record<string, readonly [user: string, told: RegExp]> = {
  'a name that nobody has': ['nobody-of-that-name', /expected a uid, uid:gid or a name of \/etc\/passwd, got "nobody-of-that-name"/],
  'root by its name': ['root', /expected a user other than root/],
  'root by its number': ['0:1000', /expected a user other than root/],
};
for (const [what, [user, told]] of Object.entries(wrong))
  test(`WORKER_USER is refused with exit code 2: ${what}`, { skip: notRoot }, async () => {
    const { code, reason } = await refusal({ env: { WORKER_USER: user } });
    assert.equal(code, 2);
    assert.match(reason, told);
  });

test('a server without a capability that it needs refuses WORKER_USER with exit code 2', { skip: notRoot }, async () => {
  for (const [flag, name] of [
    ['-setuid', 'SETUID'],
    ['-setgid,-kill', 'SETGID, KILL'],
  ] as const) {
    const prelude = `set -- setpriv --bounding-set=${flag} --inh-caps=${flag} "$@"`;
    const { code, reason } = await refusal({ env: USER, prelude });
    assert.equal(code, 2, reason);
    assert.match(reason, new RegExp(`expected the capabilities ${name}, which this server lacks`));
  }
});

test("a user that could change the host's compile cache is refused with exit code 2", { skip: notRoot }, async (t) => {
  const cache = join(sharedFolder(t), 'cache');
  mkdirSync(cache);
  const change: (() => void)[] = [() => chownSync(cache, UID, 0), () => chownSync(cache, 0, GID), () => chmodSync(cache, 0o777)];
  for (const make of change) {
    chownSync(cache, 0, 0);
    chmodSync(cache, 0o775);
    make();
    const { code, reason } = await refusal({ env: { ...USER, NODE_COMPILE_CACHE: cache } });
    assert.equal(code, 2, reason);
    assert.ok(reason.includes(`can change ${cache}`), reason);
  }
});

test('the check of a provider runs as the user of the workers', { skip: notRoot }, async (t) => {
  const cache = sharedFolder(t);
  // Node names the folder of its cache after the uid.
  chmodSync(cache, 0o777);
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const user = { uid: UID, gid: GID, home: '/' };
  await chooseProvider(
    { executionProvider: 'cuda', cudaDeviceIds: [] },
    { env, signal: new AbortController().signal, user, root: folder() },
  ).catch(() => undefined);
  assert.deepEqual(
    readdirSync(cache).map((name) => name.replace(/.*-/, '')),
    [String(UID)],
  );
});
