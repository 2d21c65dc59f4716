import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secretVariables } from '../../server/config/secret-variables.ts';
import { folder } from '../set-up/folder.ts';
import { noProc } from '../set-up/processes.ts';
import { whyNoPython } from '../set-up/python.ts';
import { until } from '../set-up/until.ts';
import { IngestionServer } from '../telemetry/ingestion-server.ts';
import { startCollector, valueOf } from '../telemetry/span-collector.ts';
import { otherUid, sharedFolder } from './other-user.ts';
import { type Line, type ServerProcess, type StartOptions, withServer } from './start-server.ts';

const PYTHON_SCRIPTS = fileURLToPath(new URL('../python/scripts/', import.meta.url));
const missing = whyNoPython();
const skip = missing ?? false;
/** A Python of the system, which every user may run. */
const OF_SYSTEM = '/usr/bin/python3';
const notRoot = process.getuid?.() === 0 && existsSync(OF_SYSTEM) ? false : `needs root, and ${OF_SYSTEM}`;

/** An application of one script, as `score.py`. */
function application(script = 'environment.py'): string {
  const root = folder();
  copyFileSync(join(PYTHON_SCRIPTS, script), join(root, 'score.py'));
  return root;
}

function venv(path: string): string {
  execFileSync('python3', ['-m', 'venv', '--without-pip', path]);
  return path;
}

const serve = (
  cwd: string,
  use: (server: ServerProcess) => Promise<void>,
  options: StartOptions = {},
  args: string[] = [],
): Promise<void> => withServer(args, async (server) => use(await server.ready()), { cwd, ...options });

interface Seen {
  readonly prefix: string;
  readonly executable: string;
  readonly env: Readonly<Record<string, string | null>>;
}

async function seen(server: ServerProcess, ...names: string[]): Promise<Seen> {
  const answer = await server.score(names);
  assert.equal(answer.status, 200);
  return (await answer.json()) as Seen;
}

/** The exit code of a server that must not start, and the one fatal line. */
async function refusal(cwd: string, env: Record<string, string>, args: string[] = []): Promise<{ code: number | null; msg: string }> {
  const ended: { code: number | null; fatal: Line[] } = { code: null, fatal: [] };
  await withServer(
    args,
    async (server) => {
      ended.code = (await server.exited).code;
      ended.fatal = server.lines.filter(({ level }) => level === 'fatal');
      assert.ok(!server.lines.some(({ msg }) => msg === 'ready'));
    },
    { cwd, env },
  );
  assert.equal(ended.fatal.length, 1);
  return { code: ended.code, msg: ended.fatal[0]?.msg ?? '' };
}

describe('a script in Python', { skip }, () => {
  it('runs in the environment beside it, as activated, and the log names the interpreter', async () => {
    const cwd = application();
    const environment = venv(join(cwd, '.venv'));
    const names = [
      'VIRTUAL_ENV',
      'PATH',
      'OMP_NUM_THREADS',
      'AML_APP_ROOT',
      'AZUREML_ENTRY_SCRIPT',
      'WORKER_COUNT',
      'SCORING_KEYS',
      'FEATURE',
    ];
    const env = { SCORING_KEYS: '', FEATURE: 'mine' };
    await serve(
      cwd,
      async (server) => {
        const { prefix, executable, env: own } = await seen(server, ...names);
        assert.deepEqual([prefix, executable], [environment, join(environment, 'bin/python')]);
        assert.equal(own['PATH']?.split(delimiter)[0], join(environment, 'bin'));
        const { VIRTUAL_ENV, OMP_NUM_THREADS, AML_APP_ROOT, AZUREML_ENTRY_SCRIPT, WORKER_COUNT, SCORING_KEYS, FEATURE } = own;
        assert.deepEqual(
          { VIRTUAL_ENV, AML_APP_ROOT, AZUREML_ENTRY_SCRIPT, WORKER_COUNT, SCORING_KEYS, FEATURE },
          {
            VIRTUAL_ENV: environment,
            AML_APP_ROOT: cwd,
            AZUREML_ENTRY_SCRIPT: join(cwd, 'score.py'),
            WORKER_COUNT: '1',
            SCORING_KEYS: null,
            FEATURE: 'mine',
          },
        );
        assert.match(OMP_NUM_THREADS ?? '', /^\d+$/);
        const chosen = await server.said('the entry script runs in Python 3.');
        assert.deepEqual([chosen['python'], chosen['environment']], [executable, environment]);
        assert.match(String((await server.line(({ msg }) => msg === 'ready'))['runtime']), /^Python 3\./);
      },
      { env },
    );
  });

  it('gets no variable of a secret option', async () => {
    const names = [...secretVariables];
    // Empty values switch nothing on, and are there all the same.
    const env = Object.fromEntries(names.map((name) => [name, '']));
    await serve(
      application(),
      async (server) => {
        const { env: own } = await seen(server, ...names, 'PATH');
        assert.deepEqual(
          Object.keys(own).filter((name) => own[name] !== null),
          ['PATH'],
        );
      },
      { env },
    );
  });

  it('runs in the python3 of PATH, or in the interpreter that an option names', async () => {
    const cwd = application();
    const environment = venv(join(folder(), 'other'));
    await serve(cwd, async (server) => assert.notEqual((await seen(server)).prefix, environment));
    for (const named of [environment, join(environment, 'bin'), join(environment, 'bin/python')])
      await serve(cwd, async (server) => assert.equal((await seen(server)).prefix, environment), {}, ['--python-path', named]);
  });

  it('that inferenceconfig.json names is served', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'source'));
    copyFileSync(join(PYTHON_SCRIPTS, 'environment.py'), join(cwd, 'source', 'predict.py'));
    writeFileSync(join(cwd, 'inferenceconfig.json'), JSON.stringify({ entryScript: 'predict.py', sourceDirectory: './source' }));
    await serve(cwd, async (server) => assert.equal((await seen(server)).env['X'], undefined));
  });

  it('has its requests in the access log, the metrics and the traces', async (t) => {
    const collector = await startCollector(t);
    await serve(
      application(),
      async (server) => {
        await seen(server);
        const { route, status, worker } = await server.line(({ msg }) => msg === 'request');
        assert.deepEqual([route, status, worker], ['/score', 200, 0]);
        const [pid = 0] = server.workers;
        assert.notEqual(pid, server.pid);
        assert.ok((await server.metric('worker_memory_bytes{worker="0"}')) > 2 ** 20);
        await until(async () => (await server.metric('worker_cpu_seconds_total{worker="0"}')) > 0);
        await server.drain();
        const request = collector.spans.find(({ name }) => name === 'POST /score');
        assert.equal(request && valueOf(request.attributes, 'http.response.status_code'), 200);
      },
      { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, DRAIN_DELAY_MS: '0' } },
    );
  });

  it('that raises is an exception of Application Insights, with the frames of its traceback', async (t) => {
    const ingestion = await IngestionServer.start(t);
    await serve(
      application(),
      async (server) => {
        assert.equal((await server.score(1)).status, 500);
        await server.drain();
        const [exception] = ingestion.of('ExceptionData');
        const [details] = exception?.data.baseData.exceptions ?? [];
        assert.match(details?.message ?? '', /^TypeError: /);
        assert.equal(exception?.data.baseData.properties['Workspace Name'], 'space');
      },
      { env: { ...ingestion.env, WORKSPACE_NAME: 'space', DRAIN_DELAY_MS: '0' } },
    );
  });

  it('that keeps memory is replaced before the kernel kills, and its client may try again', { skip: skip || noProc }, () =>
    serve(
      application('leaks.py'),
      async (server) => {
        // What the worker had not begun is answered by the next one, the rest with 503.
        for (let sent = 0; sent < 40 && server.linesWith('a worker is killed').length === 0; sent++)
          assert.ok([200, 503].includes((await server.score(32)).status));
        assert.match((await server.said('a worker is killed and replaced')).msg, /a worker may take 300 MiB/);
        await until(() => server.workers.length === 2);
        assert.equal((await server.score(1)).status, 200);
        assert.equal(await server.metric('worker_restarts_total{cause="memory"}'), 1);
      },
      { env: { WORKER_MEMORY_BYTES: '300M' } },
    ),
  );

  it('may run as another user, who must be able to run the interpreter', { skip: skip || notRoot }, async (t) => {
    const cwd = sharedFolder(t);
    copyFileSync(join(PYTHON_SCRIPTS, 'environment.py'), join(cwd, 'score.py'));
    const env = { WORKER_USER: `${otherUid}:${otherUid}` };
    const named = { ...env, AZUREML_INFERENCE_PYTHON_PATH: OF_SYSTEM };
    await serve(cwd, async (server) => assert.equal((await seen(server)).executable, OF_SYSTEM), { env: named });
    mkdirSync(join(cwd, 'closed'));
    symlinkSync(OF_SYSTEM, join(cwd, 'closed/python3'));
    chmodSync(join(cwd, 'closed'), 0o700);
    const { code, msg } = await refusal(cwd, { ...env, AZUREML_INFERENCE_PYTHON_PATH: join(cwd, 'closed/python3') });
    assert.equal(code, 2);
    assert.match(msg, /closed\/python3 cannot be run here for user \d+:\d+ of WORKER_USER \(EACCES\)/);
  });
});

describe('a script in Python without an interpreter that can run it', () => {
  it('ends the start with 3, and the line says where the server looked', async () => {
    const cwd = application();
    const { code, msg } = await refusal(cwd, { PATH: folder() });
    assert.equal(code, 3);
    assert.ok(msg.includes(cwd) && msg.includes('scoring-server:cpu-python') && msg.includes('docs/migrate-from-azureml.md'), msg);
  });

  it('ends the start with 2 where an option names it', async () => {
    const { code, msg } = await refusal(application(), {}, ['--python-path', 'none']);
    assert.equal(code, 2);
    assert.match(msg, /^AZUREML_INFERENCE_PYTHON_PATH \(or --python-path\): expected .*\/none: it does not exist/);
  });

  it('ends the start with 3 where an environment was copied from another machine', async () => {
    const cwd = application();
    mkdirSync(join(cwd, 'venv/bin'), { recursive: true });
    writeFileSync(join(cwd, 'venv/pyvenv.cfg'), '');
    symlinkSync('/nowhere/python3.12', join(cwd, 'venv/bin/python'));
    const { code, msg } = await refusal(cwd, {});
    assert.equal(code, 3);
    assert.match(msg, /venv cannot be used: .* link to \/nowhere\/python3\.12, .*python3 -m venv --clear/);
  });

  it("ends the start with 2 under Node's permission model", async () => {
    const { code, msg } = await refusal(application(), { WORKER_PERMISSION_MODEL: 'on' });
    assert.equal(code, 2);
    assert.match(msg, /^WORKER_PERMISSION_MODEL=on: expected a script in TypeScript or JavaScript.*set WORKER_USER/);
  });
});
