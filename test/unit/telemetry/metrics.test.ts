import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { failures, ServerError } from '../../../server/errors.ts';
import { CollectionCounts, DROP_REASONS, OMIT_REASONS, RESULTS } from '../../../server/collection/counts.ts';
import { addCollectionMetrics } from '../../../server/telemetry/collection-metrics.ts';
import { addGpuMetrics } from '../../../server/telemetry/gpu-metrics.ts';
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
    filesRemoved: 0,
  });
  return counts;
}

/** Everything that there is, with values, and with text that must be escaped. */
function filled(): Metrics {
  const metrics = new Metrics();
  metrics.observe(() => ({
    queued: 1,
    queueLimit: 256,
    oldestWaitingMs: 1500,
    inFlight: 2,
    concurrency: 32,
    credits: 30,
    workers: 1,
    ready: true,
  }));
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
  metrics.info.set({ service: 'of "all"', version: '0.1.0' }, 1);
  metrics.telemetryDropped.inc({ item: 'span', reason: 'rejected' });
  metrics.processes.memoryShare.set(0.5);
  metrics.processes.observe(() => [
    { worker: 0, state: 'ready', starts: 3, memoryBytes: 104857600, cpuSeconds: 12.5 },
    { worker: 1, state: 'starting', starts: 1, memoryBytes: undefined, cpuSeconds: undefined },
  ]);
  const gpus = [
    { gpu: 0, usedBytes: 1048576, totalBytes: 2097152, utilization: 0.37 },
    { gpu: 1, usedBytes: undefined, totalBytes: 2097152, utilization: undefined },
  ];
  addGpuMetrics(metrics.registry, { read: () => gpus });
  return metrics;
}

test('promtool has nothing to say against the exposition', { skip: missing && 'promtool is not installed' }, async () => {
  const text = await filled().registry.metrics();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.deepEqual([status, `${stdout}${stderr}`], [0, '']);
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
    'scoring_oldest_waiting_seconds 1.5',
    'scoring_queue_limit 256',
    'worker_memory_limit_ratio 0.5',
    'server_info{service="of \\"all\\"",version="0.1.0"} 1',
    'worker_info{worker="0",state="ready"} 1',
    'worker_info{worker="1",state="starting"} 1',
    'worker_starts_total{worker="0"} 3',
    'worker_memory_bytes{worker="0"} 104857600',
    'worker_cpu_seconds_total{worker="0"} 12.5',
    'gpu_memory_used_bytes{gpu="0"} 1048576',
    'gpu_memory_total_bytes{gpu="1"} 2097152',
    'gpu_utilization_ratio{gpu="0"} 0.37',
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
  // What is not known is not shown.
  assert.doesNotMatch(text, /^(?:worker_(?:memory|cpu)\w+\{worker="1"|gpu_(?:memory_used|utilization)\w+\{gpu="1")/m);
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_cpu_seconds_total']) assert.ok(text.includes(`# TYPE ${name} `), name);
});

test('every failure of a request is counted from 0, each in one place, and so is every status of a route that scores', async () => {
  const metrics = new Metrics();
  metrics.addRoute('/score');
  metrics.addRoute('grpc ModelInfer');
  const text = await metrics.registry.metrics();
  const labels = (counter: RegExp): string[] => Array.from(text.matchAll(counter), ([, label = '']) => label).toSorted();
  const refused = labels(/^scoring_refused_total\{reason="(\w+)"\} 0$/gm);
  const failed = labels(/^scoring_failures_total\{code="(\w+)"\} 0$/gm);
  assert.deepEqual(refused, ['keys_unavailable', 'not_ready', 'queue_full', 'queue_timeout', 'stopping']);
  const answered = Object.entries(failures).filter(([, { status }]) => status !== undefined);
  assert.deepEqual([...refused, ...failed].toSorted(), answered.map(([code]) => code).toSorted());
  const statuses = Array.from(new Set([200, ...answered.map(([, { status }]) => status)]), String).toSorted();
  assert.deepEqual(labels(/^scoring_requests_total\{route="\/score",code="(\d+)"\} 0$/gm), statuses);
  assert.deepEqual(labels(/^scoring_requests_total\{route="grpc ModelInfer",code="(\d+)"\} 0$/gm), statuses);
  assert.deepEqual(labels(/^worker_output_lost_total\{reason="(\w+)"\} 0$/gm), ['cut', 'dropped']);

  // The series that were there count on.
  metrics.answered('/score', 200);
  metrics.answered('/score', 429);
  metrics.failed(new ServerError('queue_full', 'full'));
  const after = await metrics.registry.metrics();
  for (const sample of [
    'scoring_requests_total{route="/score",code="200"} 1',
    'scoring_requests_total{route="/score",code="429"} 1',
    'scoring_refused_total{reason="queue_full"} 1',
  ])
    assert.equal(after.split(`${sample.replace(/ \d+$/, '')} `).length, 2, sample);
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
    'counter mdc_files_removed_total',
    'counter mdc_records_total collection,result',
    'counter mdc_redactions_failed_total reason',
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
  const { odd } = workers.merge({}, 1, {
    defined: [{ kind: 'counter', name: 'c_total', help: 'c', labels: ['x'] }],
    changes: [{ name: 'c_total', labels: ['1'], value: 1 }],
  });
  assert.deepEqual(odd, ['c_total']);
  assert.match(await registry.metrics(), /^c_total 0$/m);
});

test('series of scripts have a limit over all lives of their workers; those that are there go on', async () => {
  const { workers, registry } = new Metrics();
  const report = (owner: object, life: number, kind: 'counter' | 'gauge') => {
    const name = `${kind}_${life}${kind === 'counter' ? '_total' : ''}`;
    const changes = Array.from({ length: 1000 }, (_, n) => ({ name, labels: [`${life}-${n}`], value: 1 }));
    return workers.merge(owner, 0, { defined: [{ kind, name, help: 'h', labels: ['l'] }], changes });
  };
  const series = async (): Promise<number> => (await registry.metrics()).match(/^(?:counter|gauge)_.*\{/gm)?.length ?? 0;
  const lives = Array.from({ length: 12 }, () => ({}));
  const outcomes = lives.map((owner, life) => report(owner, life, 'counter').beyond);
  assert.deepEqual([outcomes.slice(0, 10), outcomes.slice(10)], [Array.from({ length: 10 }), ['counter_10_total', 'counter_11_total']]);
  assert.equal(await series(), 10_000);
  assert.equal(report({}, 0, 'counter').beyond, undefined);
  assert.match(await registry.metrics(), /^counter_0_total\{l="0-0"\} 2$/m);

  const gauges = new Metrics();
  for (const [life, owner] of lives.entries()) {
    const { beyond } = gauges.workers.merge(owner, 0, {
      defined: [{ kind: 'gauge', name: 'g', help: 'h', labels: ['l'] }],
      changes: Array.from({ length: 1000 }, (_, n) => ({ name: 'g', labels: [`${life}-${n}`], value: 1 })),
    });
    assert.equal(beyond, undefined, 'gauges go with their worker');
    gauges.workers.gone(owner);
  }
});

test('metrics of scripts have a limit over all lives of their workers', async () => {
  const { workers, registry } = new Metrics();
  const define = (life: number) =>
    workers.merge({}, 0, {
      defined: Array.from(
        { length: 600 },
        (_, n) => ({ kind: 'counter', name: `life_${life}_${n}_total`, help: 'h', labels: [] }) as const,
      ),
      changes: [],
    });
  assert.equal(define(0).beyond, undefined);
  assert.equal(define(1).beyond, 'life_1_400_total');
  assert.equal((await registry.metrics()).match(/^# TYPE life_/gm)?.length, 1000);
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
  metrics.loaded(second, { ...model(true, 4), name: 'other' });
  const loads = (await shown()).filter((line) => line.startsWith('model_load'));
  assert.deepEqual(loads, ['model_load_seconds{model="m"} 3', 'model_load_seconds{model="other"} 4']);
});
