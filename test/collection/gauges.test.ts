import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { Capture } from '../../server/collection/host/capture.ts';
import { HostCollector } from '../../server/collection/host/collector.ts';
import type { CollectionSettings, SinkSettings } from '../../server/collection/settings.ts';
import type { RedactedBody } from '../../server/ipc/redaction.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { Azurite } from './azurite.ts';
import { settings } from './start-writer.ts';

const MB = 1024 * 1024;
const nothing = (): void => undefined;

const stdout = {
  write: nothing,
  deliver(text: string, settled: (lines: number) => void): () => void {
    setImmediate(() => settled(text.split('\n').length - 1));
    return nothing;
  },
};

/** Hooks that keep, change, remove, fail, and are lost, each in a later turn. */
const redactor = {
  needed: true,
  redact: async (_id: string, sides: readonly { readonly body: readonly Buffer[]; readonly contentType: string }[]) => {
    await new Promise((resolve) => setImmediate(resolve));
    return sides.map(({ body, contentType }, at): RedactedBody => {
      const bytes = Buffer.concat(body);
      if (bytes.length % 5 === 0) return undefined;
      if (bytes.length % 5 === 1) return at === 0 ? 'hook_failed' : 'worker_lost';
      return { contentType, body: bytes.subarray(bytes.length % 3) };
    });
  },
};

/** A server that answers 503 until it is open. */
async function target(t: TestContext): Promise<{ readonly sink: SinkSettings; open: boolean }> {
  const state = { open: false, sink: { kind: 'http', url: '', headers: {}, format: 'structured', access: undefined } as SinkSettings };
  const server = createServer((incoming, outgoing) => {
    incoming.resume().once('end', () => outgoing.writeHead(state.open ? 200 : 503).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  state.sink = { ...state.sink, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` } as SinkSettings;
  return state;
}

const collectorOf = (sink: SinkSettings, own: Partial<CollectionSettings>, redacts: boolean): HostCollector =>
  new HostCollector({
    settings: { ...settings, captureHeaders: ['x-a'], ...own, sink },
    redactor: redacts ? redactor : { needed: false, redact: () => Promise.resolve([]) },
    log: { info: nothing, warn: nothing, error: nothing },
    stdout,
    agent: 'test/1',
    env: {},
  });

const BODIES: readonly (readonly [type: string, body: Buffer])[] = [
  ['application/json', Buffer.from('{"a":\n[1,2.50]}')],
  ['application/json', Buffer.from('{"a"')],
  ['text/plain', Buffer.alloc(70_001, 10)],
  ['text/plain; charset=iso-8859-1', Buffer.alloc(301, 0xfc)],
  ['image/png', Buffer.alloc(3000, 0xff)],
  ['application/octet-stream', Buffer.alloc(5 * MB + 2, 0xff)],
  ['application/json', Buffer.concat([Buffer.from('"'), Buffer.alloc(5 * MB, 0x61), Buffer.from('"')])],
  ['', Buffer.alloc(0)],
];

/** Requests of all kinds: whole, streamed, cut, without a body, beyond the limit. */
function exchanges(collector: HostCollector, largest = Infinity): void {
  let n = 0;
  for (const [type, body] of BODIES.filter(([, { length }]) => length <= largest))
    for (const end of ['whole', 'streamed', 'cut', 'unread', 'large'] as const) {
      const capture = new Capture(collector, `é-${n++}`, true, n % 4 !== 0);
      const url = `/score?n=${n}`;
      capture.received(
        type,
        ['x-a', 'ü'.repeat(n)],
        end === 'unread' ? undefined : [body],
        end === 'large' ? 40 * MB : body.length,
        body[0] === 0x22,
      );
      if (end === 'whole' || end === 'large') capture.answered(type, [['x-a', '1']], body);
      else if (end !== 'unread') {
        capture.answered(type, [], undefined);
        for (let at = 0; at < body.length; at += 64 * 1024) capture.piece(body.subarray(at, at + 64 * 1024));
        if (end === 'streamed') capture.complete();
      }
      capture.end({ method: 'POST', url, status: n % 3 === 0 ? 400 : 200 });
      if (end === 'whole') collector.rows(rowsOf('{"id":"1","time":1}', `[{"n":${n}}]`));
    }
}

function rowsOf(head: string, rows: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([Buffer.from([1]), Buffer.from('c'), length, Buffer.from(head), Buffer.from(rows)]);
}

async function emptied(collector: HostCollector): Promise<void> {
  const { counts } = collector;
  await until(() => counts.records + counts.spoolRecords === 0);
  assert.deepEqual([counts.bytes, counts.heldBytes, counts.spoolBytes], [0, 0, 0]);
  const { queued, adopted, sent, dropped } = counts.totals();
  assert.equal(queued + adopted, sent + dropped);
  assert.ok(sent > 50, `${sent}`);
}

const sinks: Readonly<Record<string, (t: TestContext) => Promise<SinkSettings>>> = {
  file: () => Promise.resolve({ kind: 'file', dir: folder(), maxBytes: 0 }),
  stdout: () => Promise.resolve({ kind: 'stdout' }),
  'azure-blob': async (t) => {
    const azurite = await Azurite.start(t);
    return { kind: 'azure-blob', connectionString: azurite.connectionString(), accountUrl: '', container: 'modeldata' };
  },
};

for (const redacts of [false, true]) {
  for (const [name, open] of Object.entries(sinks))
    test(`the gauges of memory are 0 once the sink ${name} has taken all${redacts ? ', under redaction' : ''}`, async (t) => {
      const collector = collectorOf(await open(t), {}, redacts);
      for (let round = 0; round < 2; round++) {
        exchanges(collector);
        await emptied(collector);
      }
      await collector.close();
    });

  for (const spilled of [false, true])
    test(`the gauges are 0 after an outage and a lost thread${redacts ? ', under redaction' : ''}${spilled ? ', with a spool' : ''}`, async (t) => {
      const state = await target(t);
      const collector = collectorOf(state.sink, spilled ? { spillDir: folder() } : {}, redacts);
      const { counts } = collector;
      // Memory alone has no room for the larger ones.
      const largest = spilled ? Infinity : MB;
      exchanges(collector, largest);
      await until(() => counts.errors.size > 0);
      exchanges(collector, largest);
      // It is no JSON, and ends the thread.
      collector.rows(rowsOf('{', '[]'));
      exchanges(collector, largest);
      await until(() => (counts.dropped.get('writer_lost') ?? 0) > 0);
      exchanges(collector, largest);
      state.open = true;
      await collector.redacted();
      // Without a thread they are lost, too: a second later there is another.
      await until(() => {
        exchanges(collector, 400);
        return counts.totals().sent > 0;
      });
      exchanges(collector, largest);
      await emptied(collector);
      await collector.close();
    });
}
