import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pino } from 'pino';
import type { Config } from '../../../server/config/config.ts';
import type { StartMessage } from '../../../server/ipc/start-message.ts';
import { readConfig } from '../../../server/config/read-config.ts';
import { poolOptions } from '../../../server/scoring/pool-options.ts';
import type { ProviderChoice } from '../../../server/scoring/provider-choice.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import { folder } from '../../set-up/folder.ts';

const found = { kind: 'sample', entryScript: '/s.ts', modelFile: undefined, modelDir: undefined, importPath: [] } as const;
const stop = new AbortController().signal;

interface Planned {
  readonly count: number;
  readonly spec: (worker: number) => {
    start: Pick<StartMessage, 'execution' | 'loggingConfig' | 'concurrencyIsDefault'>;
    command: readonly string[];
    env: Readonly<Record<string, string | undefined>>;
  };
  readonly asked: number;
  readonly metrics: string;
}

/** The plan for options, with a choice that has been made; every later choice would be the CPU. */
async function plan(
  env: Record<string, string>,
  choice: Omit<ProviderChoice, 'problems'>,
  argv: string[] = [],
  entryScript = found.entryScript as string,
): Promise<Planned> {
  const command = readConfig({ argv, env, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  const config: Config = command.config;
  const metrics = new Metrics();
  let asked = 0;
  const choose = async (): Promise<ProviderChoice> =>
    asked++ === 0 ? { ...choice, problems: [] } : { provider: 'cpu', devices: [], problems: [] };
  const options = poolOptions(
    config,
    { ...found, entryScript },
    { env: { HOME: '/home' }, log: pino({ level: 'silent' }), metrics, choose },
  );
  const { count, spec } = await options.plan(stop);
  // As for workers that are lost and replaced.
  for (let round = 0; round < 3; round++) for (let worker = 0; worker < count; worker++) spec(worker);
  return { count, spec, asked, metrics: await metrics.registry.metrics() };
}

const CPU = { provider: 'cpu', devices: [] } as const;
const TWO_GPUS = { provider: 'cuda', devices: ['0', 'GPU-b'] } as const;

test('one worker on the CPU, one for each GPU, and any number that is asked for', async () => {
  assert.equal((await plan({}, CPU)).count, 1);
  assert.ok((await plan({ WORKER_COUNT: 'auto' }, CPU)).count >= 1);
  assert.equal((await plan({ EXECUTION_PROVIDER: 'cuda' }, TWO_GPUS)).count, 2);
  assert.equal((await plan({ EXECUTION_PROVIDER: 'cuda', WORKER_COUNT: 'auto' }, TWO_GPUS)).count, 2);
  assert.equal((await plan({ EXECUTION_PROVIDER: 'cuda', WORKER_COUNT: '5' }, TWO_GPUS)).count, 5);
  assert.equal((await plan({ EXECUTION_PROVIDER: 'cuda' }, { provider: 'cuda', devices: [] })).count, 1);
  assert.equal((await plan({ EXECUTION_PROVIDER: 'auto' }, CPU)).count, 1);
});

test('several workers get a limit of their heap; one does not', async () => {
  const limit = async (env: Record<string, string>): Promise<string | undefined> =>
    (await plan(env, CPU))
      .spec(0)
      .command.find((flag) => flag.startsWith('--max-old-space-size='))
      ?.slice(21);
  assert.equal(await limit({}), undefined);
  assert.ok(Number(await limit({ WORKER_COUNT: '3' })) >= 64);
});

test('a script in Python gets its interpreter, its share of the threads and its devices, and no flag of Node', async () => {
  const root = folder();
  const [python, script, logging] = ['python', 'score.py', 'logging.json'].map((name) => join(root, name)) as [string, string, string];
  writeFileSync(python, "#!/bin/sh\nprintf '3.12.1'\n", { mode: 0o755 });
  writeFileSync(logging, '{}');
  const env = { EXECUTION_PROVIDER: 'cuda', ORT_INTRA_OP_NUM_THREADS: '3', AZUREML_INFERENCE_PYTHON_PATH: python };
  const { spec, count } = await plan(env, TWO_GPUS, [], script);
  assert.equal(count, 2);
  const { command, env: own, start } = spec(1);
  assert.deepEqual([command[0], command.length], [python, 2]);
  assert.match(command[1] ?? '', /server\/python\/worker\.py$/);
  assert.deepEqual([own['OMP_NUM_THREADS'], own['CUDA_VISIBLE_DEVICES']], ['3', 'GPU-b']);
  assert.deepEqual([start.loggingConfig, start.concurrencyIsDefault], [logging, true]);
  const other = (await plan({}, CPU)).spec(0);
  assert.deepEqual([other.env['OMP_NUM_THREADS'], other.start.loggingConfig], [undefined, undefined]);
  await assert.rejects(plan({ ...env, WORKER_PERMISSION_MODEL: 'on' }, CPU, [], script), { code: 'usage' });
});

test('workers are pinned to the devices in turn; on the CPU nothing is set', async () => {
  const { spec } = await plan({ EXECUTION_PROVIDER: 'cuda', WORKER_COUNT: '3' }, TWO_GPUS);
  assert.deepEqual(
    [0, 1, 2].map((worker) => spec(worker).env['CUDA_VISIBLE_DEVICES']),
    ['0', 'GPU-b', '0'],
  );
  const cpu = await plan({}, CPU);
  assert.equal('CUDA_VISIBLE_DEVICES' in cpu.spec(0).env, false);
  assert.equal(cpu.spec(0).env['ORT_DISABLE_TELEMETRY'], '1');
});

test('a replacement never gets another provider than the worker before it: it is chosen once', async () => {
  const { spec, asked } = await plan({ EXECUTION_PROVIDER: 'auto' }, TWO_GPUS);
  assert.equal(asked, 1);
  for (const worker of [0, 1, 0]) assert.deepEqual(spec(worker).start.execution, { provider: 'cuda', strict: false });
  const strict = await plan({ EXECUTION_PROVIDER: 'cuda' }, TWO_GPUS);
  assert.deepEqual(strict.spec(1).start.execution, { provider: 'cuda', strict: true });
});

test('the metric tells what was asked for and what is used', async () => {
  assert.match(
    (await plan({ EXECUTION_PROVIDER: 'auto' }, CPU)).metrics,
    /^inference_provider_info\{asked="auto",used="cpu",devices=""\} 1$/m,
  );
  assert.match(
    (await plan({ EXECUTION_PROVIDER: 'cuda' }, TWO_GPUS)).metrics,
    /^inference_provider_info\{asked="cuda",used="cuda",devices="0,GPU-b"\} 1$/m,
  );
});

test('a script sees the variables that the Python server sets, and no key that came as an option', async () => {
  const KEY = '01234567-89ab-cdef-0123-456789abcdef';
  const seen = async (argv: string[], env: Record<string, string> = {}): Promise<unknown[]> => {
    const { spec } = await plan({ HTTP_X_MS_SERVER_VERSION: 'mine/1', ...env }, CPU, argv);
    const { HEALTH_PORT, HTTP_X_MS_SERVER_VERSION, AML_APP_INSIGHTS_ENABLED, AML_APP_INSIGHTS_KEY } = spec(0).env;
    return [HEALTH_PORT, HTTP_X_MS_SERVER_VERSION, AML_APP_INSIGHTS_ENABLED, AML_APP_INSIGHTS_KEY];
  };
  assert.deepEqual(await seen([]), ['5001', 'mine/1', 'false', undefined]);
  assert.deepEqual(await seen(['--port', '8000', '--health-port', '8001']), ['8000', 'mine/1', 'false', undefined]);
  assert.deepEqual(await seen(['--health-port', '8001'], { SEPERATE_HEALTH_ENDPOINT: 'true' }), ['8001', 'mine/1', 'false', undefined]);
  assert.deepEqual(await seen(['--appinsights_instrumentation_key', KEY]), ['5001', 'mine/1', 'true', undefined]);
  // As in the Python server, only a GUID switches it on.
  assert.equal((await seen([], { AML_APP_INSIGHTS_ENABLED: 'true', AML_APP_INSIGHTS_KEY: 'no guid' }))[2], 'false');
  assert.equal((await seen([], { AML_APP_INSIGHTS_ENABLED: 'true' }))[2], 'false');
  assert.equal((await seen([], { APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY}` }))[2], 'true');
});

test('what a worker is started with holds no secret of an option', async () => {
  const ADDRESS = 'http://user:S3cretMark@127.0.0.1:1/S3cretMark';
  const KEY = '5ec4e7ed-0000-4000-8000-000000000000';
  const env = {
    SCORING_KEYS: 'primary:S3cretMark-of-a-key',
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: ADDRESS,
    MDC_HTTP_URL: ADDRESS,
    MDC_HTTP_HEADERS: 'x-key=S3cretMark',
    MDC_CAPTURE_HEADERS: 'x-a',
  };
  const { spec } = await plan(env, CPU, ['--appinsights_instrumentation_key', KEY]);
  assert.doesNotMatch(JSON.stringify(spec(0)), /S3cretMark|5ec4e7ed/);
});
