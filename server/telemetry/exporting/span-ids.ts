import { newSpanId } from '../../request-ids.ts';
import type { InsightItem, RequestItem } from './items.ts';

/** Which request an item belongs to: `operation_ParentId` in Application Insights. An item keeps its ids, however often it is sent. */
export class SpanIds {
  /** Of a request its own id, of what belongs to it the same. */
  readonly #ids = new WeakMap<InsightItem, string>();
  #last: RequestItem | undefined;

  /**
   * The host tells of a request first, and at once after it of what went wrong in it, or what was collected of it.
   * What a script says comes earlier, when nobody has told of its request yet: it has the operation alone.
   */
  of(item: InsightItem): string | undefined {
    const known = this.#ids.get(item);
    if (item.kind === 'request') this.#last = item;
    if (known !== undefined) return known;
    const id = item.kind === 'request' ? (item.spanId ?? newSpanId()) : this.#idOfLast(item);
    if (id !== undefined) this.#ids.set(item, id);
    return id;
  }

  #idOfLast({ requestId, traceId }: InsightItem): string | undefined {
    const last = this.#last;
    return last !== undefined && last.requestId === requestId && last.traceId === traceId ? this.#ids.get(last) : undefined;
  }
}
