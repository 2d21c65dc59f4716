import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { CloudEvents } from './encode/cloud-events.ts';
import { printed } from './deliver/event-sinks.ts';
import { Layout } from './encode/layout.ts';
import { openSink } from './deliver/open-sink.ts';
import { BatchReader } from './records.ts';
import { Retry } from './deliver/retry.ts';
import { Spool } from './spool/spool.ts';
import { Tally } from './deliver/tally.ts';
import { Writer } from './deliver/writer.ts';
import type { FromWriter, ThreadData, ToWriter, WriterLog } from './host/writer-link.ts';

// The thread that decodes and writes what the host collected.
if (isMainThread || parentPort === null) throw new Error('expected to be started as a worker thread');
const port = parentPort;
const { settings, agent } = workerData as ThreadData;
const tell = (message: FromWriter): void => port.postMessage(message);
const log: WriterLog = {
  info: (text) => tell({ kind: 'log', level: 'info', text }),
  warn: (text) => tell({ kind: 'log', level: 'warn', text }),
  error: (text) => tell({ kind: 'log', level: 'error', text }),
};

const instance = `${hostname()}-${randomUUID()}`;
const tally = new Tally((progress) => tell({ kind: 'progress', progress }));
const sink = await openSink(settings, (text) => tell({ kind: 'print', text }));
const spool = settings.spillDir === '' ? undefined : new Spool(settings.spillDir, instance, (text) => log.warn(text));
const writer = new Writer({
  sink,
  layout: sink.appends ? new Layout(settings, instance) : undefined,
  spool,
  tally,
  retry: new Retry(log, sink.name, spool === undefined ? 'in memory' : `in ${settings.spillDir}`),
});
const events = new CloudEvents(settings, sink, agent, (block) => {
  if (settings.prints && block.v1) tell({ kind: 'print', text: printed(block) });
  writer.add(block);
});

const reader = new BatchReader();

port.on('message', (message: ToWriter) => {
  if (message.kind === 'batch') take(message);
  // Settles every outcome itself.
  else void close(message.timeoutMs);
});

function take({ batch, bytes }: Extract<ToWriter, { kind: 'batch' }>): void {
  reader.read(Buffer.from(batch, 0, bytes), {
    exchange: (record) => events.exchange(record),
    rows: (collection, head, rows, cost) => events.rows(collection, head, rows, cost),
  });
  events.flush();
  port.postMessage({ kind: 'recycle', batch } satisfies FromWriter, [batch]);
}

async function close(timeoutMs: number): Promise<void> {
  await writer.close(timeoutMs);
  tally.flush();
  tell({ kind: 'closed' });
}
