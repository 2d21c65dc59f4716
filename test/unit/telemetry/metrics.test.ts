import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { CollectionCounts, DROP_REASONS, OMIT_REASONS, RESULTS } from '../../../server/collection/counts.ts';
import { addCollectionMetrics } from '../../../server/telemetry/collection-metrics.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';

/** Debian's package `prometheus` has it; `.ci/run` installs it. */
const missing = spawnSync('promtool', ['--version']).error !== undefined;

function collected(): CollectionCounts {
  const counts = new CollectionCounts(['request', 'response']);
  counts.drop('request', 'queue_full');
  counts.add({
    records: 0,
    bytes: 0,
    results: [
      ['request', 'queued', 3],
      ['request', 'sampled_out', 1],
      ['model_"inputs"', 'sent', 2],
      ['request', 'spilled', 1],
    ],
    dropped: [],
    tooLarge: [['response', 1]],
    overflow: 'spill_full',
    spoolBytes: 10,
    flushSeconds: [0.02],
    errors: [['503', 2]],
    lastSuccess: 1_700_000_000,
    deadLettersRemoved: 1,
  });
  return counts;
}

/** Everything that there is, with values, and with text that must be escaped. */
function filled(): Metrics {
  const metrics = new Metrics();
  metrics.observe(() => ({ queued: 1, inFlight: 2, concurrency: 32, credits: 30, workers: 1, ready: true }));
  metrics.answered('/score', 200);
  metrics.answered('*', 404);
  metrics.requestDuration.observe(0.003);
  metrics.failed(new ServerError('queue_full', 'full'));
  metrics.failed(new ServerError('run_failed', 'x'));
  metrics.workerRestarts.inc({ cause: 'deadline' });
  metrics.loaded(
    {},
    {
      name: 'm"\\\n',
      provider: 'cpu',
      intraOpThreads: 2,
      ortVersion: '1.30.0',
      loadSeconds: 0.1,
      batching: { merges: true, reason: 'rows "alone"\nequal rows together' },
    },
  );
  metrics.workers.merge({}, 0, {
    defined: [
      { kind: 'counter', name: 'tokens_total', help: 'of "all"\nrequests \\', labels: ['kind'] },
      { kind: 'gauge', name: 'cache_entries', help: 'entries', labels: [] },
      { kind: 'histogram', name: 'text_characters', help: 'lengths', labels: [], buckets: [1, 10] },
    ],
    changes: [
      { name: 'tokens_total', labels: ['"in"\n\\'], value: 3 },
      { name: 'cache_entries', labels: [], value: 7 },
      { name: 'text_characters', labels: [], value: 12, counts: [0, 1, 1] },
      { name: 'inference_duration_seconds', labels: ['m'], value: 0.01, counts: [1] },
      { name: 'inference_batch_rows', labels: ['m', 'idle'], value: 8, counts: [0, 0, 0, 1] },
    ],
  });
  const counts = collected();
  addCollectionMetrics(metrics.registry, 'azure-blob', () => counts);
  return metrics;
}

test('promtool has nothing to say against the exposition', { skip: missing && 'promtool is not installed' }, async () => {
  const text = await filled().registry.metrics();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // prom-client's own gauge of handles ends in _total; it is Node's, with a name that dashboards of
  // others query.
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'));
  assert.deepEqual(said, []);
  assert.ok(status === 0 || status === 3, `promtool ended with ${status}`);
});

test('promtool would find what is wrong', { skip: missing && 'promtool is not installed' }, () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: 'a{b="1"} 1\na{b="1"} 2\n', encoding: 'utf8' });
  assert.notEqual(status, 0);
  assert.notEqual(stderr, '');
});

test('every metric of the reference is there, with its labels', async () => {
  const text = await filled().registry.metrics();
  for (const sample of [
    'scoring_requests_total{route="*",code="404"} 1',
    'scoring_requests_in_flight 2',
    'scoring_requests_queued 1',
    'scoring_concurrency_limit 32',
    'scoring_credits 30',
    'scoring_workers 1',
    'server_ready 1',
    'scoring_refused_total{reason="queue_full"} 1',
    'scoring_failures_total{code="run_failed"} 1',
    'worker_restarts_total{cause="deadline"} 1',
    'model_load_seconds{model="m\\"\\\\\\n"} 0.1',
    'inference_duration_seconds_count{model="m"} 1',
    'inference_batch_rows_bucket{le="8",model="m",release="idle"} 1',
    'inference_batch_rows_sum{model="m",release="idle"} 8',
    'cache_entries{worker="0"} 7',
    'text_characters_bucket{le="+Inf"} 2',
    'scoring_request_duration_seconds_bucket{le="0.005"} 1',
  ])
    assert.ok(text.includes(`${sample}\n`), sample);
  assert.match(text, /session_info\{.*provider="cpu".*intra_op_threads="2".*ort_version="1\.30\.0".*batching="on".*\} 1/);
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_cpu_seconds_total']) assert.ok(text.includes(`# TYPE ${name} `), name);
});

test('the metrics of collection have the names and labels that dashboards know', async () => {
  const all = (await filled().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('mdc_'));
  const labelled = all.map(({ name, type, values }): string => {
    // `le` belongs to every histogram.
    const labels = new Set(values.flatMap((value) => Object.keys(value.labels)).filter((label) => label !== 'le'));
    return `${String(type)} ${name} ${Array.from(labels).toSorted().join()}`.trim();
  });
  assert.deepEqual(labelled.toSorted(), [
    'counter mdc_bodies_omitted_total collection,reason',
    'counter mdc_dead_letters_removed_total',
    'counter mdc_dropped_total reason',
    'counter mdc_records_total collection,result',
    'counter mdc_redactions_failed_total',
    'counter mdc_sink_errors_total code,sink',
    'gauge mdc_last_success_timestamp_seconds',
    'gauge mdc_queue_bytes',
    'gauge mdc_queue_records',
    'gauge mdc_spool_bytes',
    'gauge mdc_spool_records',
    'histogram mdc_flush_seconds',
  ]);
  const text = await filled().registry.metrics();
  for (const result of ['queued', 'sampled_out', 'spilled', 'dropped'])
    assert.match(text, new RegExp(`^mdc_records_total\\{collection="request",result="${result}"\\} \\d$`, 'm'));
  assert.match(text, /^mdc_records_total\{collection="model_\\"inputs\\"",result="sent"\} 2$/m);
  // What has not happened is there at 0, so that an increase over the first incident shows it.
  for (const reason of DROP_REASONS) assert.match(text, new RegExp(`^mdc_dropped_total\\{reason="${reason}"\\} \\d$`, 'm'));
  for (const result of RESULTS) assert.match(text, new RegExp(`^mdc_records_total\\{collection="response",result="${result}"\\} 0$`, 'm'));
  for (const reason of OMIT_REASONS)
    assert.match(
      text,
      new RegExp(`^mdc_bodies_omitted_total\\{collection="response",reason="${reason}"\\} ${reason === 'size' ? 1 : 0}$`, 'm'),
    );
  assert.match(text, /^mdc_spool_bytes 10$/m);
  assert.match(text, /^mdc_sink_errors_total\{sink="azure-blob",code="503"\} 2$/m);
});

test('counters and histograms of workers add up and outlive them, gauges go with their worker', async () => {
  const { workers, registry } = new Metrics();
  const defined = [
    { kind: 'counter', name: 'c_total', help: 'c', labels: [] },
    { kind: 'gauge', name: 'g', help: 'g', labels: ['l'] },
    { kind: 'histogram', name: 'h', help: 'h', labels: [], buckets: [1] },
  ] as const;
  const changes = (value: number) => [
    { name: 'c_total', labels: [], value },
    { name: 'g', labels: ['x'], value },
    { name: 'h', labels: [], value, counts: [0, 1] },
  ];
  const [first, second, replacement] = [{}, {}, {}];
  workers.merge(first, 0, { defined, changes: changes(2) });
  workers.merge(second, 1, { defined, changes: changes(3) });
  // A retiring worker and its replacement have the same number for a while.
  workers.merge(replacement, 0, { defined, changes: changes(10) });
  workers.gone(first);
  const text = await registry.metrics();
  for (const sample of ['c_total 15', 'h_bucket{le="+Inf"} 3', 'h_sum 15', 'g{l="x",worker="0"} 10', 'g{l="x",worker="1"} 3'])
    assert.ok(text.includes(`${sample}\n`), sample);
  workers.gone(replacement);
  assert.ok(!(await registry.metrics()).includes('worker="0"'));
});

test('a worker that defines a metric otherwise than the others is left out, by name', async () => {
  const { workers, registry } = new Metrics();
  workers.merge({}, 0, { defined: [{ kind: 'counter', name: 'c_total', help: 'c', labels: [] }], changes: [] });
  const odd = workers.merge({}, 1, {
    defined: [{ kind: 'counter', name: 'c_total', help: 'c', labels: ['x'] }],
    changes: [{ name: 'c_total', labels: ['1'], value: 1 }],
  });
  assert.deepEqual(odd, ['c_total']);
  assert.match(await registry.metrics(), /^c_total 0$/m);
});

test('a model is shown as the workers that live have loaded it', async () => {
  const metrics = new Metrics();
  const shown = async (): Promise<string[]> => (await metrics.registry.metrics()).match(/^(?:session_info|model_load).*/gm) ?? [];
  const model = (merges: boolean, loadSeconds: number) => ({
    name: 'm',
    provider: 'cpu',
    intraOpThreads: 1,
    ortVersion: '1',
    loadSeconds,
    batching: { merges, reason: 'r' },
  });
  const info = (batching: string) =>
    `session_info{model="m",provider="cpu",intra_op_threads="1",ort_version="1",batching="${batching}",batching_reason="r"} 1`;
  const [first, second] = [{}, {}];
  metrics.loaded(first, model(true, 1));
  metrics.loaded(second, model(false, 2));
  assert.deepEqual(await shown(), ['model_load_seconds{model="m"} 2', info('on'), info('off')]);
  metrics.gone(first);
  assert.deepEqual(await shown(), ['model_load_seconds{model="m"} 2', info('off')]);
  metrics.loaded(second, model(true, 3));
  assert.deepEqual(await shown(), ['model_load_seconds{model="m"} 3', info('on')]);
});
