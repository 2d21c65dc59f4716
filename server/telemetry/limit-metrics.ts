import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../config/config.ts';

/** Limits that dashboards and alerts compare other metrics with. They never change. */
type Limits = Pick<Config, 'queueMaxRequests' | 'scoringTimeoutMs' | 'workerMemoryBytes'>;

const rows: readonly { readonly name: string; readonly help: string; readonly value: (limits: Limits) => number }[] = [
  {
    name: 'scoring_queue_limit',
    help: 'scoring requests that can wait for a worker; more are refused',
    value: ({ queueMaxRequests }) => queueMaxRequests,
  },
  {
    name: 'scoring_deadline_seconds',
    help: 'longest time of a scoring request; 0: no limit',
    value: ({ scoringTimeoutMs }) => scoringTimeoutMs / 1000,
  },
  {
    name: 'worker_memory_limit_bytes',
    help: 'memory at which a worker is replaced, without mapped files; 0: only the sum of all is limited',
    value: ({ workerMemoryBytes }) => workerMemoryBytes,
  },
];

/** Adds the limits of the options, as gauges. Zero: no limit. */
export function addLimitMetrics(registry: Registry, limits: Limits): void {
  for (const { name, help, value } of rows) new Gauge({ name, help, registers: [registry] }).set(value(limits));
}
