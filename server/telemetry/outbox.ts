import type { InsightItem, SpanItem, ToThread } from './exporting/items.ts';
import { writeRequestLine } from './exporting/request-line.ts';

/** A message leaves with so many items, or after so many milliseconds. */
const BATCH = 256;
const BATCH_AFTER_MS = 100;

/** Gathers items into messages to the thread. */
export class Outbox {
  readonly #send: (message: ToThread) => unknown;
  #insights: string[] = [];
  #spans: string[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (message: ToThread) => unknown) {
    this.#send = send;
  }

  /** @returns size, as the thread will report it */
  add(item: InsightItem | SpanItem): number {
    const line = item.kind === 'request' ? writeRequestLine(item) : JSON.stringify(item);
    (item.kind === 'span' ? this.#spans : this.#insights).push(line);
    if (++this.#count >= BATCH) this.post();
    else this.#timer ??= setTimeout(() => this.post(), BATCH_AFTER_MS).unref();
    return line.length;
  }

  post(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    // Strings, because structured clone copies a string at once and an object member by member.
    this.#send({ insights: this.#insights.join('\n'), spans: this.#spans.join('\n') });
    this.#insights = [];
    this.#spans = [];
    this.#count = 0;
  }
}
