import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from '../python-test.ts';
import { withServer } from '../../e2e/start-server.ts';
import { alive } from '../../set-up/processes.ts';
import { until } from '../../set-up/until.ts';
import { SCRIPTS, withPython } from './python-workers.ts';

const env = { PYTHONDONTWRITEBYTECODE: '1' };

for (const way of ['spin', 'hold the lock', 'hang'])
  test(`a worker ends with a host that is killed, and so do its processes (${way})`, () =>
    withServer(
      ['--entry-script', join(SCRIPTS, 'ends.py')],
      async (server) => {
        await server.ready();
        const child = (await (await server.score('child')).json()) as number;
        assert.ok(alive(child));
        const lost = server.score(way).catch(() => undefined);
        await server.inFlight(1);
        await server.stop();
        await until(() => !server.workers.some(alive) && !alive(child));
        await lost;
      },
      { env },
    ));

const SYSTEM = '/usr/bin/python3';
const { stdout: systemVersion } = spawnSync(SYSTEM, ['-c', 'import sys; print(sys.version_info >= (3, 10))'], { encoding: 'utf8' });
const noOther = process.getuid?.() !== 0 || systemVersion?.trim() !== 'True' ? 'needs root, and a Python that every user may run' : false;

test('a worker of another user ends with a host that is killed, also inside C code that holds the interpreter', { skip: noOther }, () =>
  withServer(
    ['--entry-script', join(SCRIPTS, 'ends.py')],
    async (server) => {
      await server.ready();
      const lost = server.score('hold the lock').catch(() => undefined);
      await server.inFlight(1);
      await server.stop();
      await until(() => !server.workers.some(alive));
      await lost;
    },
    { env: { ...env, WORKER_USER: '65534:65533', AZUREML_INFERENCE_PYTHON_PATH: SYSTEM } },
  ),
);

test('a drain lets a run end, closes the script, and leaves no process', () =>
  withServer(
    ['--entry-script', join(SCRIPTS, 'closes.py')],
    async (server) => {
      await server.ready();
      const [pid, child] = (await (await server.score(1)).json()) as [number, number];
      await server.drain();
      await server.said('closing');
      await server.said('exit handler');
      await until(() => !alive(pid) && !alive(child));
    },
    { env },
  ));

test('a body of 30 MB is held at most twice beside its text, and is given back', () =>
  withPython('size.py', async (workers) => {
    const [, before] = (await workers.score('small')).json as [number, number];
    const bytes = 30 * 1024 * 1024;
    for (let round = 0; round < 5; round++) {
      const [length, peak] = (await workers.score(Buffer.alloc(bytes, 0x20))).json as [number, number];
      assert.equal(length, bytes);
      const copies = ((peak - before) * 1024) / bytes;
      assert.ok(copies < 3.2, `${copies} copies in round ${round}`);
    }
  }));
