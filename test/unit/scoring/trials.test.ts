import assert from 'node:assert/strict';
import test from 'node:test';
import { WorkerKind } from '../../../server/ipc/kinds.ts';
import { FakeWorkers } from './fake-workers.ts';

const killed = { code: null, signal: 'SIGFPE' } as const;

/** The worker runs a model on made-up inputs, or is done with it. */
function trying(workers: FakeWorkers, number: number, model?: string): void {
  workers.process(number).frame(WorkerKind.trying, 0, { model });
}

const modes = ({ starts }: FakeWorkers): string[] => starts.map(({ warmUp }) => warmUp);
const warnings = ({ lines }: FakeWorkers): string[] => lines.flatMap(({ level, msg }) => (level === 'warn' ? [String(msg)] : []));

test('a worker that ends on made-up inputs is followed at once by one that runs none: no failed start, one warning', async () => {
  const workers = await new FakeWorkers().started();
  trying(workers, 0, 'iris');
  workers.process(0).exit(killed);
  assert.deepEqual(modes(workers), ['on', 'failed']);
  workers.process(1).ready();
  assert.deepEqual([workers.failures, workers.scorer.ready, await workers.restarts()], [[], true, []]);
  assert.deepEqual(warnings(workers), [
    'model iris ended the worker by signal SIGFPE on made-up inputs, before any request: workers start without them, and MAX_BATCH_SIZE=auto merges no calls. WARM_UP=off avoids the attempt',
  ]);
});

test('a worker that ends after its made-up inputs, or before them, is a failed start', async () => {
  const workers = await new FakeWorkers().started();
  trying(workers, 0, 'iris');
  trying(workers, 0);
  workers.process(0).exit(killed);
  assert.match(String(workers.failures[0]), /ended by signal SIGFPE before init\(\) was done/);
  assert.equal(workers.processes.length, 1);
});

test('a worker that runs no made-up inputs, whatever it sends, is a failed start', async () => {
  const workers = await new FakeWorkers().started();
  trying(workers, 0, 'iris');
  workers.process(0).exit(killed);
  trying(workers, 1, 'iris');
  workers.process(1).exit(killed);
  assert.equal(workers.failures.length, 1);
  assert.deepEqual(modes(workers), ['on', 'failed']);
});

test('a model that hangs on made-up inputs costs its worker, which is followed by one without them', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 300_000, trialMs: 1000 } }).started();
  trying(workers, 0, 'iris');
  t.mock.timers.tick(999);
  trying(workers, 0);
  trying(workers, 0, 'iris');
  t.mock.timers.tick(999);
  assert.deepEqual(workers.process(0).endings, []);
  t.mock.timers.tick(1);
  assert.deepEqual(workers.process(0).endings, ['kill']);
  workers.process(0).exit();
  assert.deepEqual(modes(workers), ['on', 'failed']);
  assert.match(warnings(workers).join('\n'), /^model iris did not finish on made-up inputs/);
  workers.process(1).ready();
  t.mock.timers.tick(10_000);
  assert.deepEqual([workers.process(1).endings, workers.failures], [[], []]);
});

test('made-up inputs that are done while their worker is killed for them have failed all the same', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 300_000, trialMs: 1000 } }).started();
  trying(workers, 0, 'iris');
  t.mock.timers.tick(1000);
  trying(workers, 0);
  workers.process(0).exit({ code: null, signal: 'SIGKILL' });
  assert.deepEqual(modes(workers), ['on', 'failed']);
  workers.process(1).ready();
  assert.deepEqual([workers.failures, warnings(workers).length, workers.scorer.ready], [[], 1, true]);
});

test('made-up inputs whose begin is read only after their worker was killed explain its end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 1000 } }).started();
  t.mock.timers.tick(1500);
  assert.deepEqual(workers.process(0).endings, ['kill']);
  trying(workers, 0, 'iris');
  workers.process(0).exit({ code: null, signal: 'SIGKILL' });
  assert.deepEqual([modes(workers), workers.failures, warnings(workers).length], [['on', 'failed'], [], 1]);
});

test('the limit of init() holds for made-up inputs too, and a debugger switches both off', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 1000 } }).started();
  trying(workers, 0, 'iris');
  t.mock.timers.tick(1500);
  workers.process(0).exit();
  assert.deepEqual([modes(workers), workers.failures], [['on', 'failed'], []]);
  const debugged = await new FakeWorkers({ options: { initTimeoutMs: 0 } }).started();
  trying(debugged, 0, 'iris');
  t.mock.timers.tick(1_000_000);
  assert.deepEqual(debugged.process(0).endings, []);
});

test('all first workers start again without made-up inputs, so that they decide alike: those that passed, and those that did not begin', async () => {
  const workers = await new FakeWorkers({ workers: 4 }).started();
  workers.process(1).ready();
  trying(workers, 2, 'iris');
  trying(workers, 0, 'iris');
  workers.process(0).exit(killed);
  assert.deepEqual(
    [1, 2, 3].map((number) => workers.process(number).endings),
    [['kill'], ['kill'], ['kill']],
  );
  // One of them had just died by itself, and one served.
  workers.process(2).exit(killed);
  workers.process(1).exit();
  workers.process(3).exit();
  assert.deepEqual(modes(workers), ['on', 'on', 'on', 'on', 'failed', 'failed', 'failed', 'failed']);
  for (const number of [4, 5, 6]) {
    workers.process(number).ready();
    assert.equal(workers.scorer.ready, false);
  }
  workers.process(7).ready();
  assert.deepEqual([workers.scorer.ready, workers.failures, warnings(workers).length, await workers.restarts()], [true, [], 1, []]);
});

test('a worker that is ended for the others is not ready before its successor is', async () => {
  const workers = await new FakeWorkers({ workers: 2 }).started();
  workers.process(1).ready();
  trying(workers, 0, 'iris');
  workers.process(0).exit(killed);
  workers.process(2).ready();
  assert.equal(workers.scorer.ready, false);
  workers.process(1).exit();
  workers.process(3).ready();
  assert.equal(workers.scorer.ready, true);
});

test('a replacement that ends on made-up inputs leaves the others as they are, and costs no attempt', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ workers: 2, options: { replacementAttempts: 1 } }).ready();
  workers.process(0).exit(killed);
  t.mock.timers.tick(0);
  trying(workers, 2, 'iris');
  workers.process(2).exit(killed);
  assert.deepEqual([modes(workers), workers.process(1).endings], [['on', 'on', 'on', 'failed'], []]);
  workers.process(3).ready();
  assert.deepEqual([workers.failures, await workers.restarts()], [[], ['signal 1']]);
});

test('after a stop nothing follows', async () => {
  const workers = await new FakeWorkers().started();
  trying(workers, 0, 'iris');
  const stopped = workers.scorer.stop();
  workers.process(0).exit();
  await stopped;
  assert.equal(workers.processes.length, 1);
});

test('made-up inputs after the start are an error of the protocol', async () => {
  const workers = await new FakeWorkers().ready();
  assert.throws(() => trying(workers, 0, 'iris'), /a trial of made-up inputs after its start/);
});
