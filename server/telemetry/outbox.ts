import type { ExportSettings, InsightItem, SpanItem, ToThread } from './exporting/items.ts';
import { RequestEnvelopes } from './request-envelopes.ts';

/** Items and milliseconds that make a message to the thread. */
const BATCH = 256;
const BATCH_AFTER_MS = 100;

/** Gathers items into messages to the thread. */
export class Outbox {
  readonly #send: (message: ToThread, transfer: ArrayBuffer[]) => void;
  readonly #requests: RequestEnvelopes | undefined;
  #insights: string[] = [];
  #spans: string[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: ExportSettings, send: (message: ToThread, transfer: ArrayBuffer[]) => void) {
    this.#send = send;
    if (settings.insights !== undefined) this.#requests = new RequestEnvelopes(settings, settings.insights.instrumentationKey);
  }

  /** @returns size, as the thread will report it */
  add(item: InsightItem | SpanItem): number {
    const size = item.kind === 'request' ? (this.#requests?.write(item) ?? 0) : this.#addLine(item);
    if (++this.#count >= BATCH) this.post();
    else this.#timer ??= setTimeout(() => this.post(), BATCH_AFTER_MS).unref();
    return size;
  }

  post(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    const requests = this.#requests?.take() ?? new Uint8Array();
    // Long strings are copied at once; objects would be cloned member by member.
    this.#send({ requests, insights: this.#insights.join('\n'), spans: this.#spans.join('\n') }, [requests.buffer]);
    this.#insights = [];
    this.#spans = [];
    this.#count = 0;
  }

  #addLine(item: InsightItem | SpanItem): number {
    const line = JSON.stringify(item);
    (item.kind === 'span' ? this.#spans : this.#insights).push(line);
    return line.length;
  }
}
