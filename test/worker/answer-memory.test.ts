import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { withWorkers } from './start-workers.ts';

const GRACE_MS = 2500;

test('a worker whose pipe the host leaves unread is not taken for stuck, and goes on when it is read again', () =>
  withWorkers(
    'echo.ts',
    async (workers) => {
      const held = workers.scorer.answers.hold(2000);
      await assert.rejects(workers.score(1), { code: 'deadline_exceeded' });
      // A worker that is stuck would be killed once in this time.
      await delay(GRACE_MS + 500);
      held.release();
      await workers.lineWith('worker ready');
      assert.equal((await workers.score(2)).json, 2);
      assert.equal(workers.pids.length, 1);
      assert.equal(workers.lines.filter(({ msg }) => /killed|replaced/.test(String(msg))).length, 0);
    },
    { limits: { answersMaxBytes: 1000, scoringTimeoutMs: 2500, cancelGraceMs: GRACE_MS } },
  ));

test('a stream counts what its client has not taken, and nothing when it is over', () =>
  withWorkers('stream.ts', async (workers) => {
    const { body } = await workers.begin(['x'.repeat(200_000), 'y'.repeat(200_000)]).reply;
    assert.ok('on' in body);
    await new Promise<void>((resolve) => body.once('readable', resolve));
    assert.ok(workers.scorer.answers.bytes >= 200_000);
    body.destroy();
    await new Promise<void>((resolve) => body.once('close', resolve));
    assert.equal(workers.scorer.answers.bytes, 0);
  }));
