import assert from 'node:assert/strict';
import test from 'node:test';
import { pino } from 'pino';
import { ServerError } from '../../../server/errors.ts';
import { Replacements } from '../../../server/scoring/replacements.ts';

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

test('the server gives up when every place has used up its attempts and nobody serves, not before', () => {
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
  assert.match(String(lines.at(-1)?.['msg']), /gives up \(REPLACEMENT_ATTEMPTS\)/);
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

test('a replacement that failed is followed by the next after its wait, and by none where the server gives up', (t) => {
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
