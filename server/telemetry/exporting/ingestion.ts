import { readRetryAfter } from '../../delivery/retry-delay.ts';
import type { Delivery } from './delivery-queue.ts';
import type { PostResult } from './post.ts';

/** Statuses of a request, or of one item in it, after which another try may succeed. */
const RETRIABLE: ReadonlySet<number> = new Set([408, 429, 439, 500, 502, 503, 504]);

interface TrackAnswer {
  readonly itemsAccepted?: unknown;
  readonly errors?: readonly { readonly index?: unknown; readonly statusCode?: unknown; readonly message?: unknown }[];
}

/** What has become of the items of a POST: reference/telemetry.md, section 6. Items that an answer does not name share its fate. */
export function deliveryOf<T>(items: readonly T[], result: PostResult): Delivery<T> {
  const none = { delivered: [], again: [], lost: [] };
  if ('error' in result) {
    const problem = `Application Insights: ${result.error}`;
    return result.sent
      ? { ...none, lost: items, reason: 'unconfirmed', problem }
      : { ...none, again: items, reason: 'unreachable', problem };
  }
  const { status, text } = result;
  const { errors = [] } = parse(text);
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

function parse(text: string): TrackAnswer {
  try {
    const answer = JSON.parse(text) as TrackAnswer | null;
    return Array.isArray(answer?.errors) ? answer : {};
  } catch {
    return {};
  }
}
