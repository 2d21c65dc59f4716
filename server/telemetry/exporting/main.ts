import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { openPort } from '../../delivery/thread-port.ts';
import { DeliveryQueue, type DeliveryEvents } from './delivery-queue.ts';
import type { Envelope } from './insights.ts';
import type { DropReason, ExportSettings, FromThread, ItemKind, SpanItem, ToThread } from './items.ts';

// The thread that sends telemetry. Libraries, JSON, compression and waits cost the host's event
// loop nothing.
const { data: settings, post, onMessage } = openPort<ExportSettings, ToThread, FromThread>();
/** Time in which outcomes are gathered into one report to the host. */
const REPORT_AFTER_MS = 50;
/** Where cores are scarce, scoring comes first. */
const NICE = 19;

let delivered: Partial<Record<ItemKind, number>> = {};
let dropped = new Map<string, { kind: ItemKind; reason: DropReason; count: number }>();
let bytes = 0;
let problem: string | undefined;
/** The last problem is reported, and nothing was delivered since. */
let reported = false;
let timer: NodeJS.Timeout | undefined;

const events: DeliveryEvents = {
  delivered: (kind, count) => {
    delivered[kind] = (delivered[kind] ?? 0) + count;
    reported = false;
  },
  dropped: (kind, reason, count) => {
    const before = dropped.get(`${kind} ${reason}`)?.count ?? 0;
    dropped.set(`${kind} ${reason}`, { kind, reason, count: before + count });
  },
  settled: (size) => {
    bytes += size;
    timer ??= setTimeout(() => report(false), REPORT_AFTER_MS);
  },
  problem: (text) => {
    if (reported) return;
    reported = true;
    problem = text;
    timer ??= setTimeout(() => report(false), REPORT_AFTER_MS);
  },
};

function report(flushed: boolean): void {
  clearTimeout(timer);
  timer = undefined;
  post({ delivered, dropped: [...dropped.values()], bytes, flushed, problem });
  delivered = {};
  dropped = new Map();
  bytes = 0;
  problem = undefined;
}

yieldCores();
const insights = await openInsights();
const spans = await openSpans();

onMessage((message) => {
  if (message === 'flush') {
    // Neither rejects.
    void Promise.all([insights?.flush(), spans?.flush()]).then(() => report(true));
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
  return new DeliveryQueue(await Otlp.open(settings.spans, settings, process.env), events);
}

/** On Linux each thread has a priority of its own, which it may always lower. */
function yieldCores(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICE);
  } catch {
    // Another system, or no /proc: the priority stays as it is.
  }
}
