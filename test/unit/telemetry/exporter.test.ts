import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import test from 'node:test';
import { pino } from 'pino';
import { TelemetryExporter } from '../../../server/telemetry/exporter.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import { until } from '../../set-up/until.ts';

const SETTINGS = {
  serverVersion: '',
  serviceName: '',
  workspaceName: '',
  containerId: '',
  models: [],
  connectionString: undefined,
  proxies: {},
  spans: undefined,
};

test('a thread that fails is started anew; what it had, and what comes meanwhile, is counted', async () => {
  const heard = new EventEmitter();
  const log = pino({ base: null }, { write: (text: string) => void heard.emit('line', JSON.parse(text)) });
  const metrics = new Metrics();
  const exporter = new TelemetryExporter(SETTINGS, {}, metrics, log, new URL('exporting-thread.ts', import.meta.url));
  // The thread itself keeps no process alive.
  const alive = setInterval(() => undefined, 1000);
  const say = (message: string): void =>
    exporter.add({ kind: 'trace', at: 0, level: 'info', message, requestId: undefined, traceId: undefined });
  const shown = async (): Promise<string[]> =>
    (await metrics.registry.metrics()).match(/^telemetry_(?:delivered|dropped)_total\{.*/gm) ?? [];

  say('end');
  say('has the same fate');
  const [failure] = (await once(heard, 'line')) as [{ msg: string }];
  assert.match(failure.msg, /thread of telemetry failed.* started anew in 1 s/);
  say('comes too early');
  assert.deepEqual(await shown(), ['telemetry_dropped_total{item="trace",reason="thread_failed"} 3']);

  const delivered = 'telemetry_delivered_total{item="trace"} ';
  await until(async () => {
    say('again');
    return (await shown()).some((line) => line.startsWith(delivered));
  });
  const ended = once(heard, 'line');
  await exporter.stop(5000);
  clearInterval(alive);
  const [{ dropped }] = (await ended) as [{ dropped: Record<string, number> }];
  assert.deepEqual(Object.keys(dropped), ['thread_failed']);
});

for (const [what, settings, items] of [
  ['Application Insights', { connectionString: 'InstrumentationKey=x' }, ['exception', 'request', 'trace']],
  ['spans', { spans: { url: '', protocol: 'http/json', resource: {} } }, ['span']],
  ['neither', {}, []],
] as const)
  test(`with ${what}, outcomes of its items are counted from 0, by each reason`, async () => {
    const metrics = new Metrics();
    const log = pino({ level: 'silent' });
    const file = new URL('exporting-thread.ts', import.meta.url);
    const exporter = new TelemetryExporter({ ...SETTINGS, ...settings }, {}, metrics, log, file);
    const text = await metrics.registry.metrics();
    const labels = (counter: RegExp): string[] => Array.from(text.matchAll(counter), ([, ...each]) => each.join(' ')).toSorted();
    assert.deepEqual(labels(/^telemetry_delivered_total\{item="(\w+)"\} 0$/gm), items);
    const reasons = ['queue_full', 'rejected', 'stopped', 'thread_failed', 'unconfirmed', 'unreachable'];
    assert.deepEqual(
      labels(/^telemetry_dropped_total\{item="(\w+)",reason="(\w+)"\} 0$/gm),
      items.flatMap((item) => reasons.map((reason) => `${item} ${reason}`)),
    );
    await exporter.stop(5000);
  });
