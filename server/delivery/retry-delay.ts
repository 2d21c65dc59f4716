import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../guards/back-off.ts';

/** How long the retries of one kind of work wait. */
export interface RetryPolicy {
  /** Milliseconds before the first retry; each further one waits twice as long. */
  readonly firstMs: number;
  readonly longestMs: number;
  /**
   * Share of a wait that is random, 0 to 1, so that servers that failed together do not retry
   * together.
   */
  readonly jitter: number;
  /**
   * How a wait that the other side asks for (Retry-After) counts; undefined: nobody can ask for
   * one.
   */
  readonly asked?: {
    /** It is cut to this. */
    readonly longestMs: number;
    /**
     * True: it takes the place of the policy's own wait. False: the longer one of the two counts.
     */
    readonly replaces: boolean;
  };
}

/**
 * Milliseconds to wait before a retry.
 * @param attempt number of failures in a row, from 1
 * @param askedMs wait that the other side asks for; undefined: it asks for none
 * @param random answers 0 to 1
 */
export function retryDelay(attempt: number, policy: RetryPolicy, askedMs?: number, random = Math.random): number {
  const { jitter, asked } = policy;
  const own = backOffMs(attempt, policy, (ms) => ms * (1 - jitter * random()));
  if (asked === undefined || askedMs === undefined) return own;
  const wanted = Math.min(askedMs, asked.longestMs);
  return asked.replaces ? wanted : Math.max(wanted, own);
}

/** Waits so long, or until the signal is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * Milliseconds from now that a header Retry-After (RFC 9110, section 10.2.3) asks for; undefined
 * where it cannot be read.
 */
export function readRetryAfter(header: string | null | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms >= 0 ? ms : undefined;
}
