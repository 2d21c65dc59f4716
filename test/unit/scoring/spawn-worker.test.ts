import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { nodeCommand } from '../../../server/scoring/node-command.ts';
import { spawnWorker } from '../../../server/scoring/spawn-worker.ts';
import { WorkerProcess, type WorkerSpec } from '../../../server/scoring/worker-process.ts';
import { FakeWorkers } from './fake-workers.ts';

// A worker that gets no start message does nothing.
const spec = { start: {}, env: process.env, cwd: '/', command: nodeCommand({ debugPort: 0 }) } as unknown as WorkerSpec;
/** Node emits the first, and throws the second. */
const cannotStart: Record<string, WorkerSpec> = {
  'a folder that is not there': { ...spec, cwd: '/nowhere' },
  'a variable that no process can have': { ...spec, env: { A: 'a\0b' } },
};

for (const [what, bad] of Object.entries(cannotStart)) {
  test(`a process that cannot be started is an error, never a throw: ${what}`, async () => {
    const { child, pipe } = spawnWorker(bad);
    assert.equal(child.pid, undefined);
    const [error] = (await once(child, 'error')) as [Error];
    assert.ok(error instanceof Error);
    pipe.on('error', () => undefined).end();
  });

  test(`a pool whose workers cannot be started says why, and stops: ${what}`, async () => {
    const workers = new FakeWorkers({
      workers: 2,
      options: { open: (_spec, answers) => new WorkerProcess(bad, answers), initTimeoutMs: 10_000 },
    });
    await workers.started();
    const { code, message } = await workers.failed;
    assert.equal(code, 'init_failed');
    assert.match(message, /could not be started: .*(?:ENOENT|null bytes)/);
    await workers.scorer.stop();
    workers.scorer.kill();
  });
}

test('a worker leads a group of its own', async () => {
  const { child, pipe } = spawnWorker(spec);
  const exit = once(child, 'exit');
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  pipe.on('error', () => undefined).destroy();
});
