import { readRetryAfter } from '../../delivery/retry-delay.ts';
import { object } from '../../guards/checks.ts';
import type { Delivery } from './delivery-queue.ts';
import type { PostResult } from '../../delivery/post.ts';

/** Statuses of a request, or of one item in it, after which a retry may succeed. */
const RETRIABLE: ReadonlySet<number> = new Set([408, 429, 439, 500, 502, 503, 504]);

/** Why the service did not take one item. */
interface ItemError {
  readonly index?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
}

/**
 * The outcome of each item of a POST: docs/telemetry.md. Items that the answer does not name share
 * the outcome of the POST.
 */
export function deliveryOf<T>(items: readonly T[], result: PostResult): Delivery<T> {
  const none = { delivered: [], again: [], lost: [] };
  if ('error' in result) {
    const problem = `Application Insights: ${result.error}`;
    return result.sent
      ? { ...none, lost: items, reason: 'unconfirmed', problem }
      : { ...none, again: items, reason: 'unreachable', problem };
  }
  const { status, text } = result;
  const errors = readErrors(text);
  const askedMs = readRetryAfter(result.retryAfter);
  if (status === 200 || status === 206) {
    if (errors.length === 0) return { ...none, delivered: items, reason: 'rejected' };
    const bad = new Map(errors.map(({ index, statusCode }) => [index, Number(statusCode)]));
    const failed = (at: number): number | undefined => bad.get(at);
    const again = items.filter((_, at) => RETRIABLE.has(failed(at) ?? 0));
    const lost = items.filter((_, at) => failed(at) !== undefined && !RETRIABLE.has(failed(at) ?? 0));
    const delivered = items.filter((_, at) => failed(at) === undefined);
    const problem = `Application Insights refused ${errors.length} of ${items.length} items: ${String(errors[0]?.message)}`;
    return { delivered, again, lost, reason: 'rejected', problem, askedMs };
  }
  const problem = `Application Insights answered ${status}${errors[0] === undefined ? '' : `: ${String(errors[0].message)}`}`;
  if (RETRIABLE.has(status)) return { ...none, again: items, reason: 'rejected', problem, askedMs };
  return { ...none, lost: items, reason: 'rejected', problem };
}

/** The errors that an answer lists; none where it has another form. */
function readErrors(text: string): readonly ItemError[] {
  try {
    const answer: unknown = JSON.parse(text);
    const errors = object(answer) ? answer['errors'] : undefined;
    return Array.isArray(errors) && errors.every(object) ? errors : [];
  } catch {
    return [];
  }
}
