import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { openPort } from '../delivery/thread-port.ts';
import { CloudEvents } from './encode/cloud-events.ts';
import { printed, ThreadStdout } from './deliver/stdout-sink.ts';
import { Layout } from './encode/layout.ts';
import { openSink } from './deliver/open-sink.ts';
import { Removals } from './deliver/removals.ts';
import { BatchReader, SLAB_BYTES } from './records.ts';
import { Retry } from './deliver/retry.ts';
import { Spool } from './spool/spool.ts';
import { Tally } from './deliver/tally.ts';
import { Writer } from './deliver/writer.ts';
import type { FromWriter, ToWriter, WriterData, WriterLog } from './writer-messages.ts';

// The thread that encodes and delivers what the host collected.
const { data, post, onMessage } = openPort<WriterData, ToWriter, FromWriter>();
const { settings, agent, proxies } = data;
const log: WriterLog = {
  info: (text) => post({ kind: 'log', level: 'info', text }),
  warn: (text) => post({ kind: 'log', level: 'warn', text }),
  error: (text) => post({ kind: 'log', level: 'error', text }),
};

const instance = `${hostname()}-${randomUUID()}`;
const tally = new Tally(
  (progress) => post({ kind: 'progress', progress }),
  () => spool?.bytes ?? 0,
);
const removals = new Removals(log, tally);
const stdout = new ThreadStdout(post);
const sink = await openSink(settings, {
  stdout,
  removed: (removed) => removals.add(removed),
  warn: (text) => log.warn(text),
  proxies,
  instance,
});
const spool =
  settings.spillDir === ''
    ? undefined
    : new Spool(settings.spillDir, instance, {
        report: (text) => log.warn(text),
        adopted: (records) => tally.adopted(records),
        damaged: (records) => tally.damaged(records),
      });
if (spool !== undefined) post({ kind: 'found', records: spool.found });
const writer = new Writer({
  sink,
  layout: sink.appends ? new Layout(settings, instance) : undefined,
  spool,
  tally,
  retry: new Retry(log, sink.name, () => (spool?.usable === true ? `in ${settings.spillDir}` : 'in memory')),
});
const events = new CloudEvents(
  settings,
  sink,
  agent,
  (block) => {
    if (settings.prints && block.v1) post({ kind: 'print', text: printed(block) });
    writer.add(block);
  },
  (collection) => tally.tooLarge(collection),
);

const reader = new BatchReader();

onMessage((message) => {
  if (message.kind === 'batch') take(message);
  else if (message.kind === 'delivered') stdout.delivered(message.lines);
  // It never rejects.
  else void close(message.timeoutMs);
});

function take({ batch, bytes }: Extract<ToWriter, { kind: 'batch' }>): void {
  reader.read(Buffer.from(batch, 0, bytes), {
    exchange: (record) => events.exchange(record),
    rows: (collection, head, rows) => events.rows(collection, head, rows),
  });
  events.flush();
  tally.read(bytes);
  if (batch.byteLength === SLAB_BYTES) post({ kind: 'recycle', batch }, [batch]);
  // Frees the memory now. The collector of garbage may come much later.
  else batch.transfer(0);
}

async function close(timeoutMs: number): Promise<void> {
  await writer.close(timeoutMs);
  tally.flush();
  post({ kind: 'closed' });
}
