import type { InitContext } from 'scoring-server';
export function init({ metrics }: InitContext): void {
  metrics.counter('scoring_requests_total', 'mine');
}
export const run = (): string => 'never';
