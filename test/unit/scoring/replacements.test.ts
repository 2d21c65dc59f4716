import assert from 'node:assert/strict';
import test from 'node:test';
import { pino } from 'pino';
import { ServerError } from '../../../server/errors.ts';
import { Place, Replacements } from '../../../server/scoring/replacements.ts';

const error = new ServerError('init_failed', 'no database');

function replacements(attempts: number): {
  readonly all: Replacements;
  readonly lines: Record<string, unknown>[];
  readonly spawned: Promise<number>;
} {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const spawned = Promise.withResolvers<number>();
  return { all: new Replacements({ attempts, longestMs: 1000, spawn: spawned.resolve, log }), lines, spawned: spawned.promise };
}

test('a lost worker is replaced in its place', async () => {
  const { all, spawned } = replacements(1);
  all.lost(3);
  assert.equal(await spawned, 3);
});

test('no replacement follows when every place has used up its attempts and no worker serves, not before', () => {
  const { all, lines } = replacements(2);
  all.started(0);
  all.started(1);
  const answers = [
    all.failed(0, error, true),
    all.failed(0, error, true),
    all.failed(0, error, true),
    // The other one is lost as well, and has its own attempts.
    all.failed(1, error, false),
    all.failed(0, error, false),
    all.failed(1, error, false),
  ];
  all.stop();
  assert.deepEqual(answers, [true, true, true, true, true, false]);
  assert.deepEqual(
    lines.map(({ worker, attempt, attempts, nextMs, code }) => [worker, attempt, attempts, nextMs, code]),
    [
      [0, 1, 2, 100, 'init_failed'],
      [0, 2, 2, 200, 'init_failed'],
      [0, 3, 2, 400, 'init_failed'],
      [1, 1, 2, 100, 'init_failed'],
      [0, 4, 2, 800, 'init_failed'],
      [1, 2, 2, undefined, 'init_failed'],
    ],
  );
  assert.match(String(lines[0]?.['msg']), /attempt 1 of 2; the next starts in 100 ms: no database/);
  assert.match(String(lines.at(-1)?.['msg']), /attempt 2 of 2; it was the last \(REPLACEMENT_ATTEMPTS\): no database/);
});

test('a replacement that serves has all attempts again', () => {
  const { all } = replacements(2);
  all.started(0);
  assert.equal(all.failed(0, error, false), true);
  all.started(0);
  assert.equal(all.failed(0, error, false), true);
  assert.equal(all.failed(0, error, false), false);
  all.stop();
});

test('a replacement that failed is followed by the next after its wait, and by none after the last attempt', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const spawned: number[] = [];
  const log = pino({ enabled: false });
  const all = new Replacements({ attempts: 2, longestMs: 1000, spawn: (place) => void spawned.push(place), log });
  all.failed(0, error, false);
  t.mock.timers.tick(99);
  assert.deepEqual(spawned, []);
  t.mock.timers.tick(1);
  assert.deepEqual(spawned, [0]);
  all.failed(0, error, false);
  t.mock.timers.runAll();
  assert.deepEqual(spawned, [0]);
});

test('a first loss is replaced at once, later ones after twice as long each, and old ones are forgotten', () => {
  const place = new Place();
  assert.deepEqual(
    Array.from({ length: 9 }, () => place.afterLoss(0)),
    [0, 100, 200, 400, 800, 1600, 3000, 3000, 3000],
  );
  assert.equal(place.afterLoss(61_000), 0);
});

test('replacements that fail are tried for minutes with the defaults, and the wait stays within its limit', () => {
  const place = new Place();
  const waits = Array.from({ length: 20 }, () => place.afterFailure(30_000));
  assert.deepEqual(waits.slice(0, 11), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  const minutes = waits.slice(0, 19).reduce((sum, ms) => sum + ms, 0) / 60_000;
  assert.ok(minutes > 5 && minutes < 7, String(minutes));
  for (let more = 0; more < 2000; more++) assert.equal(place.afterFailure(30_000), 30_000);
});

test('a replacement that serves makes the next failure a first one, and losses do not count as failures', () => {
  const place = new Place();
  place.afterFailure(30_000);
  place.afterLoss(0);
  assert.equal(place.failures, 1);
  place.started();
  assert.deepEqual([place.failures, place.afterFailure(30_000)], [0, 100]);
});
