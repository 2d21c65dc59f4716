import assert from 'node:assert/strict';
import test from 'node:test';
import { pino } from 'pino';
import type { PoolWorker } from '../../../server/scoring/pool-worker.ts';
import { WorkerReports } from '../../../server/scoring/worker-reports.ts';
import { readableLog } from '../../../server/system/readable-log.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';

test("fields of a script do not replace a line's level, time or message, in either form of the log", async () => {
  const lines: string[] = [];
  const log = pino({ base: null, formatters: { level: (level) => ({ level }) } }, { write: (line: string) => lines.push(line) });
  const reports = new WorkerReports(log, new Metrics(), undefined);
  const readable = await readableLog(false);
  for (const fields of [{ level: [{}] }, { time: { a: 1 } }, { msg: null, row: 1 }]) {
    reports.line({ number: 0 } as PoolWorker, { level: 'info', msg: 'hello', fields });
    const line = lines.at(-1) ?? '';
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(typeof time, 'number');
    assert.deepEqual(rest, { level: 'info', fields, worker: 0, msg: 'hello' });
    assert.match(readable(line), /INFO: hello \{"fields":/);
  }
});

test('restarts are counted from 0, by each cause', async () => {
  const metrics = new Metrics();
  const reports = new WorkerReports(pino({ level: 'silent' }), metrics, undefined);
  const shown = async (): Promise<string[]> =>
    Array.from((await metrics.registry.metrics()).matchAll(/^worker_restarts_total\{cause="(\w+)"\} (\d+)$/gm), ([, ...each]) =>
      each.join(' '),
    );
  assert.deepEqual(await shown(), [
    'exit 0',
    'signal 0',
    'init 0',
    'init_timeout 0',
    'deadline 0',
    'memory 0',
    'protocol 0',
    'redaction 0',
  ]);
  reports.restarted('memory');
  assert.ok((await shown()).includes('memory 1'));
});
