import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../set-up/folder.ts';

const ALERTS = fileURLToPath(new URL('../../deploy/prometheus/alerts.yaml', import.meta.url));
/** Debian's package `prometheus` has it; `.ci/run` installs it. */
const skip = spawnSync('promtool', ['--version']).error !== undefined && 'promtool is not installed';

/** Values of series, one each half minute, in promtool's notation. */
type Series = Readonly<Record<string, string>>;

const SAMPLES = 200;
const always = (value: number): string => `${value}+0x${SAMPLES}`;
/** A counter, by its increase in half a minute. */
const grows = (by: number): string => `0+${by}x${SAMPLES}`;
/** 50 minutes nothing, then once so many. */
const once = (count: number): string => `0+0x100 ${count}+0x${SAMPLES - 100}`;

/** A server that scores ten requests a second, with all that it can record, on a GPU. */
const healthy: Series = {
  'scoring_requests_total{route="/score",code="200"}': grows(300),
  'scoring_requests_total{route="/score",code="400"}': grows(60),
  'scoring_requests_total{route="/score",code="429"}': grows(0),
  'scoring_requests_total{route="/score",code="500"}': grows(0),
  'scoring_requests_total{route="/score",code="504"}': grows(0),
  'scoring_failures_total{code="bad_json"}': grows(60),
  'scoring_failures_total{code="deadline_exceeded"}': grows(0),
  'scoring_failures_total{code="client_deadline"}': grows(0),
  'scoring_refused_total{reason="queue_full"}': grows(0),
  'scoring_refused_total{reason="queue_timeout"}': grows(0),
  'scoring_refused_total{reason="stopping"}': grows(0),
  scoring_request_duration_seconds_count: grows(360),
  scoring_requests_queued: always(3),
  scoring_queue_limit: always(256),
  server_ready: always(1),
  'worker_restarts_total{cause="signal"}': grows(0),
  'worker_restarts_total{cause="memory"}': grows(0),
  worker_memory_limit_ratio: always(0.6),
  'gpu_memory_used_bytes{gpu="0"}': always(70e9),
  'gpu_memory_total_bytes{gpu="0"}': always(80e9),
  nodejs_eventloop_lag_p99_seconds: always(0.02),
  'server_stray_errors_total{code="EPIPE"}': grows(0),
  tls_certificate_expiry_timestamp_seconds: always(60 * 86_400),
  log_lines_dropped_total: grows(0),
  'worker_output_lost_total{reason="cut"}': grows(1),
  'worker_output_lost_total{reason="dropped"}': grows(0),
  'telemetry_delivered_total{item="request"}': grows(300),
  'telemetry_delivered_total{item="exception"}': grows(0),
  'telemetry_delivered_total{item="span"}': grows(3),
  'telemetry_dropped_total{item="request",reason="unreachable"}': grows(0),
  'telemetry_dropped_total{item="span",reason="unreachable"}': grows(0),
  'mdc_records_total{collection="request",result="queued"}': grows(3),
  'mdc_records_total{collection="request",result="sampled_out"}': grows(297),
  'mdc_dropped_total{reason="queue_full"}': grows(0),
  'mdc_bodies_omitted_total{collection="request",reason="memory"}': grows(0),
  'mdc_bodies_omitted_total{collection="request",reason="size"}': grows(1),
  mdc_queue_records: always(20),
  mdc_spool_records: always(0),
  mdc_spool_bytes: always(0),
  // promtool's time begins at 0.
  mdc_last_success_timestamp_seconds: grows(30),
  process_start_time_seconds: always(0),
};

interface Case {
  readonly alert: string;
  /** Each makes the alert fire, and no other. */
  readonly bad: readonly Series[];
  /** Close to it, or the same for a moment: silent. */
  readonly good: readonly Series[];
}

const cases: readonly Case[] = [
  {
    alert: 'ScoringErrors',
    bad: [
      { 'scoring_requests_total{route="/score",code="500"}': grows(30) },
      // Beside clients whose own deadlines pass.
      {
        'scoring_requests_total{route="/score",code="500"}': grows(30),
        'scoring_requests_total{route="/score",code="504"}': grows(30),
        'scoring_failures_total{code="client_deadline"}': grows(30),
      },
    ],
    good: [
      { 'scoring_requests_total{route="/score",code="500"}': grows(15) },
      { 'scoring_requests_total{route="/score",code="504"}': grows(90), 'scoring_failures_total{code="client_deadline"}': grows(90) },
      // One request a minute, and one of them failed.
      { 'scoring_requests_total{route="/score",code="200"}': grows(0.5), 'scoring_requests_total{route="/score",code="500"}': once(1) },
    ],
  },
  {
    alert: 'ScoringDeadlines',
    bad: [{ 'scoring_failures_total{code="deadline_exceeded"}': grows(7) }],
    good: [
      { 'scoring_failures_total{code="deadline_exceeded"}': grows(3) },
      { 'scoring_failures_total{code="deadline_exceeded"}': once(2) },
    ],
  },
  {
    alert: 'ScoringQueueNearFull',
    bad: [{ scoring_requests_queued: always(210) }],
    good: [{ scoring_requests_queued: always(200) }, { scoring_requests_queued: `0+0x178 256 0+0x20` }],
  },
  {
    alert: 'ScoringRefusals',
    bad: [{ 'scoring_refused_total{reason="queue_full"}': grows(10) }, { 'scoring_refused_total{reason="queue_timeout"}': grows(10) }],
    good: [{ 'scoring_refused_total{reason="queue_full"}': grows(3) }, { 'scoring_refused_total{reason="stopping"}': grows(10) }],
  },
  { alert: 'ServerNotReady', bad: [{ server_ready: always(0) }], good: [{ server_ready: `1+0x170 0+0x8 1+0x20` }] },
  {
    alert: 'WorkerRestarts',
    bad: [
      { 'worker_restarts_total{cause="signal"}': `0+0x160 1 2 3+0x40` },
      { 'worker_restarts_total{cause="signal"}': `0+0x165 1+0x40`, 'worker_restarts_total{cause="memory"}': `0+0x165 2+0x40` },
    ],
    good: [{ 'worker_restarts_total{cause="signal"}': `0+0x160 1 2+0x40` }, { 'worker_restarts_total{cause="signal"}': once(50) }],
  },
  {
    alert: 'WorkerMemoryNearLimit',
    bad: [{ worker_memory_limit_ratio: always(0.9) }],
    good: [{ worker_memory_limit_ratio: always(0.8) }, { worker_memory_limit_ratio: `0.5+0x170 0.95+0x5 0.5+0x30` }],
  },
  {
    alert: 'GpuMemoryNearFull',
    bad: [{ 'gpu_memory_used_bytes{gpu="0"}': always(79e9) }],
    good: [{ 'gpu_memory_used_bytes{gpu="0"}': always(75e9) }, { 'gpu_memory_total_bytes{gpu="0"}': always(0) }],
  },
  {
    alert: 'EventLoopLag',
    bad: [{ nodejs_eventloop_lag_p99_seconds: always(0.2) }],
    good: [
      { nodejs_eventloop_lag_p99_seconds: always(0.09) },
      // Another program of Node.js.
      { 'nodejs_eventloop_lag_p99_seconds{instance="b"}': always(5) },
    ],
  },
  {
    alert: 'StrayErrors',
    bad: [{ 'server_stray_errors_total{code="EPIPE"}': `0+0x170 1+0x40` }],
    good: [{ 'server_stray_errors_total{code="EPIPE"}': once(1) }],
  },
  {
    alert: 'TlsCertificateEnding',
    bad: [{ tls_certificate_expiry_timestamp_seconds: always(13 * 86_400) }, { tls_certificate_expiry_timestamp_seconds: always(0) }],
    good: [
      { tls_certificate_expiry_timestamp_seconds: always(15 * 86_400) },
      // Renewed within the hour.
      { tls_certificate_expiry_timestamp_seconds: `86400+0x60 ${60 * 86_400}+0x140` },
    ],
  },
  {
    alert: 'LogLinesDropped',
    bad: [{ log_lines_dropped_total: `0+0x170 1+0x40` }, { 'worker_output_lost_total{reason="dropped"}': `0+0x170 1+0x40` }],
    good: [{ log_lines_dropped_total: once(100) }],
  },
  {
    alert: 'TelemetryDropped',
    bad: [
      { 'telemetry_dropped_total{item="request",reason="unreachable"}': grows(10) },
      // None is delivered. The share of spans is small, so that this alone is no sign of silence.
      { 'telemetry_dropped_total{item="exception",reason="rejected"}': grows(1) },
    ],
    good: [{ 'telemetry_dropped_total{item="request",reason="unreachable"}': grows(2) }],
  },
  {
    alert: 'TelemetryNothingDelivered',
    bad: [{ 'telemetry_delivered_total{item="span"}': grows(0) }, { 'telemetry_delivered_total{item="request"}': `0+300x100 30000+0x100` }],
    good: [
      // Too few requests to tell.
      { 'telemetry_delivered_total{item="span"}': grows(0), 'scoring_requests_total{route="/score",code="200"}': grows(10) },
    ],
  },
  {
    alert: 'CollectionDropping',
    bad: [{ 'mdc_dropped_total{reason="queue_full"}': `0+0x170 1+0x40` }],
    good: [{ 'mdc_dropped_total{reason="queue_full"}': once(1000) }],
  },
  {
    alert: 'CollectionBodiesOmitted',
    bad: [{ 'mdc_bodies_omitted_total{collection="request",reason="memory"}': grows(1) }],
    good: [{ 'mdc_bodies_omitted_total{collection="request",reason="size"}': grows(300) }],
  },
  {
    alert: 'CollectionSpoolFilling',
    bad: [{ mdc_spool_bytes: grows(1e6) }, { mdc_spool_bytes: always(300e6) }],
    good: [
      { mdc_spool_bytes: always(100e6) },
      // An outage of some minutes, and its end.
      { mdc_spool_bytes: `0+0x150 0+5000000x20 100000000-5000000x19 0+0x20` },
    ],
  },
  {
    alert: 'CollectionSinkSilent',
    bad: [
      { mdc_last_success_timestamp_seconds: always(3000) },
      { mdc_last_success_timestamp_seconds: always(0) },
      { mdc_last_success_timestamp_seconds: always(3000), mdc_queue_records: always(0), mdc_spool_records: always(5) },
    ],
    good: [
      { mdc_last_success_timestamp_seconds: always(3000), mdc_queue_records: always(0) },
      // A request an hour: its record waits at the moment of a scrape.
      { mdc_last_success_timestamp_seconds: always(3000), mdc_queue_records: `0+0x179 1 0+0x20` },
    ],
  },
  {
    alert: 'CollectionNothingQueued',
    bad: [{ 'mdc_records_total{collection="request",result="queued"}': grows(0) }],
    good: [
      {
        'mdc_records_total{collection="request",result="queued"}': grows(0),
        'scoring_requests_total{route="/score",code="200"}': grows(10),
        'telemetry_delivered_total{item="request"}': grows(10),
      },
    ],
  },
];

/** The series as one target of Prometheus has them. */
const scraped = (series: Series): object[] =>
  Object.entries(series).map(([name, values]) => {
    const [metric = '', labels = ''] = name.replace('}', '').split('{');
    const own = labels.includes('instance=') ? labels : [labels, 'instance="a:5001"'].filter(Boolean).join(',');
    return { series: `${metric}{job="scoring",${own}}`, values };
  });

/** Series, and the alerts that fire at their end: these and no others. */
type Expected = readonly [series: Series, firing: readonly string[]];

/** Runs the rules. @returns what promtool says against the expectations; empty: nothing */
function promtool(...expected: readonly Expected[]): string {
  const tests = expected.map(([series, firing], at) => ({
    name: `series ${at}`,
    interval: '30s',
    input_series: scraped(series),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '90m',
        exp_samples: firing.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  }));
  const file = join(folder(), 'test.json');
  writeFileSync(file, JSON.stringify({ rule_files: [ALERTS], evaluation_interval: '1m', tests }));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

test('promtool accepts the rules', { skip }, () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});

test('every alert is tested', () => {
  const alerts = Array.from(readFileSync(ALERTS, 'utf8').matchAll(/- alert: (\w+)/g), ([, name]) => name);
  assert.deepEqual(
    cases.map(({ alert }) => alert),
    alerts,
  );
});

test('a healthy server is silent, busy or idle, and so is one that is not there', { skip }, () => {
  const flat = Object.entries(healthy).map(([name, values]) => [name, /_(?:total|count)(?:\{|$)/.test(name) ? grows(0) : values] as const);
  const idle = { ...Object.fromEntries(flat), mdc_queue_records: always(0) };
  assert.equal(promtool([healthy, []], [idle, []], [{ up: always(1) }, []]), '');
});

for (const { alert, bad, good } of cases)
  test(`${alert} fires where it should, alone, and not close to it`, { skip }, () => {
    const fires = bad.map((change): Expected => [{ ...healthy, ...change }, [alert]]);
    const silent = good.map((change): Expected => [{ ...healthy, ...change }, []]);
    assert.equal(promtool(...fires, ...silent), '');
  });

test('the tests would see an alert that does not fire, and one that does', { skip }, () => {
  assert.match(promtool([healthy, ['ScoringErrors']]), /ScoringErrors/);
  assert.match(promtool([{ ...healthy, server_ready: always(0) }, []]), /ServerNotReady/);
});
