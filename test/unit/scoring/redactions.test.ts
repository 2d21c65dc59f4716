import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkerKind } from '../../../server/ipc/kinds.ts';
import { redactedParts, type RedactableBody, type RedactedBody } from '../../../server/ipc/redaction.ts';
import type { FakeProcess } from './fake-process.ts';
import { FakeWorkers, outcome } from './fake-workers.ts';

const body = (text: string): RedactableBody => ({ collection: 'request', contentType: 'text/plain', body: [Buffer.from(text)] });

function answer(process: FakeProcess, number: number, result: RedactedBody): void {
  process.frame(WorkerKind.redacted, number, Buffer.concat(redactedParts([result]).map((part) => Buffer.from(part as string))));
}

/** Number of the last job that a process was given. */
const lastOf = (process: FakeProcess): number => process.redacts.at(-1)?.id ?? assert.fail('nothing was sent');

/** A clock that a test moves is none for timers: the limit is short instead. */
const LIMITS = { redactTimeoutMs: 300 };

async function ended(process: FakeProcess): Promise<void> {
  while (process.endings.length === 0) await delay(10);
}

/** Resolves when the host has read a mark twice: it then sees that a hook has the thread. */
async function seenTwice(process: FakeProcess, mark: FakeProcess['redactions']): Promise<void> {
  let reads = 0;
  const seen = Promise.withResolvers<void>();
  const get = (): typeof mark => {
    if (++reads === 2) setImmediate(() => seen.resolve());
    return mark;
  };
  Object.defineProperty(process, 'redactions', {
    configurable: true,
    get,
    set: (value) => {
      Object.defineProperty(process, 'redactions', { value });
    },
  });
  await seen.promise;
}

test('bodies go to the hook in the pieces that they came in, without a copy', async () => {
  const { scorer, processes } = await new FakeWorkers().ready();
  const pieces = [Buffer.alloc(70_000), Buffer.from('end')];
  const done = scorer.redactions.redact('i', [
    { collection: 'request', contentType: 'application/json', body: pieces },
    { collection: 'response', contentType: 'text/plain', body: [Buffer.from('1')] },
  ]);
  const [{ head, bodies } = assert.fail('nothing was sent')] = processes[0]?.redacts ?? [];
  assert.deepEqual(
    head.sides.map(({ bytes }) => bytes),
    [70_003, 1],
  );
  assert.ok(bodies[0] === pieces[0] && bodies[1] === pieces[1]);
  scorer.redactions.stop();
  assert.deepEqual(await done, ['stopped', 'stopped']);
});

test('a hook that has the thread beyond its limit costs its worker and its own bodies; the other jobs go to another', async () => {
  const workers = await new FakeWorkers({ workers: 2, limits: LIMITS }).ready();
  const { scorer } = workers;
  const [one, two] = [workers.process(0), workers.process(1)];
  const looping = scorer.redactions.redact('loops', [body('a')]);
  const waiting = scorer.redactions.redact('waits', [body('b')]);
  const number = one.redacts[0]?.id ?? 0;
  one.redactions = { begun: 1, holder: number };
  const from = performance.now();
  await ended(one);
  const took = performance.now() - from;
  assert.ok(took >= 300 && took < 1000, `ended after ${took} ms`);
  assert.deepEqual(await looping, ['hook_timeout']);
  one.exit();
  assert.deepEqual(await workers.restarts(), ['redaction 1']);
  assert.match(workers.texts.join('\n'), /redact\(\) of the entry script had the thread of its worker for more than 300 ms/);
  assert.equal(two.redacts.length, 1, 'only the job that had not begun is repeated');
  answer(two, lastOf(two), { contentType: 'text/plain', body: Buffer.from('kept') });
  assert.deepEqual(await waiting, [{ contentType: 'text/plain', body: Buffer.from('kept') }]);
  scorer.redactions.stop();
});

test('the time before a hook begins, and after it gave the thread back, does not count', async () => {
  const workers = await new FakeWorkers({ limits: LIMITS }).ready();
  const one = workers.process(0);
  const scoring = workers.score();
  const jobs = ['a', 'b'].map((text) => workers.scorer.redactions.redact(text, [body(text)]));
  await delay(700);
  // The first awaits something; the worker says nothing, because the run has its thread.
  one.redactions = { begun: 1, holder: 0 };
  await delay(LIMITS.redactTimeoutMs + 1500);
  assert.deepEqual(one.endings, []);
  for (const { id } of one.redacts) answer(one, id, undefined);
  one.reply(one.scores[0]?.id ?? 0);
  assert.deepEqual(await Promise.all(jobs), [[undefined], [undefined]]);
  assert.equal(await outcome(scoring), 'done');
  workers.scorer.redactions.stop();
});

test('a hook that has the thread after an await is found by the silence of a worker without runs', async () => {
  const workers = await new FakeWorkers({ limits: LIMITS }).ready();
  const one = workers.process(0);
  one.begun = 0;
  const job = workers.scorer.redactions.redact('a', [body('a')]);
  const waiting = outcome(workers.score());
  one.redactions = { begun: 1, holder: 0 };
  await ended(one);
  assert.deepEqual(await job, ['hook_timeout']);
  one.exit();
  while (workers.processes.length < 2) await delay(5);
  const two = workers.process(1);
  two.ready();
  two.reply(two.scores[0]?.id ?? assert.fail('the request did not move'));
  assert.equal(await waiting, 'done');
  assert.deepEqual(two.redacts, [], 'not repeated');
});

test('a worker whose hook has the thread gets requests only where no other has credit', async () => {
  const workers = await new FakeWorkers({ workers: 2, limits: { redactTimeoutMs: 60_000 } }).ready(2);
  const [one, two] = [workers.process(0), workers.process(1)];
  const job = workers.scorer.redactions.redact('a', [body('a')]);
  await seenTwice(one, { begun: 1, holder: lastOf(one) });
  const scorings = Array.from({ length: 3 }, () => outcome(workers.score()));
  assert.deepEqual([one.scores.length, two.scores.length], [1, 2]);
  one.redactions = { begun: 1, holder: 0 };
  answer(one, lastOf(one), undefined);
  assert.deepEqual(await job, [undefined]);
  for (const process of [one, two]) for (const { id } of process.scores) process.reply(id);
  assert.deepEqual(await Promise.all(scorings), ['done', 'done', 'done']);
});

test('a job whose hook two workers ended in is given up; one that had not begun is not', async () => {
  const workers = await new FakeWorkers({ workers: 3 }).ready();
  const died = workers.scorer.redactions.redact('dies', [body('a')]);
  const waits = workers.scorer.redactions.redact('waits', [body('b')]);
  for (const number of [0, 1]) {
    const process = workers.process(number);
    process.redactions = { begun: 1, holder: lastOf(process) };
    process.exit({ code: 7, signal: null });
  }
  assert.deepEqual(await died, ['worker_lost']);
  const last = workers.process(2);
  answer(last, lastOf(last), undefined);
  assert.deepEqual(await waits, [undefined]);
  workers.scorer.redactions.stop();
});

test('a mark of another job, or of none, ends nobody', async () => {
  const workers = await new FakeWorkers({ limits: LIMITS }).ready();
  const one = workers.process(0);
  const job = workers.scorer.redactions.redact('a', [body('a')]);
  one.redactions = { begun: 0, holder: 4711 };
  await delay(800);
  assert.deepEqual(one.endings, []);
  workers.scorer.redactions.stop();
  assert.deepEqual(await job, ['stopped']);
});

test('a hook that had the thread of a worker when a deadline ended it does not get its bodies again', async () => {
  const workers = await new FakeWorkers({ workers: 2, limits: { redactTimeoutMs: 60_000, scoringTimeoutMs: 200 } }).ready();
  const [one, two] = [workers.process(0), workers.process(1)];
  const looping = workers.scorer.redactions.redact('loops', [body('a')]);
  const awaiting = workers.scorer.redactions.redact('awaits', [body('b')]);
  one.begun = 0;
  one.redactions = { begun: 2, holder: one.redacts[0]?.id ?? 0 };
  const scoring = outcome(workers.score());
  await ended(one);
  assert.equal(await scoring, 'deadline_exceeded');
  one.exit();
  assert.deepEqual(await looping, ['hook_timeout']);
  assert.deepEqual(
    two.redacts.map(({ head }) => head.id),
    ['awaits'],
    'only the thread is known: another hook may be right',
  );
  answer(two, lastOf(two), undefined);
  assert.deepEqual(await awaiting, [undefined]);
  workers.scorer.redactions.stop();
});

test('a hook whose time was over when a deadline ended its silent worker does not get its bodies again', async () => {
  const workers = await new FakeWorkers({ workers: 2, limits: { redactTimeoutMs: 300, scoringTimeoutMs: 500 } }).ready();
  const [one, two] = [workers.process(0), workers.process(1)];
  const looping = workers.scorer.redactions.redact('loops', [body('a')]);
  one.redactions = { begun: 1, holder: 0 };
  const scoring = outcome(workers.score());
  await ended(one);
  assert.equal(await scoring, 'deadline_exceeded', 'a run may have the thread, so the hook is not ended for its own limit');
  one.exit();
  assert.deepEqual(await looping, ['hook_timeout']);
  assert.deepEqual(two.redacts, []);
  workers.scorer.redactions.stop();
});

test('requests that a stop ends keep no record waiting: their bodies are given up at once', async () => {
  const workers = await new FakeWorkers().ready();
  const before = workers.scorer.redactions.redact('before', [body('a')]);
  workers.scorer.redactions.stop();
  assert.deepEqual(await before, ['stopped']);
  assert.deepEqual(await workers.scorer.redactions.redact('after', [body('a'), body('b')]), ['stopped', 'stopped']);
  assert.equal(workers.process(0).redacts.length, 1);
});
