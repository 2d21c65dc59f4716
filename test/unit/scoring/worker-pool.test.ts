import assert from 'node:assert/strict';
import test from 'node:test';
import { FrameError } from '../../../server/ipc/frames.ts';
import { FakeWorkers, outcome } from './fake-workers.ts';

const broken = { code: 'init_failed', message: 'no database' } as const;
const exited = { code: 5, signal: null };

test('the server is ready when every worker of the first generation is, and each replacement is announced', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ workers: 2 }).started();
  workers.process(1).ready();
  assert.deepEqual([workers.scorer.ready, workers.readyMessages.length], [false, 0]);
  workers.process(0).ready();
  assert.deepEqual([workers.scorer.ready, workers.readyMessages.length], [true, 1]);
  workers.process(0).exit(exited);
  t.mock.timers.tick(0);
  workers.process(2).ready();
  assert.equal(workers.readyMessages.length, 2);
  assert.deepEqual(await workers.restarts(), ['exit 1']);
});

test('a plan that cannot be made fails the server, but not after a stop', async () => {
  const plan = (): Promise<never> => Promise.reject(new Error('no provider'));
  const workers = await new FakeWorkers({ options: { plan } }).started();
  assert.match(String(workers.failures[0]), /no provider/);
  const stopped = new FakeWorkers({ options: { plan } });
  await Promise.all([stopped.scorer.stop(), stopped.started()]);
  assert.deepEqual(stopped.failures, []);
});

test('a plan that is made after a stop starts no worker', async () => {
  const workers = new FakeWorkers();
  const started = workers.started();
  await workers.scorer.stop();
  await started;
  assert.equal(workers.processes.length, 0);
});

test('a first worker that cannot start fails the server, and its exit has no other effect', async () => {
  const workers = await new FakeWorkers().started();
  workers.process(0).startFailed(broken);
  assert.deepEqual(workers.process(0).endings, ['end']);
  workers.process(0).exit(exited);
  assert.deepEqual(
    workers.failures.map(({ code, message }) => [code, message]),
    [['init_failed', 'no database']],
  );
  assert.equal(workers.processes.length, 1);
});

test('a first worker that exits before it is ready fails the server', async () => {
  const workers = await new FakeWorkers().started();
  workers.process(0).exit(exited);
  assert.match(String(workers.failures[0]), /ended with exit code 5 before init\(\) was done/);
});

test('a worker that breaks the protocol before it is ready is killed, and fails the server', async () => {
  const workers = await new FakeWorkers().started();
  workers.process(0).listener.broke('rubbish');
  assert.deepEqual(workers.process(0).endings, ['kill']);
  workers.process(0).exit();
  assert.match(String(workers.failures[0]), /killed before init\(\) was done/);
  assert.match(workers.texts.join('\n'), /broke the protocol of its pipe .* it sent rubbish/);
});

test('a second report of a start is an error of the protocol, and changes nothing', async () => {
  const workers = await new FakeWorkers().ready(3);
  for (const again of [() => workers.process(0).ready(9), () => workers.process(0).startFailed(broken)])
    assert.throws(again, (thrown) => thrown instanceof FrameError && /a second report/.test(thrown.message));
  assert.deepEqual([workers.scorer.load.concurrency, workers.scorer.ready, workers.failures], [3, true, []]);
});

test('an init() that never returns is ended beyond its limit, and fails the server', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 1000 } }).started();
  t.mock.timers.tick(1499);
  assert.deepEqual(workers.process(0).endings, []);
  t.mock.timers.tick(1);
  assert.deepEqual(workers.process(0).endings, ['kill']);
  workers.process(0).exit();
  assert.deepEqual([workers.failures[0]?.code, workers.failures.length], ['init_timeout', 1]);
});

test('the reason that a worker reports in its last moment comes before that of its end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 1000 } }).started();
  t.mock.timers.tick(1500);
  workers.process(0).startFailed({ code: 'init_timeout', message: 'its own words' });
  workers.process(0).exit();
  assert.deepEqual(
    workers.failures.map(({ message }) => message),
    ['its own words'],
  );
});

test('a worker that is ready as it is ended counts as one that served: it is replaced', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 1000 } }).started();
  t.mock.timers.tick(1500);
  workers.process(0).ready();
  assert.deepEqual([workers.scorer.ready, workers.readyMessages.length], [false, 1]);
  workers.process(0).exit();
  t.mock.timers.tick(0);
  assert.deepEqual([workers.processes.length, workers.failures], [2, []]);
  assert.deepEqual(await workers.restarts(), ['init_timeout 1']);
});

test('a worker that is ready in time keeps its process', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ options: { initTimeoutMs: 1000 } }).ready();
  t.mock.timers.tick(10_000);
  assert.deepEqual(workers.process(0).endings, []);
});

test('replacements that fail in a row fail the server, once no other worker serves', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers().ready();
  workers.process(0).exit(exited);
  t.mock.timers.tick(0);
  workers.process(1).startFailed(broken);
  assert.deepEqual(workers.failures, []);
  t.mock.timers.tick(99);
  assert.equal(workers.processes.length, 2);
  t.mock.timers.tick(1);
  workers.process(2).exit(exited);
  assert.equal(workers.failures.length, 1);
  t.mock.timers.runAll();
  assert.equal(workers.processes.length, 3);
  assert.deepEqual(await workers.restarts(), ['exit 1', 'init 2']);
});

test('a stop and a kill start no replacement, and end every process', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ workers: 2 }).ready();
  workers.process(0).exit(exited);
  const stopping = workers.scorer.stop();
  t.mock.timers.runAll();
  assert.equal(workers.processes.length, 2);
  assert.deepEqual(workers.process(1).endings, ['end']);
  workers.scorer.kill();
  assert.deepEqual(workers.process(1).endings, ['end', 'kill']);
  workers.process(1).exit();
  await stopping;
  assert.deepEqual([workers.failures, await workers.restarts()], [[], ['exit 1']]);
});

test('without a worker the server is healthy for a minute, and only after it was ready', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 1_000_000;
  const workers = await new FakeWorkers({ options: { now: () => now } }).started();
  assert.equal(workers.scorer.healthy, false);
  workers.process(0).ready();
  now += 1_000_000;
  workers.process(0).exit();
  assert.deepEqual([workers.scorer.ready, workers.scorer.healthy], [false, true]);
  now += 59_999;
  assert.equal(workers.scorer.healthy, true);
  now += 1;
  assert.equal(workers.scorer.healthy, false);
  t.mock.timers.tick(0);
  workers.process(1).ready();
  assert.deepEqual([workers.scorer.ready, workers.scorer.healthy], [true, true]);
});

test('a worker that ends by itself is logged as an error, one that the host ends is not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ workers: 2 }).ready();
  const lost = workers.score();
  workers.process(0).exit({ code: null, signal: 'SIGSEGV' });
  assert.equal(await outcome(lost), 'worker_lost');
  workers.process(1).listener.broke('rubbish');
  workers.process(1).exit();
  assert.equal(workers.texts.filter((text) => text.includes('a worker ended unexpectedly')).length, 1);
  assert.deepEqual(await workers.restarts(), ['signal 1', 'protocol 1']);
});
