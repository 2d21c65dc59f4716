import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../e2e/free-port.ts';
import { SCRIPTS, type ServerProcess, withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';

/** Probes of both kinds of online endpoints, and of AKS v1: their time limit. */
const PROBE_LIMIT_MS = 2000;
/** A local deployment counts as failed where its container has exited by then. */
const LOCAL_FAILS_MS = 15_000;

interface Code {
  /** A script of test/scripts, under the name that the user gave. */
  readonly script?: string;
  /** Models below `azureml-models`, as `<name>/<version>`. */
  readonly models?: readonly string[];
}

/** What the platform mounts, and the variables that it sets: those of a local container too. */
function mounted({ script, models = [] }: Code): { readonly root: string; readonly env: Record<string, string> } {
  const root = folder();
  const code = join(root, 'onlinescoring');
  const modelDir = join(root, 'azureml-models', ...(models.length === 1 ? models : []));
  mkdirSync(code);
  mkdirSync(modelDir, { recursive: true });
  for (const model of models) {
    mkdirSync(join(root, 'azureml-models', model), { recursive: true });
    writeModel('ridge', join(root, 'azureml-models', model));
  }
  if (script === undefined) return { root, env: { AZUREML_MODEL_DIR: modelDir, AML_APP_ROOT: root } };
  cpSync(join(SCRIPTS, script), join(code, 'score.ts'));
  const env = { AZUREML_MODEL_DIR: modelDir, AML_APP_ROOT: code, AZUREML_ENTRY_SCRIPT: 'score.ts', AZUREML_INFERENCE_PYTHON_PATH: '' };
  return { root, env };
}

type Settings = Record<string, string>;

async function withContainer(
  code: Code,
  play: (server: ServerProcess, root: string) => Promise<void>,
  settings: Settings = {},
): Promise<void> {
  const { root, env } = mounted(code);
  await withServer([], (server) => play(server, root), { env: { ...env, ...settings }, cwd: root });
}

/** A probe as the kubelet sends it: a late answer is none. */
async function probe(server: ServerProcess, path: string): Promise<number> {
  const answer = await fetch(await server.url(path), { signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
  await answer.text();
  return answer.status;
}

/** What a client of AKS v1 and of Kubernetes online endpoints sees: azureml-fe rewrites 500. */
const throughFrontEnd = (status: number): number => (status === 500 ? 502 : status);

/** What a client of a managed endpoint sees: every status but 200 is 424. */
const throughManaged = (status: number): number => (status === 200 ? 200 : 424);

test('a local v2 deployment serves the mounted script and model, and its container runs on', async () => {
  await withContainer({ script: 'opens-model.ts', models: ['ridge/1'] }, async (server) => {
    const started = performance.now();
    assert.match((await server.said('profile ')).msg, /profile azureml \(Azure ML\): AZUREML_MODEL_DIR is set/);
    await server.ready();
    assert.ok(performance.now() - started < LOCAL_FAILS_MS);
    assert.equal(await probe(server, '/'), 200);
    const answer = await server.score({ X: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-ms-run-function-failed'), 'False');
    await server.drain();
  });
});

test('a local v2 deployment whose script fails exits within 15 s with 3, the reason and the tree of the model folder', async () => {
  await withContainer({ script: 'init-throws.ts', models: ['ridge/1'] }, async (server) => {
    const started = performance.now();
    assert.equal((await server.exited).code, 3);
    assert.ok(performance.now() - started < LOCAL_FAILS_MS);
    assert.match(String(server.lines.at(-1)?.['tree']), /ridge\.onnx/);
  });
});

test('ACI v1 has no model_config_map.json: several models are found by name and version', async () => {
  await withContainer({ script: 'model-path.ts', models: ['iris/1', 'iris/2', 'iris/10', 'other/1'] }, async (server, root) => {
    await server.ready();
    const at = (version: string): string => join(root, 'azureml-models', 'iris', version, 'ridge.onnx');
    assert.deepEqual(await (await server.score(1)).json(), [at('10'), at('2')]);
  });
});

test('a platform that names neither a script nor a model gets no sample under the name of the user', async () => {
  await withContainer({}, async (server) => {
    assert.equal((await server.exited).code, 3);
    assert.deepEqual(server.linesWith('this is the sample'), []);
  });
});

test('AKS v1 probes / within 2 s while a run blocks its worker, and its clients get 504 from the deadline', async () => {
  await withContainer(
    { script: 'run-spins.ts' },
    async (server) => {
      await server.ready();
      const spinning = server.score('spin');
      await until(async () => (await server.metric('scoring_requests_in_flight')) === 1);
      for (let sent = 0; sent < 3; sent++) assert.equal(await probe(server, '/'), 200);
      const answer = await spinning;
      assert.equal(throughFrontEnd(answer.status), 504);
      assert.deepEqual(await answer.json(), { message: 'Scoring timeout after 1500 ms' });
      // The only worker is replaced: / stays 200, because a restart would lose the other requests.
      assert.equal(await probe(server, '/'), 200);
    },
    { SCORING_TIMEOUT_MS: '1500', CANCEL_GRACE_MS: '200' },
  );
});

test('behind azureml-fe a script that throws is 502, and a full queue is no 502', async () => {
  await withContainer({ script: 'run-throws.ts' }, async (server) => {
    await server.ready();
    const answer = await server.score(1);
    assert.equal(throughFrontEnd(answer.status), 502);
    assert.equal(answer.headers.get('x-ms-run-function-failed'), 'True');
  });
  const env = { WORKER_CONCURRENCY: '1', QUEUE_WAIT_TIMEOUT_MS: '300' };
  await withContainer(
    { script: 'held.ts' },
    async (server, root) => {
      await server.ready();
      const held = server.score(root);
      await until(async () => (await server.metric('scoring_requests_in_flight')) === 1);
      // As max_queue_wait_ms: what waits longer is refused, and may go elsewhere.
      const refused = await server.score(1);
      assert.deepEqual([throughFrontEnd(refused.status), refused.headers.get('retry-after')], [503, '1']);
      writeFileSync(join(root, 'released'), '');
      assert.equal((await held).status, 200);
    },
    env,
  );
});

test('max_concurrent_requests_per_instance = WORKER_COUNT x WORKER_CONCURRENCY requests run at a time', async () => {
  await withContainer(
    { script: 'held.ts' },
    async (server, root) => {
      await server.ready();
      await until(async () => (await server.metric('scoring_concurrency_limit')) === 6);
      const all = Array.from({ length: 7 }, () => server.score(root));
      await until(
        async () => (await server.metric('scoring_requests_in_flight')) >= 6 && (await server.metric('scoring_requests_queued')) <= 1,
      );
      assert.equal((await server.metric('scoring_requests_in_flight')) + (await server.metric('scoring_requests_queued')), 7);
      writeFileSync(join(root, 'released'), '');
      for (const answer of await Promise.all(all)) assert.equal(answer.status, 200);
    },
    { WORKER_COUNT: '2', WORKER_CONCURRENCY: '3' },
  );
});

/** The routes of `inference_config`: Microsoft's own, and those that tell live from ready. */
for (const { liveness, readiness } of [
  { liveness: '/', readiness: '/' },
  { liveness: '/livez', readiness: '/readyz' },
])
  test(`an online endpoint with ${liveness} and ${readiness} is not ready before init(), and ready within its probes`, async () => {
    await withContainer({ script: 'held-start.ts' }, async (server, root) => {
      await server.port();
      assert.equal(await probe(server, readiness), 503);
      assert.equal(await probe(server, liveness), liveness === '/' ? 503 : 200);
      assert.equal((await server.score(1)).status, 503);
      writeFileSync(join(root, 'onlinescoring', 'released'), '');
      await server.ready();
      // Probes come each 10 s, and 30 may fail in a row: one success is enough.
      assert.equal(await probe(server, readiness), 200);
      assert.equal(await probe(server, liveness), 200);
      const answer = await server.score(1);
      assert.equal(throughManaged(answer.status), 200);
    });
  });

test('an endpoint with a separate health port answers its probes there, and scores on its own port', async () => {
  const health = String(await freePort());
  await withContainer(
    { script: 'echo.ts' },
    async (server) => {
      await server.ready();
      assert.equal((await fetch(`http://127.0.0.1:${health}/`)).status, 200);
      assert.equal((await server.score({ a: 1 })).status, 200);
    },
    { SEPERATE_HEALTH_ENDPOINT: 'true', HEALTH_PORT: health },
  );
});

test('config.json beside the script has the options, and a variable of the deployment comes first', async () => {
  const play = async (settings: Settings, expected: string): Promise<void> => {
    const { root, env } = mounted({ script: 'sleeps.ts' });
    writeFileSync(join(root, 'onlinescoring', 'config.json'), JSON.stringify({ SCORING_TIMEOUT_MS: 200, SERVICE_NAME: 'mine' }));
    await withServer(
      [],
      async (server) => {
        await server.ready();
        const answer = await server.score(60_000);
        assert.deepEqual([answer.status, await answer.json()], [504, { message: expected }]);
      },
      { env: { ...env, ...settings }, cwd: root },
    );
  };
  await play({}, 'Scoring timeout after 200 ms');
  await play({ SCORING_TIMEOUT_MS: '400' }, 'Scoring timeout after 400 ms');
});

test('the ids of the front door come back, and the script sees them', async () => {
  await withContainer({ script: 'request.ts' }, async (server) => {
    await server.ready();
    const sent = { 'x-request-id': '7c1b5a5e-0000-4000-8000-000000000001', 'x-ms-client-request-id': 'mine-1', TraceId: 't' };
    const answer = await server.score(1, sent);
    assert.equal(answer.headers.get('x-request-id'), sent['x-request-id']);
    assert.equal(answer.headers.get('x-ms-client-request-id'), 'mine-1');
    assert.equal(answer.headers.get('traceid'), 't');
    const { id, clientRequestId } = (await answer.json()) as Record<string, string>;
    assert.deepEqual([id, clientRequestId], [sent['x-request-id'], 'mine-1']);
  });
});

test('request_timeout_ms as SCORING_TIMEOUT_MS: the run is told to stop when the platform gives up', async () => {
  await withContainer(
    { script: 'sleeps.ts' },
    async (server) => {
      await server.ready();
      const refused = await server.score(60_000);
      assert.equal(throughManaged(refused.status), 424);
      assert.equal(refused.status, 504);
      assert.equal((await server.score(0)).status, 200);
    },
    { SCORING_TIMEOUT_MS: '300', CANCEL_GRACE_MS: '200' },
  );
});

test('an endpoint that is deleted drains: a request on its way is answered, then the container exits with 0', async () => {
  await withContainer({ script: 'sleeps.ts' }, async (server) => {
    await server.ready();
    const last = server.score(800);
    await until(async () => (await server.metric('scoring_requests_in_flight')) === 1);
    server.child.kill('SIGTERM');
    assert.equal((await last).status, 200);
    assert.deepEqual(await Promise.race([server.exited, delay(30_000, 'still there', { ref: false })]), { code: 0, signal: null });
  });
});
