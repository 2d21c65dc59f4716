import assert from 'node:assert/strict';
import test from 'node:test';
import type { ScriptMetrics } from '../../../../server/entry-script.ts';
import { type MetricsMessage, workerMetrics } from '../../../../server/ipc/metric-series.ts';
import { Metrics } from '../../../../server/telemetry/metrics.ts';
import { InferenceMetrics } from '../../../../server/worker/metrics/inference-metrics.ts';
import { MetricRecorder } from '../../../../server/worker/metrics/metric-recorder.ts';

function started(): { metrics: MetricRecorder; sent: MetricsMessage[] } {
  const sent: MetricsMessage[] = [];
  return { metrics: new MetricRecorder((message) => sent.push(message)), sent };
}

test('every metric of inferences is in the list that the host reads', () => {
  const { metrics, sent } = started();
  new InferenceMetrics(metrics).inferred('m', 1, 1, 'alone');
  metrics.report();
  assert.deepEqual(
    sent.flatMap(({ changes }) => changes.map(({ name }) => name)),
    workerMetrics.map(({ name }) => name),
  );
});

test('all counts between two reports are one change', () => {
  const { metrics, sent } = started();
  const counter = metrics.counter('c_total', 'c', { labels: ['kind'] });
  const gauge = metrics.gauge('g', 'g');
  const histogram = metrics.histogram('h', 'h', { buckets: [1, 10] });
  for (let at = 0; at < 100; at++) counter.inc(undefined, { kind: 'a' });
  counter.inc(2.5, { kind: 'b' });
  gauge.set(5);
  gauge.add(-2);
  for (const value of [0.5, 1, 2, 11]) histogram.observe(value);
  metrics.report();
  counter.inc(1, { kind: 'a' });
  gauge.add(1);
  metrics.report();
  metrics.report();
  assert.deepEqual(
    sent.map(({ changes }) => changes),
    [
      [
        { name: 'c_total', labels: ['a'], value: 100 },
        { name: 'c_total', labels: ['b'], value: 2.5 },
        { name: 'g', labels: [], value: 3 },
        { name: 'h', labels: [], value: 14.5, counts: [2, 1, 1] },
      ],
      [
        { name: 'c_total', labels: ['a'], value: 1 },
        { name: 'g', labels: [], value: 4 },
      ],
    ],
  );
  assert.deepEqual(
    sent[0]?.defined.map(({ name }) => name),
    ['c_total', 'g', 'h'],
  );
});

test('a report comes by itself, soon after a change, and inferences are in it', async () => {
  const sent = Promise.withResolvers<MetricsMessage>();
  const inferences = new InferenceMetrics(new MetricRecorder(sent.resolve));
  inferences.inferred('ridge', 0.02, 8, 'idle');
  inferences.inferred('ridge', 3, 1, 'alone');
  // The timer does not keep a process alive; this one does.
  const alive = setInterval(() => undefined, 1000);
  const { defined, changes } = await sent.promise;
  clearInterval(alive);
  assert.deepEqual(defined, []);
  assert.deepEqual(
    changes.map(({ name, labels, counts }) => [name, labels, counts?.reduce((sum, each) => sum + each, 0)]),
    [
      ['inference_duration_seconds', ['ridge'], 2],
      ['inference_batch_rows', ['ridge', 'idle'], 1],
      ['inference_batch_rows', ['ridge', 'alone'], 1],
    ],
  );
});

test('a metric that is defined again in the same way is the same metric', () => {
  const { metrics, sent } = started();
  metrics.counter('c_total', 'c').inc();
  metrics.counter('c_total', 'c').inc();
  metrics.report();
  assert.deepEqual(sent[0]?.changes, [{ name: 'c_total', labels: [], value: 2 }]);
});

const wrong: [what: string, define: (metrics: ScriptMetrics) => unknown, message: RegExp][] = [
  ["a name of the server's own", (m) => m.counter('scoring_requests_total', 'x'), /scoring_ are the server's own/],
  ["a name that is to be the server's own", (m) => m.gauge('mdc_anything', 'x'), /mdc_ are the server's own/],
  ['a name that is none', (m) => m.counter('1-2', 'x'), /expected a name of letters/],
  ['no help', (m) => m.counter('x_total', ''), /a line of help/],
  ['a label that is none', (m) => m.counter('x_total', 'x', { labels: ['a-b'] }), /label "a-b"/],
  ['a label that is taken', (m) => m.histogram('x', 'x', { labels: ['le'] }), /label le has a meaning/],
  ['a label twice', (m) => m.counter('x_total', 'x', { labels: ['a', 'a'] }), /each once/],
  ['buckets that fall', (m) => m.histogram('x', 'x', { buckets: [2, 1] }), /ascending/],
  ['another kind', (m) => [m.counter('x', 'x'), m.gauge('x', 'x')], /there is one already, a counter/],
  [
    'other labels',
    (m) => [m.counter('x', 'x'), m.counter('x', 'x', { labels: ['a'] })],
    /with labels \[\].* got a counter with labels \[a\]/,
  ],
  ['a series of a histogram', (m) => [m.histogram('x', 'x'), m.counter('x_count', 'x')], /x_count would be a series of a histogram/],
  ['a histogram with that series', (m) => [m.gauge('x_sum', 'x'), m.histogram('x', 'x')], /x_sum would be a series of a histogram/],
];
for (const [what, define, message] of wrong) {
  test(`a definition is refused for ${what}`, () => {
    assert.throws(() => define(started().metrics), { code: 'init_failed', message });
  });
}

test('no script can take a name of a metric that the server has', () => {
  const { metrics } = started();
  const names = new Metrics().registry.getMetricsAsArray().map(({ name }) => name);
  assert.ok(names.includes('log_lines_dropped_total'));
  for (const name of names) assert.throws(() => metrics.gauge(name, 'x'), /the server's own/, name);
});

test('values and labels that do not fit are refused where they are given', () => {
  const { metrics } = started();
  const counter = metrics.counter('c_total', 'c', { labels: ['a'] });
  assert.throws(() => counter.inc(-1, { a: 1 }), RangeError);
  assert.throws(() => counter.inc(Number.NaN, { a: 1 }), RangeError);
  assert.throws(() => counter.inc(1), /expected the labels \[a\], got \[\]/);
  assert.throws(() => counter.inc(1, { a: 1, b: 2 }), TypeError);
});

test('labels made from data cannot fill the memory: a metric has at most 1000 series', () => {
  const { metrics, sent } = started();
  const counter = metrics.counter('c_total', 'c', { labels: ['user'] });
  for (let user = 0; user < 1500; user++) counter.inc(1, { user });
  metrics.report();
  assert.equal(sent[0]?.changes.length, 1000);
});

test('sums that grow beyond all numbers stay at the largest', () => {
  const messages: MetricsMessage[] = [];
  const metrics = new MetricRecorder((message) => messages.push(message));
  const gauge = metrics.gauge('overflow_gauge', 'h');
  const counter = metrics.counter('overflow_total', 'h');
  const histogram = metrics.histogram('overflow', 'h', { buckets: [1] });
  for (let round = 0; round < 2; round++) {
    gauge.add(-1.7e308);
    counter.inc(1.7e308);
    histogram.observe(1.7e308);
  }
  metrics.report();
  assert.deepEqual(
    messages[0]?.changes.map(({ value }) => value),
    [-Number.MAX_VALUE, Number.MAX_VALUE, Number.MAX_VALUE],
  );
});

test('labels and buckets are lists, and there is an end to metrics', () => {
  const metrics = new MetricRecorder(() => undefined);
  assert.throws(() => metrics.gauge('a', 'h', { labels: 'abc' as never }), /expected an array of names/);
  assert.throws(() => metrics.gauge('a', 'h', { labels: [['b']] as never }), /expected letters/);
  assert.throws(() => metrics.histogram('a', 'h', { buckets: new Float64Array([1]) as never }), /expected an array of numbers/);
  for (let at = 0; at < 1000; at++) metrics.gauge(`g${at}`, 'h');
  assert.throws(() => metrics.gauge('one_more', 'h'), /at most 1000 metrics/);
});
