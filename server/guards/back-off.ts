/** Bounds of a back-off; milliseconds. */
export interface BackOffBounds {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * Milliseconds before an attempt: none before the first, then twice as long each time.
 * @param attempt how many attempts came before
 * @param jitter changes each wait; where many processes wait for one service, they must not come
 * together
 */
export function backOffMs(attempt: number, { firstMs, longestMs }: BackOffBounds, jitter = (ms: number): number => ms): number {
  if (attempt <= 0) return 0;
  // 2 ** 30 times a millisecond is beyond every wait, and no exponent overflows.
  return jitter(Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 30)));
}
