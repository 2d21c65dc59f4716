import type { InsightItem, SpanItem, ToThread } from './exporting/items.ts';
import { writeRequestLine } from './exporting/request-line.ts';

/** Items and milliseconds that make a message to the thread. */
const BATCH = 256;
const BATCH_AFTER_MS = 100;

/** Gathers items into messages to the thread. */
export class Outbox {
  readonly #send: (message: ToThread) => void;
  #insights: string[] = [];
  #spans: string[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (message: ToThread) => void) {
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
    // Long strings are copied at once; objects would be cloned member by member.
    this.#send({ insights: this.#insights.join('\n'), spans: this.#spans.join('\n') });
    this.#insights = [];
    this.#spans = [];
    this.#count = 0;
  }
}
