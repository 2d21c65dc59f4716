import type { Config } from '../config/config.ts';

/** Limits in milliseconds; 0: no limit. */
type TimeLimits = Pick<Config, 'initTimeoutMs' | 'scoringTimeoutMs' | 'queueWaitTimeoutMs' | 'streamIdleTimeoutMs'>;

/** Limits of a scorer. */
export type ScorerLimits = Omit<TimeLimits, 'initTimeoutMs'> &
  Pick<Config, 'cancelGraceMs' | 'queueMaxRequests' | 'queueMaxBytes' | 'bodyLimitBytes' | 'answersMaxBytes'>;

/**
 * The time limits of the options. Why none for a debugger: it holds a script for as long as a
 * person thinks.
 */
export function limitsOf(config: TimeLimits & Pick<Config, 'debugPort'>): TimeLimits {
  if (config.debugPort !== 0) return { initTimeoutMs: 0, scoringTimeoutMs: 0, queueWaitTimeoutMs: 0, streamIdleTimeoutMs: 0 };
  const { initTimeoutMs, scoringTimeoutMs, queueWaitTimeoutMs, streamIdleTimeoutMs } = config;
  return { initTimeoutMs, scoringTimeoutMs, queueWaitTimeoutMs, streamIdleTimeoutMs };
}
