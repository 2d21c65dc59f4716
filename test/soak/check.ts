import assert from 'node:assert/strict';
import type { Report } from './soak.ts';

/** What may stay with the host, or come with code that was compiled meanwhile. */
const SLACK_MB = 120;
/** On a slow machine that others use, too. */
const LONGEST_PROBE_MS = 8000;

/** @throws AssertionError where a promise of the server does not hold */
export function check({ sent, answers, losses, hostRssMb, probeMs, inFlightAfterwards, exit, internalErrors }: Report): void {
  assert.deepEqual(internalErrors, [], 'faults of the server itself');
  assert.equal(answers.reset, 0, 'connections broke although their clients had not left');
  assert.equal(
    sent,
    Object.values(answers).reduce((a, b) => a + b, 0),
    'every request has one end',
  );
  assert.ok(answers['2xx'] > sent / 2, `only ${answers['2xx']} of ${sent} requests were answered well`);
  assert.ok(losses.size > 0, 'nothing was lost: the soak showed nothing');
  assert.equal(inFlightAfterwards, 0, 'nothing is in flight afterwards');
  assert.ok(hostRssMb.last < hostRssMb.first + SLACK_MB, `the host grew from ${hostRssMb.first} to ${hostRssMb.last} MB`);
  assert.ok(probeMs.longest < LONGEST_PROBE_MS, `a liveness probe took ${probeMs.longest} ms`);
  assert.deepEqual(exit, { code: 0, signal: null });
}
