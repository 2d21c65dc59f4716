import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readNpy, writeNpy } from '../../server/tensors/npy.ts';
import { freePort } from '../e2e/free-port.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { held } from '../set-up/held.ts';
import { whyNoPython } from '../set-up/python.ts';
import { until } from '../set-up/until.ts';
import { writeModel } from '../models/models.ts';

/** The limits of SageMaker. */
const ACCEPT_MS = 250;
const PING_MS = 2000;
const GRACE_MS = 30_000;

const HOME = fileURLToPath(new URL('../../', import.meta.url));
const RIDGE = join(HOME, 'entry-scripts/diabetes.onnx');
const ROW = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const ANSWER = 11_633.100_167_144_928;
const LINES = 'application/jsonlines';
const NPY = 'application/x-npy';

/**
 * As SageMaker starts a container: `serve` is the only argument, and /opt/ml/model has the unpacked
 * model.tar.gz, read-only. The namespace is the server's own.
 */
const MOUNTED =
  'mount -t tmpfs none /opt && mkdir -p /opt/ml/model && mount --bind "$0" /opt/ml/model && ' +
  'mount -o remount,ro,bind /opt/ml/model && exec "$1" "$2" serve';
const unshare = `unshare ${process.getuid?.() === 0 ? '' : '-Ur'} -m`;
const skip = spawnSync('sh', ['-c', `${unshare} sh -c 'mount -t tmpfs none /opt'`]).status === 0 ? false : 'needs the right to mount';

/** The content of model.tar.gz. @param files texts by their names, and the path of a model */
function artifact(files: Record<string, string>, model?: string): string {
  const root = folder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  if (model !== undefined) copyFileSync(model, join(root, 'model.onnx'));
  return root;
}

async function onSageMaker(
  root: string,
  test: (server: ServerProcess, port: number) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const port = await freePort();
  const own = { SAGEMAKER_BIND_TO_PORT: String(port), SCORING_HOST: '127.0.0.1', AML_APP_ROOT: folder(), ...env };
  const options = { env: own, cwd: own.AML_APP_ROOT, prelude: `exec ${unshare} sh -c '${MOUNTED}' '${root}' "$@"` };
  await withServer([], (server) => test(server, port), options);
}

interface Sent {
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Record<string, string>;
}

async function invoke(
  server: ServerProcess,
  body: string | Uint8Array,
  { type = 'application/json', accept, headers }: Sent = {},
): Promise<Response> {
  return fetch(await server.url('/invocations'), {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { 'content-type': type, ...(accept !== undefined && { accept }), ...headers },
  });
}

/** Status, content type and text of an answer. */
async function answer(server: ServerProcess, ...sent: [body: string | Uint8Array, sent?: Sent]): Promise<[number, string | null, string]> {
  const response = await invoke(server, ...sent);
  return [response.status, response.headers.get('content-type'), await response.text()];
}

/** Status and body of a ping, which comes in time whatever the server does. */
async function ping(server: ServerProcess): Promise<[number, string]> {
  const response = await fetch(await server.url('/ping'), { signal: AbortSignal.timeout(PING_MS) });
  return [response.status, await response.text()];
}

describe('on SageMaker', { skip }, () => {
  it('a model without code is served from /opt/ml/model, in every content type', () =>
    onSageMaker(artifact({}, RIDGE), async (server, port) => {
      await server.ready();
      assert.equal(await server.port(), port);
      await server.said('profile sagemaker (SageMaker): /opt/ml/model is there');
      assert.deepEqual(await ping(server), [200, '']);
      const json = JSON.stringify([ANSWER]);
      const row = ROW.join(',');
      assert.deepEqual(await answer(server, JSON.stringify({ data: [ROW] })), [200, 'application/json', json]);
      assert.deepEqual(await answer(server, JSON.stringify([ROW])), [200, 'application/json', json]);
      const csv = 'text/csv; charset=utf-8';
      assert.deepEqual(await answer(server, `${row}\r\n${row}\r\n`, { type: 'text/csv' }), [200, csv, `${ANSWER}\n${ANSWER}\n`]);
      const named = `${ROW.map((each) => `x${each}`).join(',')}\n${row}\n`;
      assert.deepEqual(await answer(server, named, { type: 'text/csv; header=present', accept: 'application/json' }), [
        200,
        'application/json',
        json,
      ]);
      const lines = `${JSON.stringify(ROW)}\n${JSON.stringify({ features: ROW })}\n`;
      assert.equal((await answer(server, lines, { type: LINES }))[0], 400);
      const same = `${JSON.stringify({ features: ROW })}\n`.repeat(2);
      assert.deepEqual(await answer(server, same, { type: LINES }), [200, LINES, `${ANSWER}\n${ANSWER}\n`]);
      const array = Buffer.concat(writeNpy({ type: 'int32', dims: [1, 10], data: Int32Array.from(ROW) }));
      assert.deepEqual(await answer(server, array, { type: NPY }), [200, 'application/json', json]);
      const file = await (await invoke(server, array, { type: NPY, accept: NPY })).arrayBuffer();
      assert.deepEqual(readNpy('x', Buffer.from(file)), { type: 'float64', dims: [1], data: Float64Array.of(ANSWER) });
    }));

  it('wrong requests get their status and a message, and nothing else ends', () =>
    onSageMaker(
      artifact({}, RIDGE),
      async (server) => {
        await server.ready();
        const refused = async (status: number, text: RegExp, ...sent: Parameters<typeof answer>): Promise<void> => {
          const [got, type, body] = await answer(...sent);
          assert.deepEqual([got, type], [status, 'application/json']);
          assert.match((JSON.parse(body) as { message: string }).message, text);
        };
        await refused(400, /line 2: expected 10 fields/, server, `${ROW.join(',')}\n1\n`, { type: 'text/csv' });
        await refused(400, /input X: expected float64 \[N,10\], got the shape \[1,2\]/, server, '1,2\n', { type: 'text/csv' });
        await refused(400, /JSON lines: .*line 1 column/, server, '[1,\n', { type: LINES });
        await refused(400, /numpy\.save/, server, 'x', { type: NPY });
        await refused(413, /./, server, new Uint8Array(3 * 2 ** 20), { type: NPY });
        const url = await server.url();
        assert.equal((await fetch(`${url}/invocations`)).status, 405);
        for (const path of ['/models', '/models/a', '/models/a/invoke']) {
          const response = await fetch(url + path, { method: path.endsWith('invoke') ? 'POST' : 'GET' });
          assert.equal(response.status, 404);
          assert.match(await response.text(), /This server serves one model, on \/invocations/);
        }
        assert.deepEqual(await ping(server), [200, '']);
      },
      { SAGEMAKER_MAX_PAYLOAD_IN_MB: '2' },
    ));

  const SLOW = `import { existsSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    import { helper } from './own.ts';
    export async function init() {
      while (!existsSync(process.env.MAY_START)) await setTimeout(20);
    }
    export const run = (data, { headers }) => ({ data, helper, attributes: headers.get('x-amzn-sagemaker-custom-attributes') });`;

  it('a script in code/ is loaded while connections are accepted and /ping says 503', async () => {
    const mayStart = join(folder(), 'start');
    await onSageMaker(
      artifact({ 'code/score.ts': SLOW, 'code/own.ts': 'export const helper = "here";' }),
      async (server, port) => {
        await server.port();
        const times: number[] = [];
        while (times.length < 5) {
          const began = performance.now();
          const socket = connect(port, '127.0.0.1');
          await once(socket, 'connect');
          times.push(performance.now() - began);
          socket.destroy();
        }
        assert.ok(Math.min(...times) < ACCEPT_MS, `connected after ${times.join(', ')} ms`);
        const [status, body] = await ping(server);
        assert.equal(status, 503);
        assert.match(body, /starting/);
        assert.equal((await answer(server, '{}'))[0], 503);
        assert.equal((await fetch(await server.url('/execution-parameters'))).status, 200);
        writeFileSync(mayStart, '');
        await until(async () => (await ping(server))[0] === 200);
        const headers = { 'X-Amzn-SageMaker-Custom-Attributes': 'trace=1', 'X-Amzn-SageMaker-Inference-Id': 'order-17' };
        const response = await invoke(server, '1,2\n', { type: 'text/csv', accept: 'application/json', headers });
        assert.deepEqual(await response.json(), { data: '1,2\n', helper: 'here', attributes: 'trace=1' });
        assert.equal(response.headers.get('x-request-id'), 'order-17');
        assert.equal(response.headers.get('x-amzn-sagemaker-custom-attributes'), null);
        await server.line((line) => line['requestId'] === 'order-17' && line['route'] === '/invocations');
        assert.equal((await invoke(server, '1', { headers: { 'X-Amzn-SageMaker-Inference-Id': 'x'.repeat(101) } })).status, 431);
      },
      { MAY_START: mayStart },
    );
  });

  it('an answer has the custom attributes that its script sets, and lines have the id of the call', () =>
    onSageMaker(
      artifact({
        'score.ts': `import { Answer } from 'scoring-server';
          export const init = () => {};
          export function run(data, request) {
            console.log('scores', request.id);
            if (data === 'hangs') return new Promise(() => {});
            return new Answer(data, { headers: { 'X-Amzn-SageMaker-Custom-Attributes': 'model=7' } });
          }`,
      }),
      async (server) => {
        await server.ready();
        const response = await invoke(server, '{"a":1}\n[2]\n', { type: LINES, headers: { 'X-Amzn-SageMaker-Inference-Id': 'id-1' } });
        assert.equal(await response.text(), '{"a":1}\n[2]\n');
        assert.equal(response.headers.get('x-amzn-sagemaker-custom-attributes'), 'model=7');
        assert.equal((await server.said('scores id-1'))['requestId'], 'id-1');
        const [status, , body] = await answer(server, '"hangs"');
        assert.equal(status, 504);
        assert.match(body, /Scoring timeout/);
      },
      { SCORING_TIMEOUT_MS: '1500' },
    ));

  it('a script in Python gets texts, or rows by its schema', { skip: whyNoPython() ?? false }, () =>
    onSageMaker(
      artifact({ 'code/score.py': 'def init(): pass\ndef run(data):\n    return [len(line) for line in data.split()]\n' }),
      async (server) => {
        await server.ready();
        assert.deepEqual(await answer(server, '1,2\n3,44\n', { type: 'text/csv' }), [200, 'text/csv; charset=utf-8', '3\n4\n']);
        assert.deepEqual(await answer(server, '[1]\n[22]\n', { type: LINES }), [200, LINES, '3\n4\n']);
        assert.deepEqual(await answer(server, '[1]', { accept: '*/*' }), [200, 'application/json', '[3]']);
        const file = await (await invoke(server, 'a bb', { type: 'text/plain', accept: NPY })).arrayBuffer();
        assert.deepEqual(readNpy('x', Buffer.from(file)), { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 2n) });
        const [status, , body] = await answer(server, new Uint8Array([0xff]), { type: 'text/csv' });
        assert.deepEqual([status, /UTF-8/.test(body)], [400, true]);
      },
    ),
  );

  it('SIGTERM lets an invocation under way finish, and the container ends within 30 s', () => {
    const { data, running, release } = held();
    return onSageMaker(artifact({ 'score.ts': HELD }), async (server) => {
      await server.ready();
      const under = answer(server, JSON.stringify(data));
      await running();
      const began = performance.now();
      server.child.kill('SIGTERM');
      await until(async () => (await ping(server))[0] === 503);
      release();
      assert.deepEqual(await under, [200, 'application/json', '"done"']);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.ok(performance.now() - began < GRACE_MS);
    });
  });

  const HELD = `import { existsSync, writeFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    export const init = () => {};
    export async function run(folder) {
      writeFileSync(folder + '/running', '');
      while (!existsSync(folder + '/released')) await setTimeout(5);
      return 'done';
    }`;

  it('a batch transform gets its parameters, and the lines of many requests at once come back in order', () =>
    onSageMaker(
      artifact({}, RIDGE),
      async (server) => {
        await until(async () => (await ping(server))[0] === 200);
        const parameters = await (await fetch(await server.url('/execution-parameters'))).json();
        assert.deepEqual(parameters, { MaxConcurrentTransforms: 8, BatchStrategy: 'MULTI_RECORD', MaxPayloadInMB: 6 });
        const payload = (batch: number): number[] => Array.from({ length: 100 }, (_, row) => batch * 1000 + row);
        const one = (scale: number): number[] => ROW.map((each) => each * scale);
        const batches = Array.from({ length: 40 }, (_, batch) => batch);
        // SageMaker sends as many at a time as it was told.
        const results: string[][] = [];
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
              const type = batch % 2 === 0 ? 'text/csv' : LINES;
              const text = payload(batch).map((scale) => (type === LINES ? JSON.stringify(one(scale)) : one(scale).join(',')));
              const [status, , body] = await answer(server, `${text.join('\n')}\n`, { type, accept: type });
              assert.equal(status, 200, body);
              results[batch] = body.trimEnd().split('\n');
            }
          }),
        );
        const [, , expected] = await answer(
          server,
          JSON.stringify({ data: Array.from({ length: 40 }, (_, batch) => payload(batch).map(one)).flat() }),
        );
        assert.deepEqual(results.flat().map(Number), JSON.parse(expected));
        assert.equal(new Set(results.flat()).size, 4000);
      },
      { SAGEMAKER_BATCH: 'true', SAGEMAKER_MAX_CONCURRENT_TRANSFORMS: '8', SAGEMAKER_MAX_PAYLOAD_IN_MB: '6' },
    ));

  it('a batch transform learns what the server itself takes, where the job says nothing', async () => {
    const parameters = async (root: string, env: Record<string, string>): Promise<unknown> => {
      let found: unknown;
      await onSageMaker(
        root,
        async (server) => {
          await server.ready();
          found = await (await fetch(await server.url('/execution-parameters'))).json();
        },
        { SAGEMAKER_BATCH: 'true', ...env },
      );
      return found;
    };
    assert.deepEqual(await parameters(artifact({}, RIDGE), { WORKER_CONCURRENCY: '4' }), {
      MaxConcurrentTransforms: 4,
      BatchStrategy: 'MULTI_RECORD',
      MaxPayloadInMB: 25,
    });
    const fixed = artifact({}, writeModel('fixed1', folder()));
    assert.deepEqual(await parameters(fixed, { BODY_LIMIT_BYTES: '2500K', WORKER_CONCURRENCY: '2' }), {
      MaxConcurrentTransforms: 2,
      BatchStrategy: 'SINGLE_RECORD',
      MaxPayloadInMB: 2,
    });
  });

  it('an empty model folder leaves the model of the image, and nothing at all ends the start with 3', async () => {
    const app = folder();
    copyFileSync(RIDGE, join(app, 'model.onnx'));
    await onSageMaker(
      artifact({}),
      async (server) => {
        await server.ready();
        assert.equal((await answer(server, `${ROW.join(',')}\n`, { type: 'text/csv' }))[0], 200);
      },
      { AML_APP_ROOT: app },
    );
    await onSageMaker(artifact({}), async (server) => {
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      assert.match((await server.line(({ level }) => level === 'fatal')).msg, /the profile sagemaker names something/);
    });
  });

  it('wrong variables of the platform are lines in the log, and the server becomes ready', () =>
    onSageMaker(
      artifact({}, RIDGE),
      async (server) => {
        await server.ready();
        await server.said('SAGEMAKER_BATCH_STRATEGY: expected MULTI_RECORD or SINGLE_RECORD, got "Some"');
        await server.said('SAGEMAKER_SAFE_PORT_RANGE: expected a range of ports');
        assert.deepEqual(await ping(server), [200, '']);
      },
      { SAGEMAKER_BATCH_STRATEGY: 'Some', SAGEMAKER_SAFE_PORT_RANGE: 'all', SAGEMAKER_MAX_PAYLOAD_IN_MB: '6 MB' },
    ));
});
