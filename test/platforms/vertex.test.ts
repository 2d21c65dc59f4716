import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { hold } from '../e2e/hold.ts';
import { freePort } from '../e2e/free-port.ts';
import { SCRIPTS, type ServerProcess, type StartOptions, withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { mounted, whyNoMounts } from './mounts.ts';

const ROW = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const HEALTH = '/v1/endpoints/12/deployedModels/34';
const PREDICT = `${HEALTH}:predict`;

function artifacts(): string {
  const path = folder();
  writeModel('ridge', path);
  return path;
}

interface Deployed {
  readonly url: (path: string) => string;
  readonly predict: (body: unknown) => Promise<{ status: number; body: unknown }>;
  readonly server: ServerProcess;
}

/** The variables that Vertex AI sets, with its own routes. */
const variables = (port: number): Record<string, string> => ({
  AIP_MODE: 'PREDICTION',
  AIP_MODE_VERSION: '1.0.0',
  AIP_FRAMEWORK: 'CUSTOM_CONTAINER',
  AIP_HTTP_PORT: String(port),
  AIP_HEALTH_ROUTE: HEALTH,
  AIP_PREDICT_ROUTE: PREDICT,
  AIP_ENDPOINT_ID: '12',
  AIP_DEPLOYED_MODEL_ID: '34',
  AIP_PROJECT_NUMBER: '56',
  AIP_STORAGE_URI: '',
  SCORING_HOST: '127.0.0.1',
});

/**
 * Starts the server as Vertex AI starts a container: it connects until the port takes it, and asks
 * for the health until it gets 200, each within 10 s.
 */
async function withDeployed(options: StartOptions, use: (deployed: Deployed) => Promise<void>): Promise<void> {
  const port = await freePort();
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  const predict = async (body: unknown): Promise<{ status: number; body: unknown }> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(url(PREDICT), { method: 'POST', headers: { 'content-type': 'application/json' }, body: text });
    return { status: answer.status, body: await answer.json() };
  };
  await withServer(
    [],
    async (server) => {
      await until(() => connects(port));
      const seen: number[] = [];
      await until(async () => {
        const { status } = await fetch(url(HEALTH), { signal: AbortSignal.timeout(10_000) });
        seen.push(status);
        return status === 200;
      });
      assert.deepEqual(new Set([...seen, 503]), new Set([503, 200]));
      assert.ok(server.linesWith('ready').length > 0 || (await server.ready()));
      await use({ url, predict, server });
    },
    { ...options, flags: [], env: { ...variables(port), ...options.env } },
  );
}

/** The liveness probe of Vertex AI. */
async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('a model of Vertex AI', () => {
  it('in a local folder answers instances on the routes that Vertex AI names', () =>
    withDeployed({ cwd: folder(), env: { AIP_STORAGE_URI: artifacts() } }, async ({ url, predict, server }) => {
      assert.equal(server.linesWith('profile vertex')[0]?.msg, 'profile vertex (Vertex AI): AIP_MODE is PREDICTION');
      const score = await fetch(url('/score'), { method: 'POST', body: JSON.stringify({ data: [ROW, ROW] }) });
      const expected: unknown = await score.json();
      const body = { predictions: expected };
      assert.deepEqual(await predict({ instances: [ROW, ROW] }), { status: 200, body });
      assert.deepEqual(await predict({ instances: [{ X: ROW }, { X: ROW }], parameters: { confidence: 0.5 } }), { status: 200, body });
      assert.deepEqual(await predict({ instances: [[1]] }), {
        status: 400,
        body: { error: 'input X: expected float32 [N,10], got the shape [1,1]' },
      });
      assert.equal((await predict([ROW])).status, 400);
      assert.equal((await fetch(url(PREDICT))).status, 405);
      assert.equal((await fetch(url(`${HEALTH}:explain`), { method: 'POST', body: '{}' })).status, 404);
    }));

  it('in a bucket that is mounted is served from there', { skip: whyNoMounts() ?? false }, async () => {
    const cwd = folder();
    const prelude = mounted({ '/gcs/a-bucket/models/ridge': artifacts() }, cwd);
    await withDeployed({ cwd, prelude, env: { AIP_STORAGE_URI: 'gs://a-bucket/models/ridge' } }, async ({ predict, server }) => {
      assert.equal(server.linesWith('ready').at(-1)?.['modelFile'], '/gcs/a-bucket/models/ridge/ridge.onnx');
      assert.equal((await predict({ instances: [ROW] })).status, 200);
    });
  });
});

describe('a container of Vertex AI', () => {
  it('is not healthy before it is ready, though its port takes connections', async () => {
    const port = await freePort();
    const env = { ...variables(port), AZUREML_ENTRY_SCRIPT: 'init-hangs.ts' };
    await withServer(
      [],
      async () => {
        await until(() => connects(port));
        for (let probe = 0; probe < 3; probe++) assert.equal((await fetch(`http://127.0.0.1:${port}${HEALTH}`)).status, 503);
      },
      { flags: [], env },
    );
  });

  it('ends with 2 for a bucket that is not mounted, and says what to do', async () => {
    const env = { ...variables(0), AIP_STORAGE_URI: 'gs://a-bucket/models/ridge' };
    await withServer(
      [],
      async (server) => {
        assert.deepEqual(await server.exited, { code: 2, signal: null });
        assert.match(server.stderr, /AIP_STORAGE_URI: .*\/gcs\/a-bucket\/models\/ridge is not mounted\. Mount the bucket/);
      },
      { cwd: folder(), flags: [], env },
    );
  });

  it('ends with 3 where there is nothing to serve, and never serves the sample', async () => {
    await withServer(
      [],
      async (server) => {
        assert.deepEqual(await server.exited, { code: 3, signal: null });
        assert.match(JSON.stringify(server.lines), /There is nothing to serve/);
      },
      { cwd: folder(), flags: [], env: variables(0) },
    );
  });

  it('answers what it holds before it ends', () =>
    withDeployed(
      { cwd: SCRIPTS, env: { AZUREML_ENTRY_SCRIPT: 'held.ts', DRAIN_DELAY_MS: '5000', DRAIN_TIMEOUT_MS: '60000' } },
      async ({ server, url }) => {
        const held = await hold(server);
        server.child.kill('SIGTERM');
        await server.said('draining');
        assert.equal((await fetch(url(HEALTH), { headers: { connection: 'close' } })).status, 503);
        held.release();
        assert.equal((await held.answer).status, 200);
        assert.deepEqual(await server.exited, { code: 0, signal: null });
      },
    ));
});
