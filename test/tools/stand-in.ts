import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { start } from '../http/start.ts';

/** Before the paths of the page, as a gateway has it. */
const PREFIX = '/team/a';

type Scrape = (response: ServerResponse) => void;

/**
 * The real page behind a gateway that adds a prefix, above a /metrics of the test's own. Each
 * scrape is an event, so a test waits for scrapes and not for time.
 */
export class StandIn {
  /** Series of the next scrapes; a test changes them in `before`. */
  series: Record<string, number> = {};
  /** Called before each scrape is answered. */
  before: () => void = () => undefined;
  /** Answers in place of the series: a server that has trouble. */
  trouble: Scrape | undefined;
  /** Paths that the page asked for, below the prefix. */
  readonly asked = new Set<string>();
  scrapes = 0;
  url = '';
  #waiting: { readonly from: number; readonly resolve: () => void }[] = [];

  static async open(t: TestContext, series: Record<string, number>): Promise<StandIn> {
    const standIn = new StandIn();
    standIn.series = series;
    const { port } = await start(t, { statusPage: true });
    const gateway = createServer((request, response) => {
      const path = request.url?.startsWith(`${PREFIX}/`) === true ? request.url.slice(PREFIX.length) : '/outside-of-the-prefix';
      standIn.asked.add(path);
      if (path === '/metrics') return standIn.#scraped(response);
      forward(`http://127.0.0.1:${port}${path}`, response).catch(() => response.destroy());
    });
    await new Promise<void>((listening) => gateway.listen(0, '127.0.0.1', listening));
    t.after(() => {
      gateway.closeAllConnections();
      gateway.close();
    });
    standIn.url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}${PREFIX}/status`;
    return standIn;
  }

  /** Resolves when so many more scrapes have been asked for: the page has shown those before. */
  scraped(more: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ from: this.scrapes + more, resolve }));
  }

  #scraped(response: ServerResponse): void {
    this.scrapes++;
    this.before();
    if (this.trouble === undefined) response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(textOf(this.series));
    else this.trouble(response);
    const over = this.#waiting.filter(({ from }) => this.scrapes >= from);
    this.#waiting = this.#waiting.filter((each) => !over.includes(each));
    for (const { resolve } of over) resolve();
  }
}

/** Answers what the real server answers, with the headers that a page depends on. */
async function forward(url: string, response: ServerResponse): Promise<void> {
  const answer = await fetch(url);
  const headers = ['content-type', 'content-security-policy', 'x-content-type-options'].flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  response.writeHead(answer.status, Object.fromEntries(headers));
  response.end(await answer.text());
}

function textOf(series: Record<string, number>): string {
  return Object.entries(series)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

/** A histogram's series: so many observations, all in the bucket that ends at `le`. */
export function histogram(name: string, bounds: readonly number[], le: number, count: number, labels = ''): Record<string, number> {
  const label = labels === '' ? '' : `,${labels}`;
  const buckets = [...bounds, Infinity].map((bound): [string, number] => {
    const written = bound === Infinity ? '+Inf' : String(bound);
    return [`${name}_bucket{le="${written}"${label}}`, bound >= le ? count : 0];
  });
  const own = labels === '' ? '' : `{${labels}}`;
  return { ...Object.fromEntries(buckets), [`${name}_sum${own}`]: le * count, [`${name}_count${own}`]: count };
}

/** What every server shows. */
export function plainSeries(scored = 0): Record<string, number> {
  return {
    server_ready: 1,
    process_start_time_seconds: 1_700_000_000,
    process_cpu_seconds_total: 5 + scored / 1000,
    process_resident_memory_bytes: 150 * 2 ** 20,
    nodejs_eventloop_lag_p99_seconds: 0.011,
    'scoring_requests_total{route="/score",code="200"}': scored,
    'scoring_requests_total{route="/score",code="400"}': 0,
    ...histogram('scoring_request_duration_seconds', [0.001, 0.01, 0.1, 1], 0.01, scored),
    ...histogram('scoring_queue_duration_seconds', [0.001, 0.01, 0.1, 1], 0.001, scored),
    ...histogram('scoring_run_duration_seconds', [0.001, 0.01, 0.1, 1], 0.01, scored),
    scoring_requests_queued: 12,
    scoring_requests_in_flight: 20,
    scoring_concurrency_limit: 32,
    scoring_queue_limit: 256,
    scoring_deadline_seconds: 60,
    scoring_workers: 2,
    'inference_provider_info{asked="cpu",used="cpu",devices=""}': 1,
    'session_info{model="ridge",provider="cpu",intra_op_threads="2",ort_version="1.30.0",batching="on",batching_reason="rows keep apart"}': 1,
    'model_load_seconds{model="ridge"}': 0.11,
    log_lines_dropped_total: 0,
  };
}

/** What a server shows with workers, a GPU, collection and telemetry. */
export function fullSeries(scored = 0): Record<string, number> {
  return {
    ...plainSeries(scored),
    'server_info{service="credit-risk",version="1.4.2"}': 1,
    'worker_info{worker="0",state="ready"}': 1,
    'worker_info{worker="1",state="starting"}': 1,
    'worker_info{worker="1",state="ready"}': 0,
    'worker_memory_bytes{worker="0"}': 412 * 2 ** 20,
    'worker_memory_bytes{worker="1"}': 208 * 2 ** 20,
    'worker_cpu_seconds_total{worker="0"}': scored / 500,
    'worker_cpu_seconds_total{worker="1"}': scored / 1000,
    'worker_starts_total{worker="0"}': 1,
    'worker_starts_total{worker="1"}': 4,
    worker_memory_limit_ratio: 0.43,
    'worker_restarts_total{cause="exit"}': 1,
    'worker_restarts_total{cause="memory"}': 2,
    scoring_oldest_waiting_seconds: 0.04,
    'scoring_refused_total{reason="queue_full"}': scored / 50,
    'scoring_failures_total{code="deadline_exceeded"}': scored / 100,
    'scoring_requests_total{route="/score",code="429"}': scored / 50,
    'scoring_requests_total{route="/score",code="504"}': scored / 100,
    ...histogram('inference_duration_seconds', [0.0001, 0.001, 0.01], 0.001, scored, 'model="ridge"'),
    ...histogram('inference_batch_rows', [1, 2, 4, 8, 16], 8, scored, 'model="ridge",release="idle"'),
    'gpu_memory_used_bytes{gpu="0"}': 12 * 2 ** 30,
    'gpu_memory_total_bytes{gpu="0"}': 16 * 2 ** 30,
    'gpu_utilization_ratio{gpu="0"}': 0.63,
    'mdc_records_total{collection="request",result="queued"}': scored,
    'mdc_records_total{collection="request",result="sent"}': scored * 0.9,
    'mdc_records_total{collection="request",result="spilled"}': scored * 0.05,
    'mdc_records_total{collection="request",result="sampled_out"}': 0,
    'mdc_records_total{collection="request",result="dropped"}': scored / 100,
    'mdc_dropped_total{reason="queue_full"}': scored / 100,
    'mdc_bodies_omitted_total{collection="request",reason="memory"}': scored / 200,
    mdc_queue_records: 340,
    mdc_queue_bytes: 3 * 2 ** 20,
    mdc_spool_records: 1200,
    mdc_spool_bytes: 9 * 2 ** 20,
    mdc_last_success_timestamp_seconds: Math.floor(Date.now() / 1000) - 3,
    'telemetry_delivered_total{item="request"}': scored,
    'telemetry_dropped_total{item="request",reason="queue_full"}': scored / 200,
    log_lines_dropped_total: 7,
  };
}
