import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../config/config.ts';

/** Adds the deadline of scoring requests, which dashboards and alerts compare durations with. */
export function addLimitMetrics(registry: Registry, { scoringTimeoutMs }: Pick<Config, 'scoringTimeoutMs'>): void {
  const help = 'longest time of a scoring request (SCORING_TIMEOUT_MS); 0: no limit';
  new Gauge({ name: 'scoring_deadline_seconds', help, registers: [registry] }).set(scoringTimeoutMs / 1000);
}
