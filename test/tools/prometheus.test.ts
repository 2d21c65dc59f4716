import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type TestContext } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { held } from '../set-up/held.ts';
import { memory as memoryOf } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { missing, Prometheus } from './prometheus-server.ts';

/** As held.ts, and a line that the log cuts. */
const SCRIPT = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
let answers;
export function init({ metrics }) {
  answers = metrics.counter('answers_total', 'answers "of" the script', { labels: ['kind'] });
}
export async function run(data) {
  answers.inc(1, { kind: typeof data });
  if (data === 'print') console.log('x'.repeat(70_000));
  if (typeof data !== 'string' || !data.startsWith('/')) return 'done';
  writeFileSync(data + '/running', '');
  while (!existsSync(data + '/released')) await setTimeout(5);
  return 'released';
}
`;

/** A collector of spans that refuses all of them. */
async function refusingCollector(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(400).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(t: TestContext): Promise<ServerProcess> {
  const script = join(folder(), 'score.mjs');
  writeFileSync(script, SCRIPT);
  const server = new ServerProcess(['--entry-script', script], {
    env: {
      WORKER_CONCURRENCY: '1',
      QUEUE_MAX_REQUESTS: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: await refusingCollector(t),
      MDC_DIR: folder(),
      MDC_SAMPLING_RATE: '1',
      SERVICE_NAME: 'of "all" services',
    },
  });
  t.after(() => server.stop());
  return server.ready();
}

/** The first of each: a refusal, failures, a lost worker, a cut line. Spans are dropped anyway. */
async function incidents(server: ServerProcess): Promise<void> {
  const first = held();
  const running = server.score(first.data);
  await first.running();
  const waiting = server.score('print');
  while ((await server.metric('scoring_requests_queued')) === 0);
  assert.equal((await server.score('refused')).status, 429);
  first.release();
  assert.deepEqual([(await running).status, (await waiting).status], [200, 200]);
  const bad = await fetch(await server.url('/score'), { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
  assert.equal(bad.status, 400);
  process.kill(server.workers[0]!, 'SIGKILL');
  await server.line(({ msg }) => msg === 'worker ready' && server.workers.length === 2);
}

/** What the incidents count. */
const COUNTED = [
  'scoring_refused_total{reason="queue_full"}',
  'scoring_requests_total{route="/score",code="429"}',
  'scoring_failures_total{code="bad_json"}',
  'scoring_requests_total{route="/score",code="400"}',
  'worker_restarts_total{cause="signal"}',
  'worker_starts_total{worker="0"}',
  'worker_output_lost_total{reason="cut"}',
  'telemetry_dropped_total{item="span",reason="rejected"}',
];

test('the first incident of each kind is an increase for Prometheus', { skip: missing }, async (t) => {
  const server = await serve(t);
  const prometheus = await Prometheus.start(t, new URL(await server.url()).host);
  await prometheus.holds('count_over_time(up[1m]) >= 2');
  await incidents(server);
  for (const series of COUNTED) {
    // A few scrapes see the incident, so that a series which began with it has an increase of 0.
    await prometheus.holds(`${series} >= 1 and count_over_time(${series}[1m]) >= 4`);
    const [increase = 0] = await prometheus.query(`increase(${series}[1m])`);
    assert.ok(increase > 0, `increase(${series}[1m]) is ${increase}`);
  }
});

const ALERTS = fileURLToPath(new URL('../../deploy/prometheus/alerts.yaml', import.meta.url));
/** A metric of this server, with the labels that are asked for. */
const SELECTOR = /\b(?:scoring|server|worker|nodejs|process|log|telemetry|mdc)_[a-z0-9_]+(?:\{[^}]*\})?/g;

test('every alert can be evaluated on a real server from its first scrape on, and none fires', { skip: missing }, async (t) => {
  const server = await serve(t);
  const prometheus = await Prometheus.start(t, new URL(await server.url()).host, [ALERTS]);
  await prometheus.holds('count_over_time(up[1m]) >= 3');
  await until(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'));
  const rules = await prometheus.rules();
  assert.ok(rules.length > 10);
  for (const { name, query, health, lastError, state } of rules) {
    assert.deepEqual([name, health, lastError ?? '', state], [name, 'ok', '', 'inactive']);
    // A series that begins with its first incident would be absent here.
    for (const [selector] of query.matchAll(SELECTOR)) assert.notDeepEqual(await prometheus.query(selector), [], `${name}: ${selector}`);
  }
});

test('promtool accepts the page of a server with all that it can record, and workers are on it', { skip: missing }, async (t) => {
  const server = await serve(t);
  await server.score({});
  // A killed worker loses its last report.
  await shown(server, /^answers_total\{kind="object"\} 1$/m);
  const before = await shown(server, /^worker_cpu_seconds_total\{worker="0"\} (0\.\d*[1-9]\d*|[1-9].*)$/m);
  process.kill(server.workers[0]!, 'SIGKILL');
  await server.line(({ msg }) => msg === 'worker ready' && server.workers.length === 2);
  const page = await server.metrics();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  assert.deepEqual([status, stdout + stderr], [0, '']);
  const value = (text: string, series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    );
  assert.equal(value(page, 'worker_starts_total{worker="0"}'), 2);
  assert.equal(value(page, 'worker_info{worker="0",state="ready"}'), 1);
  assert.equal(page.match(/^worker_info\{/gm)?.length, 1);
  assert.match(page, /^server_info\{service="of \\"all\\" services",version="\d+\.\d+\.\d+"\} 1$/m);
  const cpu = 'worker_cpu_seconds_total{worker="0"}';
  // The replacement's own time comes on top.
  await until(async () => value(await server.metrics(), cpu) > value(before, cpu));
  await until(async () => {
    const memory = value(await server.metrics(), 'worker_memory_bytes{worker="0"}');
    const resident = memoryOf(server.workers[1]!) * 2 ** 20;
    return Math.abs(memory - resident) < resident / 4;
  });
  const ratio = value(await server.metrics(), 'worker_memory_limit_ratio');
  assert.ok(ratio > 0 && ratio < 1, `${ratio}`);
});

/** The page of metrics, once it matches. */
async function shown(server: ServerProcess, expected: RegExp): Promise<string> {
  let text = '';
  await until(async () => expected.test((text = await server.metrics())));
  return text;
}
