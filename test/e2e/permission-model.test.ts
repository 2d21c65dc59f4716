import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { alive } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { scriptFolder } from '../worker/script-folder.ts';
import { freePort } from './free-port.ts';
import { SCRIPTS, withServer, type ServerProcess, type StartOptions } from './start-server.ts';

const ON = { WORKER_PERMISSION_MODEL: 'on' };
const EXPORTS = 'export const run = () => 1;\n';
const ROW = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
/** Test files have their folders in the temporary one, so that needs another place. */
const TMPDIR = folder();

const under = (args: readonly string[], use: (server: ServerProcess) => Promise<void>, options: StartOptions = {}): Promise<void> =>
  withServer(args, async (server) => use(await server.ready()), { ...options, env: { ...ON, TMPDIR, ...options.env } });

test('what the permission model does not name, no script reads, lists, writes or runs', async () => {
  const other = folder();
  writeFileSync(join(other, 'data'), 'open');
  await under(['--entry-script', 'attempts.ts'], async (server) => {
    const answer = await server.score([
      ['read', `/proc/${server.pid}/environ`],
      ['read', '/proc/self/environ'],
      ['read', '/etc/shadow'],
      ['read', join(other, 'data')],
      ['list', other],
      ['list', '/'],
      ['write', join(other, 'new')],
      ['write', join(SCRIPTS, 'new')],
      ['run', 'true'],
      ['thread', '/etc/shadow'],
    ]);
    assert.deepEqual(
      await answer.json(),
      Array.from({ length: 10 }, () => 'ERR_ACCESS_DENIED'),
    );
    const allowed = await server.score([
      ['read', join(SCRIPTS, 'echo.ts')],
      ['write', join(TMPDIR, 'new')],
      ['thread', join(SCRIPTS, 'echo.ts')],
    ]);
    assert.deepEqual(await allowed.json(), [
      readFileSync(join(SCRIPTS, 'echo.ts'), 'latin1'),
      'written',
      readFileSync(join(SCRIPTS, 'echo.ts'), 'latin1'),
    ]);
    assert.deepEqual(server.linesWith('SecurityWarning'), []);
    assert.equal(server.stderr, '');
  });
});

test('paths that the options name may be read, or read and written', async () => {
  const [readable, writable] = [folder(), folder()];
  const link = join(folder(), 'link');
  symlinkSync(readable, link);
  writeFileSync(join(readable, 'data'), 'open');
  writeFileSync(join(writable, 'data'), 'open');
  const env = { WORKER_READ_PATHS: `${link}, /etc/hostname`, WORKER_WRITE_PATHS: writable };
  await under(
    ['--entry-script', 'attempts.ts'],
    async (server) => {
      const answer = await server.score([
        ['read', join(link, 'data')],
        ['read', join(readable, 'data')],
        ['read', join(writable, 'data')],
        ['write', join(writable, 'new')],
        ['write', join(readable, 'new')],
        ['read', '/etc/passwd'],
      ]);
      assert.deepEqual(await answer.json(), ['open', 'open', 'open', 'written', 'ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED']);
    },
    { env },
  );
});

test('a folder that is allowed is listed, also where a path in it is allowed first', async () => {
  const [readable, writable] = [scriptFolder({ 'data/file': '' }), scriptFolder({ 'data/file': '' })];
  const env = { WORKER_READ_PATHS: `${readable}/data,${readable}/,${writable}/data`, WORKER_WRITE_PATHS: writable };
  await under(
    ['--entry-script', 'attempts.ts'],
    async (server) => {
      const answer = await server.score([
        ['list', readable],
        ['list', writable],
      ]);
      assert.doesNotMatch(await answer.text(), /ERR_/);
    },
    { env },
  );
});

test('a path that would allow more than it says ends the start', async () => {
  const app = scriptFolder({ 'a*b/score.mjs': EXPORTS + 'export const init = () => {};\n' });
  await withServer(
    ['--entry-script', 'score.mjs'],
    async (server) => {
      assert.equal((await server.exited).code, 2);
      assert.match(server.lines.find(({ level }) => level === 'fatal')?.msg ?? '', /WORKER_PERMISSION_MODEL=on: expected paths without \*/);
    },
    { cwd: join(app, 'a*b'), env: { ...ON, TMPDIR } },
  );
});

const advice: Record<string, readonly [attempt: readonly [string, string], told: RegExp]> = {
  'a read': [['read', '/etc/hosts'], /WORKER_PERMISSION_MODEL=on refused to read \/etc\/hosts: name it in WORKER_READ_PATHS\./],
  'a write': [['write', '/etc/new'], /WORKER_PERMISSION_MODEL=on refused to write \/etc\/new: name it in WORKER_WRITE_PATHS\./],
  'a relative path': [['write', 'not/there'], /refused to write \/\S+\/scripts\/not\/there: name it in WORKER_WRITE_PATHS\./],
  'a process': [['run', 'true'], /refused this \(ChildProcess\), .*only with WORKER_PERMISSION_MODEL=off\./],
};
for (const [what, [attempt, told]] of Object.entries(advice))
  test(`the line of a failed run names the option for ${what}`, async () => {
    await under(['--entry-script', 'attempts.ts'], async (server) => {
      assert.equal((await server.score(attempt)).status, 500);
      const { msg } = await server.line(({ code }) => code === 'run_failed');
      assert.match(msg, told);
    });
  });

const OUTSIDE = folder();
writeFileSync(join(OUTSIDE, 'lib.mjs'), 'export const two = 2;\n');
/** Scripts that cannot start, and what the last line names. */
const failing: Record<string, readonly [text: string, told: RegExp]> = {
  'reads in init()': [
    `import { readFileSync } from 'node:fs';\nexport function init() { readFileSync('/etc/hosts'); }\n${EXPORTS}`,
    /init\(\) raised an exception: .*refused to read \/etc\/hosts: name it in WORKER_READ_PATHS/s,
  ],
  'fails for a cause': [
    `import { readFileSync } from 'node:fs';\nexport function init() { try { readFileSync('/etc/hosts'); } catch (cause) { throw new Error('no hosts', { cause }); } }\n${EXPORTS}`,
    /no hosts.*refused to read \/etc\/hosts/s,
  ],
  'imports what is outside': [
    `import { two } from '${OUTSIDE}/lib.mjs';\nexport const init = () => two;\n${EXPORTS}`,
    /Failed to import user script.*WORKER_PERMISSION_MODEL=on refused to read .*lib\.mjs: name it in WORKER_READ_PATHS/s,
  ],
  'opens a model that is outside': [
    `export const init = (context) => context.openModel('${OUTSIDE}/ridge.onnx');\n${EXPORTS}`,
    /WORKER_PERMISSION_MODEL=on refused to read .*ridge\.onnx: name it in WORKER_READ_PATHS/s,
  ],
  'fails on its sample': [
    `import { execSync } from 'node:child_process';\nexport const init = () => {};\nexport const sample = 1;\nexport const run = () => String(execSync('true'));\n`,
    /sample.*refused this \(ChildProcess\)/s,
  ],
  'has a syntax error': ['export const init = () => {;\n', /SyntaxError/],
};
writeModel('ridge', OUTSIDE);
for (const [what, [text, told]] of Object.entries(failing))
  test(`a script that ${what} ends the start with its reason`, async () => {
    const home = scriptFolder({ 'score.mjs': text });
    await withServer(
      ['--entry-script', join(home, 'score.mjs')],
      async (server) => {
        assert.equal((await server.exited).code, 3);
        const fatal = server.lines.find(({ level }) => level === 'fatal');
        assert.match(fatal?.msg ?? server.stderr, told);
      },
      { cwd: home, env: { ...ON, TMPDIR } },
    );
  });

test('the sample, models with external data, also behind links, and a model directory are served', async () => {
  await under([], async (server) => assert.equal((await server.score({ data: [ROW] })).status, 200), { cwd: folder() });
  const [home, links] = [folder(), folder()];
  writeFileSync(join(home, 'weights.bin'), Buffer.from(Float32Array.of(3).buffer));
  symlinkSync(join(home, 'weights.bin'), join(links, 'weights.bin'));
  // The second is rewritten by the server, which reads its weights itself.
  for (const name of ['external', 'zipmap_external'] as const) {
    const file = writeModel(name, home);
    const link = join(links, `${name}.onnx`);
    symlinkSync(file, link);
    for (const model of [file, link])
      await under(['--model', model], async (server) => assert.equal(await server.status('/health/ready'), 200), { cwd: folder() });
  }
  const models = folder();
  writeModel('ridge', models);
  await under(['--model-dir', models], async (server) => assert.equal(await server.status('/health/ready'), 200), { cwd: folder() });
});

test('scripts of each kind are served with their packages, threads, collectors and close()', async () => {
  const app = scriptFolder({
    'app/score.ts': `import { two } from 'lib';\nimport { helper } from './helper';\nexport function init(): void {}\nexport const run = (data: number): number => two * helper(data);\n`,
    'app/helper.ts': 'export const helper = (data: number): number => data + 1;\n',
    'node_modules/lib/package.json': '{"name": "lib", "version": "1.0.0", "main": "index.js"}',
    'node_modules/lib/index.js': "exports.two = require('./two').two;\n",
    'node_modules/lib/two.js': 'exports.two = 2;\n',
  });
  await under(['--entry-script', join(app, 'app/score.ts')], async (server) => assert.equal(await (await server.score(3)).json(), 8), {
    cwd: join(app, 'app'),
  });
  const common = scriptFolder({
    'score.cjs': "const { join } = require('node:path');\nexports.init = () => {};\nexports.run = (data) => join('a', data);\n",
  });
  await under(
    ['--entry-script', join(common, 'score.cjs')],
    async (server) => assert.equal(await (await server.score('b')).json(), 'a/b'),
    {
      cwd: common,
    },
  );
  const dir = folder();
  const collecting = { MDC_SINK: 'file', MDC_DIR: dir };
  const run = (script: string): Promise<void> =>
    under(
      ['--entry-script', script],
      async (server) => {
        assert.equal((await server.score({ many: 2 })).status, 200);
        await server.drain();
      },
      { env: collecting },
    );
  await run('collects.ts');
  await run('collects-at-close.ts');
  const collected = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  for (const collection of ['model_outputs', 'totals'])
    assert.ok(
      collected.some((file) => file.split('/').includes(collection)),
      collection,
    );
});

test('a worker that is busy still ends with its killed host', async () => {
  await under(['--entry-script', 'run-spins.ts'], async (server) => {
    const [worker = 0] = server.workers;
    server.score('spin').catch(() => undefined);
    await server.inFlight(1);
    await server.stop();
    await until(() => !alive(worker));
  });
});

test('the inspector of the first worker opens', async () => {
  const port = await freePort();
  await under(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      assert.equal((await fetch(`http://127.0.0.1:${port}/json/version`)).status, 200);
      assert.equal((await server.score(1)).status, 200);
    },
    { env: { AZUREML_DEBUG_PORT: String(port) } },
  );
});

test('workers never write to the compile cache that the host loads its code from', async () => {
  const cache = join(folder(), 'cache');
  const env = { NODE_COMPILE_CACHE: cache };
  await under(
    ['--entry-script', 'attempts.ts'],
    async (server) => {
      const answer = await server.score([
        ['variable', 'NODE_COMPILE_CACHE'],
        ['write', join(cache, 'new')],
      ]);
      assert.deepEqual(await answer.json(), [`${cache}-workers`, 'ERR_ACCESS_DENIED']);
      await server.drain();
      assert.ok(readdirSync(`${cache}-workers`).length > 0);
    },
    { env },
  );
});
