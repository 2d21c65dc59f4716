import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hold } from '../e2e/hold.ts';
import { freePort } from '../e2e/free-port.ts';
import { SCRIPTS, type ServerProcess, type StartOptions, withServer } from '../e2e/start-server.ts';
import { GrpcClient } from '../grpc/client.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { whyNoPython } from '../set-up/python.ts';
import { until } from '../set-up/until.ts';
import { mounted, whyNoMounts } from './mounts.ts';

const skip = whyNoMounts() ?? false;
const ROW = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** A folder with a model, as KServe's storage initializer leaves it. */
function storage(): string {
  const path = folder();
  writeModel('ridge', path);
  return path;
}

/** An application of one file in the image. */
function application(name: string, source: string): string {
  const path = folder();
  writeFileSync(join(path, name), source);
  return path;
}

interface Runtime {
  readonly url: (path: string) => string;
  readonly post: (path: string, body: unknown) => Promise<{ status: number; body: unknown }>;
  readonly grpcPort: number;
  readonly server: ServerProcess;
}

/**
 * Starts the server as KServe starts a runtime, and waits as the kubelet does: a probe of readiness
 * that fails until it gets 200.
 */
async function withRuntime(options: StartOptions, use: (runtime: Runtime) => Promise<void>, args: readonly string[] = []): Promise<void> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  const post = async (path: string, body: unknown): Promise<{ status: number; body: unknown }> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url(path), { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };
  const env = { SCORING_HOST: '127.0.0.1', ...options.env };
  const flags = ['--model_name=my-model', `--http_port=${port}`, `--grpc_port=${grpcPort}`, ...args];
  await withServer(
    [],
    async (server) => {
      const seen = new Set<number>();
      await until(async () => {
        const status = await fetch(url('/v2/health/ready')).then(
          async (answer) => (await answer.text(), answer.status),
          () => 0,
        );
        seen.add(status);
        return status === 200;
      });
      for (const status of seen) assert.ok([0, 503, 200].includes(status), `a probe got ${status}`);
      await use({ url, post, grpcPort, server });
    },
    { ...options, env, flags },
  );
}

describe('a model that KServe mounts', { skip }, () => {
  const cwd = folder();
  const options = { cwd, prelude: mounted({ '/mnt/models': storage() }, cwd) };

  it('is served over V1, V2 and gRPC, under the name of the InferenceService', () =>
    withRuntime(options, async ({ url, post, grpcPort, server }) => {
      const [line] = server.linesWith('profile kserve');
      assert.equal(line?.msg, 'profile kserve (KServe): --model_name is given');
      const get = async (path: string): Promise<unknown> => (await fetch(url(path))).json();
      assert.deepEqual(await get('/v1/models'), { models: ['my-model'] });
      assert.deepEqual(await get('/v1/models/my-model'), { name: 'my-model', ready: true });
      assert.deepEqual(await get('/v2/models/my-model/ready'), { name: 'my-model', ready: true });
      const { body } = await post('/v2/models/my-model/infer', {
        inputs: [{ name: 'X', shape: [2, 10], datatype: 'FP32', data: [ROW, ROW] }],
      });
      const [{ data: expected }] = (body as { outputs: [{ data: number[] }] }).outputs;
      assert.equal(expected.length, 2);
      for (const request of [
        { instances: [ROW, ROW] },
        { inputs: [ROW, ROW] },
        { inputs: { X: [ROW, ROW] } },
        { instances: [{ X: ROW }, { X: ROW }], parameters: { a: 1 } },
      ]) {
        assert.deepEqual(await post('/v1/models/my-model:predict', request), { status: 200, body: { predictions: expected } });
      }
      const client = new GrpcClient(grpcPort);
      const { message } = await client.call('ModelReady', { name: 'my-model' });
      client.client.close();
      assert.deepEqual(message, { ready: true });
    }));

  it('has errors in the form of KServe, which say what was expected', () =>
    withRuntime(options, async ({ post }) => {
      const predict = '/v1/models/my-model:predict';
      const cases: [path: string, body: unknown, status: number, error: RegExp][] = [
        [predict, { instances: [[1, 2, 3]] }, 400, /^input X: expected float32 \[N,10\], got the shape \[1,3\]$/],
        [
          predict,
          { rows: [] },
          400,
          /^the body: expected an object with a list "instances", or with "inputs", got the members \["rows"\]$/,
        ],
        [predict, '{"instances": [', 400, /^POST body could not be decoded as JSON: /],
        [predict, '', 400, /^POST body is empty/],
        ['/v1/models/other:predict', { instances: [ROW] }, 404, /^model "other": there is no such model; this server serves my-model\.$/],
        ['/v1/models/my-model:explain', { instances: [ROW] }, 404, /^explain: there is no such method/],
      ];
      for (const [path, sent, status, error] of cases) {
        const answer = await post(path, sent);
        assert.equal(answer.status, status, JSON.stringify(answer));
        assert.match((answer.body as { error: string }).error, error);
      }
    }));

  it('is collected where its options ask for it, and a line says that KServe may collect it, too', async () => {
    const dir = folder();
    await withRuntime({ ...options, env: { MDC_SINK: 'file', MDC_DIR: dir } }, async ({ post, server }) => {
      assert.match((await server.said('may be collected twice')).msg, /KServe's logger/);
      await post('/v1/models/my-model:predict', { instances: [ROW] });
      await server.drain();
      const records = readdirSync(dir, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.jsonl'))
        .flatMap((name) => readFileSync(join(dir, name), 'utf8').trim().split('\n'))
        .map((line) => JSON.parse(line) as { data: unknown });
      const datas = JSON.stringify(records.map(({ data }) => data));
      assert.ok(datas.includes('"instances":') && datas.includes('"predictions":'), datas);
    });
  });

  it('is not collected without an option', () =>
    withRuntime(options, async ({ server }) => {
      assert.deepEqual([...server.linesWith('is collected'), ...server.linesWith('may be collected')], []);
    }));
});

it('a folder without a model ends the server, and the sample is never served', { skip }, async () => {
  const cwd = folder();
  await withServer(
    [],
    async (server) => {
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      assert.match(JSON.stringify(server.lines), /\/mnt\/models/);
    },
    {
      cwd,
      prelude: mounted({ '/mnt/models': folder() }, cwd),
      flags: ['--model_name=my-model', '--http_port=0'],
      env: { SCORING_HOST: '127.0.0.1' },
    },
  );
});

const SCRIPT = `
import { Answer, ScoringError } from 'scoring-server';
export function init() {}
export function run(data, request) {
  const { mode } = request.parameters.request;
  if (mode === 'refuse') throw new ScoringError(422, 'too old');
  if (mode === 'throw') throw new Error('a secret');
  if (mode === 'own') return Response.json({ own: true }, { status: 201 });
  if (mode === 'columns') return { twice: data.map((each) => 2 * each), text: data.map(String) };
  return new Answer(data.map((each) => [request.protocol, each]), { headers: { 'x-model': 'v2' } });
}
`;

const PYTHON = `
import json
from scoring_server import ScoringError

def init():
    pass

def run(data):
    values = json.loads(data)
    if values == ["refuse"]:
        raise ScoringError(422, "too old")
    if values == ["raise"]:
        raise ValueError("a secret")
    if values == ["columns"]:
        return {"a": [1], "b": ["x"]}
    return [[each] for each in values]
`;

const FAILED = 'An unexpected error occurred in scoring script. Check the logs for more info.';

describe('an entry script behind :predict', () => {
  it('in TypeScript gets the instances and parameters, and answers predictions', () =>
    withRuntime({ cwd: application('score.ts', SCRIPT) }, async ({ url, post }) => {
      const predict = '/v1/models/my-model:predict';
      const ask = (mode: string): Promise<{ status: number; body: unknown }> => post(predict, { instances: [1, 2], parameters: { mode } });
      const first = await fetch(url(predict), { method: 'POST', body: '{"instances":[1,2]}' });
      assert.equal(first.headers.get('x-model'), 'v2');
      assert.deepEqual(await first.json(), {
        predictions: [
          ['instances', 1],
          ['instances', 2],
        ],
      });
      const rows = [
        { twice: 2, text: '1' },
        { twice: 4, text: '2' },
      ];
      assert.deepEqual(await ask('columns'), { status: 200, body: { predictions: rows } });
      assert.deepEqual(await ask('own'), { status: 201, body: { own: true } });
      assert.deepEqual(await ask('refuse'), { status: 422, body: { error: 'too old' } });
      assert.deepEqual(await ask('throw'), { status: 500, body: { error: FAILED } });
    }));

  it('in Python gets the text of the instances, and answers predictions', { skip: whyNoPython() ?? false }, () =>
    withRuntime({ cwd: application('score.py', PYTHON) }, async ({ post }) => {
      const ask = (body: unknown): Promise<{ status: number; body: unknown }> => post('/v1/models/my-model:predict', body);
      assert.deepEqual(await ask({ instances: [1, 'ä'], parameters: {} }), { status: 200, body: { predictions: [[1], ['ä']] } });
      assert.deepEqual(await ask({ inputs: ['columns'] }), { status: 200, body: { predictions: [{ a: 1, b: 'x' }] } });
      assert.deepEqual(await ask({ instances: ['refuse'] }), { status: 422, body: { error: 'too old' } });
      assert.deepEqual(await ask({ instances: ['raise'] }), { status: 500, body: { error: FAILED } });
      const { status, body } = await ask({ data: [1] });
      assert.equal(status, 400);
      assert.match((body as { error: string }).error, /^the body: expected an object with a list "instances"/);
    }),
  );

  it('ends as Kubernetes ends a pod: what it holds is answered, and readiness says that it goes', () =>
    withRuntime(
      { cwd: SCRIPTS, env: { DRAIN_DELAY_MS: '5000', DRAIN_TIMEOUT_MS: '60000' } },
      async ({ server, url }) => {
        const held = await hold(server);
        const state = await fetch(url('/v1/models/my-model'), { headers: { connection: 'close' } });
        assert.deepEqual([state.status, await state.json()], [200, { name: 'my-model', ready: true }]);
        server.child.kill('SIGTERM');
        await server.said('draining');
        const draining = await fetch(url('/v1/models/my-model'), { headers: { connection: 'close' } });
        assert.deepEqual([draining.status, ((await draining.json()) as { ready: boolean }).ready], [503, false]);
        held.release();
        assert.equal((await held.answer).status, 200);
        assert.deepEqual(await server.exited, { code: 0, signal: null });
      },
      ['--entry_script=held.ts'],
    ));
});

it('K_SERVICE alone is Cloud Run or Knative: the port comes by PORT, and V1 is not there', async () => {
  const port = await freePort();
  const app = application('score.mjs', 'export function init() {}\nexport function run(data) { return data; }\n');
  mkdirSync(join(app, 'empty'));
  await withServer(
    [],
    async (server) => {
      await server.ready();
      assert.equal(await server.port(), port);
      assert.equal(await server.status('/v1/models'), 404);
      assert.deepEqual(await (await server.score({ a: 1 })).json(), { a: 1 });
    },
    { cwd: app, flags: [], env: { K_SERVICE: 'my-model', PORT: String(port), SCORING_HOST: '127.0.0.1' } },
  );
});
