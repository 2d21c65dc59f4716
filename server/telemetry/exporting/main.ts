import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { DeliveryQueue, type DeliveryEvents } from './delivery.ts';
import type { Envelope } from './insights.ts';
import type { DropReason, ExportSettings, FromThread, ItemKind, SpanItem, ToThread } from './items.ts';

// The thread that sends telemetry: libraries, JSON, compression and waiting happen here, and the host's event loop sees none of it.
const settings = workerData as ExportSettings;
/** How long outcomes are gathered before the host hears of them. */
const TELL_AFTER_MS = 50;
/** Scoring comes first where cores are scarce. */
const NICE = 19;

let delivered: Partial<Record<ItemKind, number>> = {};
let dropped = new Map<string, { kind: ItemKind; reason: DropReason; count: number }>();
let bytes = 0;
let problem: string | undefined;
let told = false;
let timer: NodeJS.Timeout | undefined;

const events: DeliveryEvents = {
  delivered: (kind, count) => {
    delivered[kind] = (delivered[kind] ?? 0) + count;
    told = false;
  },
  dropped: (kind, reason, count) => {
    const before = dropped.get(`${kind} ${reason}`)?.count ?? 0;
    dropped.set(`${kind} ${reason}`, { kind, reason, count: before + count });
  },
  settled: (size) => {
    bytes += size;
    timer ??= setTimeout(() => tell(false), TELL_AFTER_MS);
  },
  problem: (text) => {
    if (told) return;
    told = true;
    problem = text;
    timer ??= setTimeout(() => tell(false), TELL_AFTER_MS);
  },
};

function tell(flushed: boolean): void {
  clearTimeout(timer);
  timer = undefined;
  const message: FromThread = { delivered, dropped: [...dropped.values()], bytes, flushed, problem };
  delivered = {};
  dropped = new Map();
  bytes = 0;
  problem = undefined;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message);
}

yieldCores();
const insights = await openInsights();
const spans = await openSpans();

parentPort?.on('message', (message: ToThread) => {
  if (message === 'flush') {
    // Neither rejects.
    void Promise.all([insights?.flush(), spans?.flush()]).then(() => tell(true));
    return;
  }
  if (message.insights !== '') insights?.add(message.insights.split('\n'));
  if (message.spans !== '') spans?.add(message.spans.split('\n'));
});

async function openInsights(): Promise<DeliveryQueue<Envelope> | undefined> {
  const { connectionString } = settings;
  if (connectionString === undefined) return undefined;
  const { Insights } = await import('./insights.ts');
  return new DeliveryQueue(await Insights.open(settings, connectionString), events);
}

async function openSpans(): Promise<DeliveryQueue<SpanItem> | undefined> {
  if (settings.spans === undefined) return undefined;
  const { Otlp } = await import('./otlp.ts');
  return new DeliveryQueue(await Otlp.open(settings.spans, settings.serverVersion), events);
}

/** On Linux a thread has a priority of its own, and may always lower it. */
function yieldCores(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICE);
  } catch {
    // Another system, or no /proc: the priority stays as it is.
  }
}
