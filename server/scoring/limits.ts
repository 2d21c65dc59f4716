import type { Config } from '../config/config.ts';
import { REDACT_LIMIT_MS } from '../ipc/limits.ts';

type TimeOptions = Pick<Config, 'initTimeoutMs' | 'scoringTimeoutMs' | 'queueWaitTimeoutMs' | 'streamIdleTimeoutMs'>;

/** Limits in milliseconds; 0: no limit. */
interface TimeLimits extends TimeOptions {
  /** Of a redaction hook that has its worker's thread. */
  readonly redactTimeoutMs: number;
}

/** Limits of a scorer. */
export type ScorerLimits = Omit<TimeLimits, 'initTimeoutMs'> &
  Pick<Config, 'cancelGraceMs' | 'queueMaxRequests' | 'queueMaxBytes' | 'bodyLimitBytes' | 'answersMaxBytes'>;

/**
 * The time limits of the options, and of redaction. Why none for a debugger: it holds a script for
 * as long as a person thinks.
 */
export function limitsOf(config: TimeOptions & Pick<Config, 'debugPort'>): TimeLimits {
  if (config.debugPort !== 0)
    return { initTimeoutMs: 0, scoringTimeoutMs: 0, queueWaitTimeoutMs: 0, streamIdleTimeoutMs: 0, redactTimeoutMs: 0 };
  const { initTimeoutMs, scoringTimeoutMs, queueWaitTimeoutMs, streamIdleTimeoutMs } = config;
  return { initTimeoutMs, scoringTimeoutMs, queueWaitTimeoutMs, streamIdleTimeoutMs, redactTimeoutMs: REDACT_LIMIT_MS };
}
