import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { PoolWorker } from '../../../server/scoring/pool-worker.ts';
import { usageOf, WorkerUsage } from '../../../server/scoring/worker-usage.ts';
import { reaped } from '../../set-up/reaper.ts';
import { noProc } from '../../set-up/processes.ts';
import { FakeProcess } from './fake-process.ts';
import { start } from './fake-workers.ts';

const worker = (number: number): PoolWorker => new PoolWorker(number, new FakeProcess(), start);
const usage = (residentBytes: number, cpuSeconds: number) => ({ ownBytes: 0, residentBytes, cpuSeconds });

test('memory and CPU time of a process are those of Node itself', { skip: noProc }, () => {
  const spinUntil = performance.now() + 200;
  while (performance.now() < spinUntil);
  const { rss } = process.memoryUsage();
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const read = usageOf(process.pid)!;
  assert.ok(Math.abs(read.residentBytes - rss) < 20e6, `${read.residentBytes} and ${rss}`);
  assert.ok(Math.abs(read.cpuSeconds - (userCPUTime + systemCPUTime) / 1e6) < 0.1, `${read.cpuSeconds}`);
  assert.ok(read.ownBytes > 0 && read.ownBytes <= read.residentBytes);
});

test('a name of a program with spaces and parentheses changes no number', { skip: noProc }, async (t) => {
  const program = `require('node:fs').writeFileSync('/proc/self/comm', 'a) 1 (2 3'); console.log(); process.stdin.resume()`;
  const child = reaped(spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }));
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const { cpuSeconds } = usageOf(child.pid!)!;
  assert.ok(cpuSeconds > 0 && cpuSeconds < 10, `${cpuSeconds}`);
});

test('a process that is gone has no usage', () => {
  assert.equal(usageOf(2 ** 22 + 1), undefined);
});

test('CPU time of a worker goes on through its replacements, and memory is that of what runs', () => {
  const places = new WorkerUsage();
  const [first, second, other] = [worker(0), worker(0), worker(1)];
  places.started(first);
  places.started(other);
  assert.deepEqual(
    places.rows().map((row) => [row.worker, row.state, row.starts, row.memoryBytes, row.cpuSeconds]),
    [
      [0, 'starting', 1, undefined, undefined],
      [1, 'starting', 1, undefined, undefined],
    ],
  );
  first.usage = usage(100, 5);
  const shown = () => places.rows().map(({ starts, memoryBytes, cpuSeconds }) => [starts, memoryBytes, cpuSeconds])[0];
  assert.deepEqual(shown(), [1, 100, 5]);
  // A replacement starts beside a worker that retires.
  places.started(second);
  assert.deepEqual(shown(), [2, 100, 5]);
  second.usage = usage(70, 1);
  assert.deepEqual(shown(), [2, 170, 6]);
  places.gone(first);
  places.gone(first);
  assert.deepEqual(shown(), [2, 70, 6]);
  places.gone(second);
  assert.deepEqual(shown(), [2, 0, 6]);
  places.started(worker(0));
  assert.deepEqual(shown(), [3, 0, 6]);
});
