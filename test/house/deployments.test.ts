import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { batchFlags, readBatchOptions } from '../../server/batch/options.ts';
import { takeFlags } from '../../server/commands/flags.ts';
import { optionRows, options } from '../../server/config/config.ts';
import { readConfig } from '../../server/config/read-config.ts';
import { readValue } from '../../server/config/option-values.ts';
import { failures } from '../../server/errors.ts';
import { appRoutes } from '../../server/http/app.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { FakeScorer } from '../http/fake-scorer.ts';
import { config } from '../http/start.ts';
import { folder } from '../set-up/folder.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** The deployments of Azure ML: largest `request_timeout_ms`, and the keys of their schemas. */
const SHARED_KEYS =
  '$schema name endpoint_name model model_mount_path code_configuration environment environment_variables instance_type instance_count app_insights_enabled request_settings liveness_probe readiness_probe scale_settings';
const deployments = {
  'deploy/azureml/deployment-managed.yaml': {
    schema: 'managedOnlineDeployment',
    longestMs: 180_000,
    keys: `${SHARED_KEYS} data_collector egress_public_network_access`,
  },
  'deploy/azureml/deployment-kubernetes.yaml': {
    schema: 'kubernetesOnlineDeployment',
    longestMs: 300_000,
    keys: `${SHARED_KEYS} type resources`,
  },
} as const;

/** Keys at the left edge. */
const keysOf = (yaml: string): string[] => Array.from(yaml.matchAll(/^([\w$]+):/gm), ([, key = '']) => key);

/** The values of the block under a key, without their quotes. */
function blockOf(yaml: string, key: string): Map<string, string> {
  const [, block = ''] = new RegExp(`^${key}:\\n((?:  .*\\n)+)`, 'm').exec(yaml) ?? [];
  return new Map(Array.from(block.matchAll(/^ {2}(\w+): '?([^'\n]+)'?$/gm), ([, name = '', value = '']) => [name, value] as const));
}

/** The numbers of a mapping in braces. */
function numbersOf(yaml: string, key: string): Record<string, number> {
  const [, inside = ''] = new RegExp(`^${key}: \\{(.*)\\}$`, 'm').exec(yaml) ?? [];
  return Object.fromEntries(Array.from(inside.matchAll(/(\w+): (\d+)/g), ([, name = '', value]) => [name, Number(value)]));
}

const routes = appRoutes({
  config: config({}),
  scorer: new FakeScorer(),
  lifecycle: new Lifecycle(),
  swaggerFiles: '/nowhere',
  access: undefined,
});

test("the environment's image serves the three routes of inference_config on its port", () => {
  const yaml = read('deploy/azureml/environment.yaml');
  assert.deepEqual(keysOf(yaml), ['$schema', 'name', 'version', 'description', 'image', 'inference_config']);
  const named = Array.from(yaml.matchAll(/^ {2}(\w+)_route: \{ path: (\S+), port: (\d+) \}$/gm), ([, kind = '', path = '', port]) => ({
    kind,
    path,
    port: Number(port),
  }));
  assert.deepEqual(
    named.map(({ kind }) => kind),
    ['liveness', 'readiness', 'scoring'],
  );
  for (const { kind, path, port } of named) {
    const route = routes.find((each) => each.path === path);
    assert.ok(route, path);
    assert.equal(port, options.port.default);
    assert.equal(route.scores === true, kind === 'scoring');
    if (kind !== 'scoring') assert.equal(route.access, 'open', 'the platform sends no key with a probe');
  }
});

for (const [file, { schema, longestMs, keys }] of Object.entries(deployments)) {
  const yaml = read(file);
  const variables = blockOf(yaml, 'environment_variables');
  const settings = blockOf(yaml, 'request_settings');

  test(`${file} has only keys of its schema, and variables of this server`, () => {
    assert.match(yaml, new RegExp(`^\\$schema: https://azuremlschemas\\.azureedge\\.net/latest/${schema}\\.schema\\.json$`, 'm'));
    assert.deepEqual(
      keysOf(yaml).filter((key) => !keys.split(' ').includes(key)),
      [],
    );
    assert.ok(variables.size >= 4);
    for (const [name, value] of variables) {
      const row = optionRows.find(({ env }) => env.includes(name));
      assert.ok(row, name);
      assert.doesNotThrow(() => readValue(row, value, false), name);
    }
  });

  test(`${file} lets as many requests in as workers run at a time, and answers before the platform gives up`, () => {
    const concurrency = Number(variables.get('WORKER_COUNT')) * Number(variables.get('WORKER_CONCURRENCY'));
    assert.equal(Number(settings.get('max_concurrent_requests_per_instance')), concurrency);
    const timeoutMs = Number(settings.get('request_timeout_ms'));
    assert.ok(Number(variables.get('SCORING_TIMEOUT_MS')) < timeoutMs && timeoutMs <= longestMs);
    assert.equal(variables.get('QUEUE_WAIT_TIMEOUT_MS'), settings.get('max_queue_wait_ms'));
  });

  test(`${file} gives init() its time, and each probe its limit`, () => {
    for (const name of ['liveness_probe', 'readiness_probe']) {
      const probe = numbersOf(yaml, name);
      assert.deepEqual(Object.keys(probe), ['initial_delay', 'period', 'timeout', 'success_threshold', 'failure_threshold']);
      const { initial_delay: delay = 0, period = 0, failure_threshold: times = 0 } = probe;
      assert.ok((delay + period * times) * 1000 >= options.initTimeoutMs.default, name);
    }
  });
}

const job = read('deploy/batch/job.yaml');

/** The words of a list of the Job. */
function listOf(key: string): string[] {
  const [, list = ''] = new RegExp(`^ +${key}:\\n((?: +- .*\\n)+)`, 'm').exec(job) ?? [];
  return Array.from(list.matchAll(/^ +- '?([^'\n]+)'?$/gm), ([, word = '']) => word);
}

test('the Job calls the command with flags that it has, one shard for each completion', () => {
  const [command, ...args] = listOf('args');
  assert.equal(command, 'batch');
  const { given: flags, rest } = takeFlags(batchFlags, args);
  assert.deepEqual([...flags.keys()].toSorted(), Object.keys(batchFlags).toSorted());
  assert.equal(readConfig({ argv: rest, env: {}, cwd: folder() }).kind, 'serve');
  const [, completions] = /^ {2}completions: (\d+)$/m.exec(job) ?? [];
  const here = folder();
  const known = new Map([...flags, ['input', here], ['output', '-']] as const);
  const { shard } = readBatchOptions(known, { env: { JOB_COMPLETION_INDEX: '0' }, cwd: here });
  assert.equal(shard.of, Number(completions));
  assert.match(job, /completionMode: Indexed/);
  assert.match(flags.get('output') ?? '', /\$\(JOB_COMPLETION_INDEX\)/, 'each shard has a file of its own');
});

test('the Job fails at once by the exit codes that another pod would have, too', () => {
  const [, values = ''] = /action: FailJob\n +onExitCodes: \{ containerName: batch, operator: In, values: \[([\d, ]+)\] \}/.exec(job) ?? [];
  const lasting = Object.values(failures).flatMap(({ exitCode = 0 }) => (exitCode > 1 ? [exitCode] : []));
  assert.deepEqual(
    values.split(', ').map(Number),
    [...new Set(lasting)].toSorted((one, other) => one - other),
  );
  assert.equal(failures.batch_failed.exitCode, 1, 'a batch that was cut off is tried again');
  assert.match(job, /restartPolicy: Never/, 'a podFailurePolicy needs it');
});

test("the Job's command is the image's, but for the exit code that hides a signal", () => {
  const [, entry = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(read('Dockerfile.cpu')) ?? [];
  const words = JSON.parse(entry) as string[];
  const at = words.indexOf('-e');
  assert.deepEqual(listOf('command'), words.toSpliced(at, 2));
});

test('the Job is allowed where pods are restricted', () => {
  for (const line of [
    'runAsNonRoot: true',
    'seccompProfile: { type: RuntimeDefault }',
    'allowPrivilegeEscalation: false',
    'readOnlyRootFilesystem: true',
    'capabilities: { drop: [ALL] }',
    'automountServiceAccountToken: false',
    'enableServiceLinks: false',
  ])
    assert.ok(job.includes(line), line);
});
