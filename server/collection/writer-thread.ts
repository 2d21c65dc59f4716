import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { openPort } from '../delivery/thread-port.ts';
import { CloudEvents } from './encode/cloud-events.ts';
import { printed, ThreadStdout } from './deliver/stdout-sink.ts';
import { Layout } from './encode/layout.ts';
import { openSink } from './deliver/open-sink.ts';
import { BatchReader } from './records.ts';
import { Retry } from './deliver/retry.ts';
import { Spool } from './spool/spool.ts';
import { Tally } from './deliver/tally.ts';
import { Writer } from './deliver/writer.ts';
import type { FromWriter, ToWriter, WriterData, WriterLog } from './writer-messages.ts';

// The thread that encodes and delivers what the host collected.
const { data, post, onMessage } = openPort<WriterData, ToWriter, FromWriter>();
const { settings, agent } = data;
const log: WriterLog = {
  info: (text) => post({ kind: 'log', level: 'info', text }),
  warn: (text) => post({ kind: 'log', level: 'warn', text }),
  error: (text) => post({ kind: 'log', level: 'error', text }),
};

const instance = `${hostname()}-${randomUUID()}`;
const tally = new Tally((progress) => post({ kind: 'progress', progress }));
const stdout = new ThreadStdout(post);
const sink = await openSink(settings, stdout);
const spool = settings.spillDir === '' ? undefined : new Spool(settings.spillDir, instance, (text) => log.warn(text));
const writer = new Writer({
  sink,
  layout: sink.appends ? new Layout(settings, instance) : undefined,
  spool,
  tally,
  retry: new Retry(log, sink.name, spool === undefined ? 'in memory' : `in ${settings.spillDir}`),
});
const events = new CloudEvents(settings, sink, agent, (block) => {
  if (settings.prints && block.v1) post({ kind: 'print', text: printed(block) });
  writer.add(block);
});

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
    rows: (collection, head, rows, cost) => events.rows(collection, head, rows, cost),
  });
  events.flush();
  post({ kind: 'recycle', batch }, [batch]);
}

async function close(timeoutMs: number): Promise<void> {
  await writer.close(timeoutMs);
  tally.flush();
  post({ kind: 'closed' });
}
