/**
 * Statuses of your own: a ScoringError for what a client did wrong, a Response for the rest.
 *
 * npm start -- --entry-script docs/cookbook/status-codes/score.ts
 * sh docs/cookbook/status-codes/try.sh
 */

import { ScoringError } from 'scoring-server';

export function init() {}

export function run({ amount }: { amount?: unknown }) {
  if (typeof amount !== 'number') throw new ScoringError(400, 'expected {"amount": <number>}');
  if (amount < 0) throw new ScoringError(422, { field: 'amount', minimum: 0, got: amount });
  if (amount > 1000) return Response.json({ decision: 'a person decides' }, { status: 202, headers: { 'retry-after': '3600' } });
  return { decision: 'accepted' };
}
