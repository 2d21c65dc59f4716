import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { FrameError } from '../../../server/ipc/frames.ts';
import { HostKind, WorkerKind } from '../../../server/ipc/kinds.ts';
import type { FakeProcess } from './fake-process.ts';
import { FakeWorkers, outcome } from './fake-workers.ts';

const idsAt = ({ scores }: FakeProcess): number[] => scores.map(({ id }) => id);
const failure = { code: 'run_failed', message: 'no' } as const;

test('nothing is admitted before a worker is ready, nor after the stop', async () => {
  const workers = await new FakeWorkers().started();
  assert.throws(() => workers.score(), { code: 'not_ready' });
  workers.process(0).ready();
  const scoring = workers.score();
  workers.process(0).reply(1);
  assert.equal(await outcome(scoring), 'done');
  workers.scorer.kill();
  assert.throws(() => workers.score(), { code: 'stopping' });
});

test('a scoring goes to the worker that holds the least and has credit; the others wait in their order', async () => {
  const workers = await new FakeWorkers({ workers: 2 }).ready(2);
  const [first, second] = [workers.process(0), workers.process(1)];
  for (let count = 0; count < 6; count++) workers.score();
  assert.deepEqual(
    [idsAt(first), idsAt(second)],
    [
      [1, 3],
      [2, 4],
    ],
  );
  assert.deepEqual(workers.scorer.load, { queued: 2, inFlight: 4, workers: 2, concurrency: 4, credits: 0 });
  second.reply(4);
  second.reply(2);
  assert.deepEqual(
    [idsAt(first), idsAt(second)],
    [
      [1, 3],
      [2, 4, 5, 6],
    ],
  );
  assert.deepEqual(workers.scorer.load, { queued: 0, inFlight: 4, workers: 2, concurrency: 4, credits: 0 });
});

test('the age of the oldest waiting request is that of one without a worker, also after a worker was lost', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const workers = await new FakeWorkers({ workers: 2 }).ready();
  const age = (): number => workers.scorer.oldestWaitingMs;
  for (let count = 0; count < 2; count++) workers.score();
  now = 500;
  assert.equal(age(), 0, 'workers hold both');
  workers.score();
  now = 600;
  workers.score();
  now = 1500;
  assert.equal(age(), 1000);
  // What a lost worker had not begun waits since it came.
  workers.process(1).begun = 0;
  workers.process(1).exit();
  assert.equal(age(), 1500);
  workers.process(0).reply(1);
  assert.equal(age(), 1000, 'the request that came back went first');
  workers.process(0).reply(2);
  workers.process(0).reply(3);
  assert.equal(age(), 0);
});

test('bytes of a body are released when the pipe has it, and when the queue refuses it', async () => {
  const workers = await new FakeWorkers({ limits: { queueMaxRequests: 1, queueMaxBytes: 20, bodyLimitBytes: 20 } }).ready();
  workers.score();
  const waits = workers.score();
  assert.throws(() => workers.score(), { code: 'queue_full', message: /1 requests are waiting/ });
  assert.throws(() => workers.scorer.admit(11), { code: 'queue_full' });
  waits.cancel();
  assert.equal(await outcome(waits), 'client_gone');
  workers.scorer.admit(20);
});

test('each answer reaches its own request, whatever its form, and its worker takes the next', async () => {
  const workers = await new FakeWorkers().ready(3);
  const scorings = [workers.score(), workers.score(), workers.score()];
  const process = workers.process(0);
  process.frame(WorkerKind.failure, 2, failure);
  process.reply(3, 'three');
  process.startStream(1);
  process.frame(WorkerKind.end, 1);
  assert.deepEqual(await Promise.all(scorings.map(outcome)), ['a stream', 'run_failed', 'three']);
  assert.equal(workers.scorer.load.inFlight, 0);
});

test('idle resolves when nothing waits and nothing is at a worker', async () => {
  const workers = await new FakeWorkers().ready();
  await workers.scorer.idle();
  workers.score();
  workers.score();
  let idle = false;
  const waiting = workers.scorer.idle().then(() => (idle = true));
  workers.process(0).reply(1);
  await Promise.resolve();
  assert.equal(idle, false);
  workers.process(0).reply(2);
  await waiting;
});

test('a stop answers the requests that wait and those at workers, and waits for the processes', async () => {
  const workers = await new FakeWorkers().ready();
  const scorings = [workers.score(), workers.score()];
  let stopped = false;
  const stopping = workers.scorer.stop().then(() => (stopped = true));
  assert.deepEqual(workers.process(0).endings, ['end']);
  await Promise.resolve();
  assert.equal(stopped, false);
  workers.process(0).exit({ code: 0, signal: null });
  assert.deepEqual(await Promise.all(scorings.map(outcome)), ['stopping', 'stopping']);
  await stopping;
});

test('a lost worker: begun requests are answered, the others go before all others to the next worker, once', async () => {
  const workers = await new FakeWorkers({ workers: 2 }).ready(3);
  const [lost, other] = [workers.process(0), workers.process(1)];
  const scorings = Array.from({ length: 7 }, () => workers.score());
  assert.deepEqual(
    [idsAt(lost), idsAt(other)],
    [
      [1, 3, 5],
      [2, 4, 6],
    ],
  );
  lost.begun = 1;
  lost.exit({ code: 5, signal: null });
  await assert.rejects(scorings[0]!.reply, { code: 'worker_lost', message: /exit code 5/ });
  assert.match(workers.texts.join('\n'), /requests that a lost worker had not begun go to another/);
  assert.deepEqual(workers.scorer.load, { queued: 3, inFlight: 3, workers: 1, concurrency: 3, credits: 0 });
  for (const id of [2, 4, 6]) other.reply(id);
  assert.deepEqual(idsAt(other), [2, 4, 6, 3, 5, 7]);
  other.begun = 3;
  other.exit();
  assert.deepEqual(await Promise.all([scorings[2]!, scorings[4]!].map(outcome)), ['worker_lost', 'worker_lost']);
  assert.equal(workers.scorer.load.queued, 1, 'the request that no other worker had before waits again');
});

test('a request that is past its deadline is answered, its run cancelled, and its worker kept if the run ends', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { scoringTimeoutMs: 1000 } }).ready();
  const scoring = workers.score();
  const process = workers.process(0);
  t.mock.timers.tick(1000);
  assert.equal(await outcome(scoring), 'deadline_exceeded');
  assert.deepEqual(process.cancels, [1]);
  process.frame(WorkerKind.failure, 1, { code: 'client_gone', message: '' });
  t.mock.timers.tick(100);
  assert.deepEqual([process.endings, workers.processes.length], [[], 1]);
});

test('a worker that sends nothing after a cancel gets nothing new, and is killed; what waits goes elsewhere', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { scoringTimeoutMs: 1000 } }).ready(2);
  const process = workers.process(0);
  const stuck = workers.score();
  t.mock.timers.tick(1000);
  assert.equal(await outcome(stuck), 'deadline_exceeded');
  const waits = workers.score();
  assert.deepEqual(idsAt(process), [1]);
  t.mock.timers.tick(100);
  assert.deepEqual(process.endings, ['kill']);
  assert.match(workers.texts.join('\n'), /did not react to a cancel within 100 ms/);
  process.exit();
  t.mock.timers.tick(0);
  workers.process(1).ready();
  workers.process(1).reply(2);
  assert.equal(await outcome(waits), 'done');
  assert.deepEqual(await workers.restarts(), ['deadline 1']);
});

test('a worker that answers other requests after a cancel retires', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { scoringTimeoutMs: 1000 } }).ready(3);
  const process = workers.process(0);
  const never = workers.score();
  t.mock.timers.tick(500);
  const neighbour = workers.score();
  t.mock.timers.tick(500);
  assert.equal(await outcome(never), 'deadline_exceeded');
  process.frame(WorkerKind.cancelled, 1);
  process.lastReadAt = Number.POSITIVE_INFINITY;
  t.mock.timers.tick(100);
  assert.match(workers.texts.join('\n'), /a run did not end after its cancel/);
  assert.deepEqual([workers.processes.length, process.endings], [2, []]);
  process.reply(2);
  assert.equal(await outcome(neighbour), 'done');
  assert.deepEqual(process.endings, ['kill']);
  process.exit();
  t.mock.timers.runAll();
  assert.equal(workers.processes.length, 2, 'it was replaced before');
  assert.deepEqual(await workers.restarts(), ['deadline 1']);
});

test('the silence of a worker means nothing while its pipe is left unread', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { scoringTimeoutMs: 1000, answersMaxBytes: 10 } }).ready();
  const held = workers.scorer.answers.hold(11);
  const scoring = workers.score();
  t.mock.timers.tick(1000);
  assert.equal(await outcome(scoring), 'deadline_exceeded');
  // The clock of the cancel is not that of the timers: a pause that goes on is later in any case.
  t.mock.timers.tick(100);
  assert.deepEqual([workers.process(0).cancels, workers.process(0).endings], [[1, 1], []]);
  held.release();
});

test('a request that waits too long is answered without a worker', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { queueWaitTimeoutMs: 50 } }).ready();
  const held = workers.score();
  const waits = workers.score();
  t.mock.timers.tick(50);
  assert.equal(await outcome(waits), 'queue_timeout');
  workers.process(0).reply(1);
  assert.equal(await outcome(held), 'done');
  assert.deepEqual(idsAt(workers.process(0)), [1]);
});

test('a client that leaves a run cancels it; once it is over, that has no effect', async () => {
  const workers = await new FakeWorkers().ready();
  const scoring = workers.score();
  scoring.cancel();
  assert.equal(await outcome(scoring), 'client_gone');
  assert.deepEqual(workers.process(0).cancels, [1]);
  workers.process(0).frame(WorkerKind.failure, 1, { code: 'client_gone', message: '' });
  scoring.cancel();
  assert.deepEqual(workers.process(0).cancels, [1]);
});

test('a client that leaves a stream leaves the run its whole deadline', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { scoringTimeoutMs: 1000 } }).ready();
  const process = workers.process(0);
  const scoring = workers.score();
  process.startStream(1);
  process.frame(WorkerKind.chunk, 1, Buffer.from('a chunk'));
  const { body } = await scoring.reply;
  assert.ok(body instanceof Readable);
  t.mock.timers.tick(5000);
  assert.deepEqual(process.cancels, []);
  body.destroy();
  await new Promise((resolve) => body.once('close', resolve));
  assert.deepEqual(process.cancels, [1]);
  t.mock.timers.tick(999);
  assert.deepEqual(process.cancels, [1]);
  t.mock.timers.tick(1);
  assert.deepEqual(process.cancels, [1, 1]);
});

/** Frames that break the protocol of a request, and what leads to them. */
const wrong: Record<
  string,
  { readonly before?: (process: FakeProcess) => void; readonly frame: (process: FakeProcess) => void; readonly why: RegExp }
> = {
  'a reply that is too short': { frame: (process) => process.frame(WorkerKind.reply, 1), why: /too short/ },
  'a failure that is no JSON': { frame: (process) => process.frame(WorkerKind.failure, 1, Buffer.from('{')), why: /not JSON/ },
  'a reply after a stream': {
    before: (process) => process.startStream(1),
    frame: (process) => process.reply(1),
    why: /a reply to the request 1, whose stream has begun/,
  },
  'a second stream': { before: (process) => process.startStream(1), frame: (process) => process.startStream(1), why: /a second stream/ },
  'the end of no stream': {
    frame: (process) => process.frame(WorkerKind.end, 1),
    why: /the end of a stream of the request 1, which has none/,
  },
  'a kind of the host': { frame: (process) => process.frame(HostKind.score, 1), why: /a frame of kind 2/ },
};
for (const [what, { before, frame, why }] of Object.entries(wrong))
  test(`${what} is an error, and its request is answered when its worker is lost`, async () => {
    const workers = await new FakeWorkers().ready();
    const scoring = workers.score();
    const process = workers.process(0);
    before?.(process);
    assert.throws(
      () => frame(process),
      (thrown) => thrown instanceof FrameError && why.test(thrown.message),
    );
    assert.equal(workers.scorer.load.inFlight, 1);
    process.exit();
    assert.equal(await outcome(scoring), 'worker_lost');
    assert.equal(workers.scorer.load.inFlight, 0);
  });

test('answers to requests that the worker does not hold are passed over', async () => {
  const workers = await new FakeWorkers().ready();
  const process = workers.process(0);
  process.reply(7);
  process.startStream(7);
  process.frame(WorkerKind.chunk, 7);
  process.frame(WorkerKind.end, 7);
  process.frame(WorkerKind.failure, 7, failure);
  process.frame(WorkerKind.times, 7, { at: 1, ms: 2, inferences: [] });
  assert.equal(workers.scorer.load.inFlight, 0);
});

test('collected rows, and reports of rows that were not collected, go to the collector', async () => {
  const taken: unknown[] = [];
  const collecting = {
    rows: (payload: Buffer) => void taken.push(payload.length),
    notCollected: (...report: unknown[]) => void taken.push(report),
  };
  const workers = await new FakeWorkers({ collecting }).ready();
  assert.throws(() => workers.process(0).frame(WorkerKind.collect), FrameError);
  workers.process(0).frame(WorkerKind.notCollected, 0, [{ collection: 'inputs', reason: 'sampled_out', count: 2 }]);
  assert.deepEqual(taken, [['inputs', 'sampled_out', 2]]);
});

test("a request whose client's own deadline has passed reaches no worker, also if its timer is late", async () => {
  const workers = await new FakeWorkers().ready();
  const deadline = { passed: true, error: new ServerError('client_deadline', 'late') };
  assert.equal(await outcome(workers.score({ deadline })), 'client_deadline');
  const runs = workers.score({ deadline: { ...deadline, passed: false } });
  const late = { ...deadline, passed: false };
  const [first, second] = [workers.score({ deadline: late }), workers.score({ deadline: late })];
  const waits = workers.score();
  late.passed = true;
  workers.process(0).reply(2);
  assert.deepEqual(await Promise.all([runs, first, second].map(outcome)), ['done', 'client_deadline', 'client_deadline']);
  assert.deepEqual(idsAt(workers.process(0)), [2, 5]);
  workers.process(0).reply(5);
  assert.equal(await outcome(waits), 'done');
  assert.deepEqual([workers.scorer.load.queued, workers.scorer.load.inFlight], [0, 0]);
  await workers.scorer.idle();
});

test('requests wait in the pipe of a worker whose runs are quick, as many as it allows', async () => {
  const workers = await new FakeWorkers().started();
  const process = workers.process(0);
  process.ready(1, 2);
  for (let count = 0; count < 6; count++) workers.score();
  assert.deepEqual(idsAt(process), [1], 'nothing is known of its runs yet');
  process.reply(1);
  assert.deepEqual(idsAt(process), [1, 2, 3, 4]);
  process.reply(2, 'done', 3);
  assert.deepEqual(idsAt(process), [1, 2, 3, 4], 'its last run took 3 ms');
});

test('requests that a worker gives back go to the next one that is free, in their order', async () => {
  const workers = await new FakeWorkers({ workers: 2 }).started();
  const [slow, other] = [workers.process(0), workers.process(1)];
  for (const process of [slow, other]) process.ready(1, 3);
  const scorings = Array.from({ length: 5 }, () => workers.score());
  slow.reply(1);
  assert.deepEqual([idsAt(slow), idsAt(other)], [[1, 3, 4, 5], [2]]);
  slow.frame(WorkerKind.returned, 5);
  slow.frame(WorkerKind.returned, 4);
  assert.deepEqual(workers.scorer.load, { queued: 2, inFlight: 2, workers: 2, concurrency: 2, credits: 0 });
  other.reply(2);
  assert.deepEqual(idsAt(other), [2, 4], 'what was given back waits behind no run again');
  for (const id of [4, 5]) other.reply(id);
  assert.deepEqual(await Promise.all([scorings[3]!, scorings[4]!].map(outcome)), ['done', 'done']);
});

for (const ahead of [0, 2])
  test(`a worker gives no request back that waits behind none (${ahead} ahead)`, async () => {
    const workers = await new FakeWorkers().started();
    const process = workers.process(0);
    process.ready(1, ahead);
    workers.score();
    for (const id of [1, 9]) assert.throws(() => process.frame(WorkerKind.returned, id), FrameError);
    process.begun = 1;
    process.reply(1);
    for (let count = 0; count < 2; count++) workers.score();
    process.begun = 2;
    assert.throws(() => process.frame(WorkerKind.returned, 2), FrameError);
  });

test('a request is given back once, and not after it has begun', async () => {
  const workers = await new FakeWorkers().started();
  const process = workers.process(0);
  process.ready(1, 2);
  const scorings = Array.from({ length: 5 }, () => workers.score());
  process.reply(1);
  assert.deepEqual(idsAt(process), [1, 2, 3, 4]);
  process.begun = 3;
  assert.throws(() => process.frame(WorkerKind.returned, 3), FrameError);
  process.reply(2);
  process.frame(WorkerKind.returned, 5);
  process.frame(WorkerKind.returned, 4);
  process.reply(3);
  assert.deepEqual(idsAt(process), [1, 2, 3, 4, 5, 4], 'its runs are quick again, and it has two orders to give');
  assert.throws(() => process.frame(WorkerKind.returned, 4), FrameError);
  process.reply(4);
  process.reply(5);
  assert.deepEqual(await Promise.all(scorings.map(outcome)), ['done', 'done', 'done', 'done', 'done']);
});

test('what a lost worker had not begun waits behind no run again', async () => {
  const workers = await new FakeWorkers({ workers: 2 }).started();
  const [lost, other] = [workers.process(0), workers.process(1)];
  for (const process of [lost, other]) process.ready(1, 3);
  for (let count = 0; count < 2; count++) workers.score();
  lost.reply(1);
  other.reply(2);
  lost.begun = 2;
  const held = workers.score();
  for (let count = 0; count < 3; count++) workers.score();
  assert.deepEqual(
    [idsAt(lost), idsAt(other)],
    [
      [1, 3, 5],
      [2, 4, 6],
    ],
  );
  lost.exit();
  assert.equal(await outcome(held), 'worker_lost');
  assert.deepEqual(idsAt(other), [2, 4, 6]);
  other.reply(4);
  assert.deepEqual(idsAt(other), [2, 4, 6]);
  other.reply(6);
  assert.deepEqual(idsAt(other), [2, 4, 6, 5]);
});

test('a request that is given back after its client has left is over', async () => {
  const workers = await new FakeWorkers().started();
  const process = workers.process(0);
  process.ready(1, 1);
  const scorings = [workers.score(), workers.score(), workers.score()];
  process.reply(1);
  scorings[2]!.cancel();
  process.frame(WorkerKind.returned, 3);
  process.reply(2);
  await workers.scorer.idle();
  assert.equal(await outcome(scorings[2]!), 'client_gone');
});

test('a request that is given back waits no longer for a worker than any other', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = await new FakeWorkers({ limits: { queueWaitTimeoutMs: 500 } }).started();
  const process = workers.process(0);
  process.ready(1, 1);
  const scorings = [workers.score(), workers.score(), workers.score()];
  process.reply(1);
  process.frame(WorkerKind.returned, 3);
  assert.equal(workers.scorer.load.queued, 1);
  t.mock.timers.tick(500);
  assert.equal(await outcome(scorings[2]!), 'queue_timeout');
});
