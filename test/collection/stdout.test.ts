import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { HostCollector } from '../../server/collection/host/collector.ts';
import { Body, type ExchangeRecord } from '../../server/collection/records.ts';
import { LogOutput } from '../../server/system/log-output.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { serve } from './start-collecting.ts';
import { settings } from './start-writer.ts';

const nothing = (): void => undefined;
const log = { info: nothing, warn: nothing, error: nothing };
const redactor = { needed: false, redact: () => Promise.resolve([]) };

/** A pipe as stdout, and what its reader has read. */
class Pipe {
  readonly fd: number;
  text = '';

  constructor() {
    const path = join(folder(), 'stdout');
    execFileSync('mkfifo', [path]);
    this.fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  }

  read(): void {
    const part = Buffer.alloc(1024 * 1024);
    try {
      for (;;) this.text += part.toString('latin1', 0, readSync(this.fd, part));
    } catch {
      // It is empty.
    }
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

function exchange(id: string): ExchangeRecord {
  const body = [Buffer.from(`"${'x'.repeat(500)}"`)];
  const side = { state: Body.kept, contentType: 'application/json', headers: [], body, bodyBytes: 502 };
  return { time: 0, id, method: 'POST', url: '/score', status: 200, request: side, response: side };
}

for (const [reader, readsBefore] of [
  ['never reads', 0],
  ['stalls after some lines', 2000],
] as const)
  test(`sent is the number of lines that arrived, and sent and dropped are all that was collected: a reader that ${reader}`, async () => {
    const pipe = new Pipe();
    const output = new LogOutput(pipe.fd, () => assert.fail('no line of the log is lost'));
    const flushing = { ...settings, sink: { kind: 'stdout' }, flushTimeoutMs: 2000 } as const;
    const collector = new HostCollector({ settings: flushing, redactor, log, stdout: output, agent: 'test/1', env: {} });
    const produced = 60_000;
    for (let n = 0; n < produced / 2; n++) collector.exchange(exchange(String(n)));
    if (readsBefore > 0)
      await until(() => {
        pipe.read();
        return pipe.lines.length >= readsBefore;
      });
    await collector.close();
    const { sent, droppedFor: dropped } = collector.counts.totals();
    output.write('the last line\n');
    await until(() => {
      pipe.read();
      return pipe.text.endsWith('the last line\n');
    });
    closeSync(pipe.fd);
    const arrived = pipe.lines.slice(0, -1);
    assert.equal(arrived.length, sent);
    for (const line of arrived) assert.ok('mdc' in (JSON.parse(line) as object));
    assert.ok(sent >= readsBefore && sent < 50_000, `${sent} sent`);
    assert.deepEqual(Object.keys(dropped).toSorted(), ['flush_timeout', 'queue_full']);
    assert.equal(sent + Object.values(dropped).reduce((sum, count) => sum + count), produced);
  });

test('a server whose reader stalls for a while loses no record, and its last line has the account', async (t) => {
  const server = await serve(t, 'echo.ts', { MDC_SINK: 'stdout', MDC_FLUSH_TIMEOUT_MS: '60000' });
  server.child.stdout!.pause();
  t.after(() => server.child.stdout!.resume());
  const body = { text: 'x'.repeat(20_000) };
  const requests = 200;
  for (let n = 0; n < requests; n += 20) await Promise.all(Array.from({ length: 20 }, () => server.score(body)));
  // The writer keeps no record for longer than a second if the sink takes it.
  await delay(2000);
  const waiting = await server.metric('mdc_queue_records');
  assert.ok(waiting > 0, `${waiting}`);
  const sent = await server.metric('mdc_records_total{collection="request",result="sent"}');
  assert.ok(sent < requests, `${sent}`);
  server.child.kill('SIGTERM');
  server.child.stdout!.resume();
  await server.exited;
  const account = server.lines.find(({ msg }) => msg?.startsWith('data collection ends'));
  assert.deepEqual([account?.msg, account?.['sent']], ['data collection ends; nothing was lost', 2 * requests]);
  assert.equal(server.lines.filter((line) => 'mdc' in line).length, 2 * requests);
});
