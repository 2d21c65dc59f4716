import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { memory } from '../set-up/processes.ts';
import { Client, classes, type Class } from './client.ts';
import { random } from './random.ts';

const WORKERS = 2;
const CONNECTIONS = 32;
/** Longest pause between two losses. */
const LONGEST_PAUSE_MS = 4000;
const SAMPLE_MS = 1000;
/** Then the soak has failed. */
const LONGEST_PROBE_MS = 20_000;

export interface Soak {
  readonly seconds: number;
  /** Makes the run repeatable, as far as time allows. */
  readonly seed: number;
}

export interface Report {
  readonly seconds: number;
  readonly sent: number;
  readonly answers: Readonly<Record<Class, number>>;
  /** What was done to workers, and how often. */
  readonly losses: ReadonlyMap<string, number>;
  /** As /metrics counts them, by cause. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Records of model data, by what became of them, and bytes of the files. */
  readonly records: ReadonlyMap<string, number>;
  readonly collectedBytes: number;
  readonly hostRssMb: { readonly first: number; readonly last: number; readonly highest: number };
  readonly probeMs: { readonly p50: number; readonly p99: number; readonly longest: number };
  readonly inFlightAfterwards: number;
  readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
  /** Lines of level error and fatal that name a fault of the server itself. */
  readonly internalErrors: readonly string[];
}

/**
 * Random requests on 32 connections, random losses of workers, and collection of a fifth of them,
 * for so many seconds.
 */
export async function soak({ seconds, seed }: Soak): Promise<Report> {
  const collected = folder();
  const server = new ServerProcess(['--entry-script', 'soak.ts', '--worker-count', String(WORKERS)], {
    env: {
      ACCESS_LOG: 'false',
      MDC_SINK: 'file',
      MDC_DIR: collected,
      MDC_SAMPLING_RATE: '0.2',
      SCORING_TIMEOUT_MS: '3000',
      CANCEL_GRACE_MS: '300',
      DRAIN_DELAY_MS: '0',
      NODE_OPTIONS: '--max-semi-space-size=32',
    },
  });
  try {
    return await run(server, collected, { seconds, seed });
  } finally {
    await server.stop();
  }
}

async function run(server: ServerProcess, collected: string, { seconds, seed }: Soak): Promise<Report> {
  await server.ready();
  const url = await server.url();
  const ends = performance.now() + seconds * 1000;
  const running = (): boolean => performance.now() < ends;
  const clients = Array.from({ length: CONNECTIONS }, (_, number) => new Client(url, random(seed + number)));
  const samples: number[] = [];
  const probes: number[] = [];
  const losses = new Map<string, number>();
  await Promise.all([
    ...clients.map((client) => client.run(running)),
    sample(server.pid, url, running, samples, probes),
    loseWorkers(server.pid, url, running, random(seed + 1000), losses),
  ]);
  const metrics = await idle(url);
  server.child.kill('SIGTERM');
  const exit = await server.exited;
  const answers = Object.fromEntries(
    classes.map((name) => [name, clients.reduce((sum, client) => sum + client.answers[name], 0)]),
  ) as Record<Class, number>;
  const early = samples.slice(0, Math.max(1, Math.floor(samples.length / 5)));
  const latencies = probes.toSorted((a, b) => a - b);
  return {
    seconds,
    sent: clients.reduce((sum, client) => sum + client.sent, 0),
    answers,
    losses,
    restarts: byLabel(metrics, 'worker_restarts_total', 'cause'),
    records: byLabel(metrics, 'mdc_records_total', 'result'),
    collectedBytes: sizeOf(collected),
    hostRssMb: { first: early.at(-1) ?? 0, last: samples.at(-1) ?? 0, highest: Math.max(...samples) },
    probeMs: { p50: at(latencies, 0.5), p99: at(latencies, 0.99), longest: latencies.at(-1) ?? 0 },
    inFlightAfterwards: total(metrics, 'scoring_requests_in_flight') + total(metrics, 'scoring_requests_queued'),
    exit,
    internalErrors: server.lines.filter(({ code, level }) => code === 'internal' || level === 'fatal').map(({ msg }) => msg),
  };
}

async function sample(pid: number, url: string, running: () => boolean, rss: number[], probes: number[]): Promise<void> {
  while (running()) {
    const began = performance.now();
    const answer = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(LONGEST_PROBE_MS) });
    await answer.text();
    probes.push(performance.now() - began);
    rss.push(memory(pid));
    await delay(SAMPLE_MS);
  }
}

const SIGNALS = ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGABRT'] as const;
const ASKED = ['exit', 'abort', 'spin', 'reject'] as const;

/** Now a signal to a random worker, now a request that breaks one from within. */
async function loseWorkers(
  host: number,
  url: string,
  running: () => boolean,
  next: () => number,
  losses: Map<string, number>,
): Promise<void> {
  for (;;) {
    await delay(next() * LONGEST_PAUSE_MS);
    if (!running()) return;
    const way = Math.floor(next() * (SIGNALS.length + ASKED.length));
    const signal = SIGNALS[way];
    const kind = ASKED[way - SIGNALS.length];
    if (signal !== undefined) {
      const workers = workersOf(host);
      const worker = workers[Math.floor(next() * workers.length)];
      if (worker === undefined) continue;
      kill(worker, signal);
    } else if (kind !== undefined) await ask(url, kind);
    const name = signal ?? `run(): ${kind}`;
    losses.set(name, (losses.get(name) ?? 0) + 1);
  }
}

/** Whatever the answer is: the request is there to break its worker. */
async function ask(url: string, kind: string): Promise<void> {
  const answer = await fetch(`${url}/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind }),
  });
  await answer.text();
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Its workers. A child that is still the host's own image holds the host until it has become a
 * worker: nobody may stop it then.
 */
function workersOf(host: number): number[] {
  const children = readFileSync(`/proc/${host}/task/${host}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  return children.filter((pid) => commandOf(pid).includes('worker/main.ts'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The text of /metrics once nothing is in flight; after ten seconds in any case. */
async function idle(url: string): Promise<string> {
  for (let left = 100; ; left--) {
    const text = await (await fetch(`${url}/metrics`)).text();
    if (left === 0 || total(text, 'scoring_requests_in_flight') + total(text, 'scoring_requests_queued') === 0) return text;
    await delay(100);
  }
}

function byLabel(metrics: string, name: string, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [, value = '', count] of metrics.matchAll(new RegExp(`^${name}\\{.*?${label}="([^"]*)".*?\\} (\\S+)$`, 'gm')))
    sums.set(value, (sums.get(value) ?? 0) + Number(count));
  return sums;
}

/** Sum of all series of a metric. */
function total(metrics: string, name: string): number {
  return Array.from(metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm')), ([, value]) => Number(value)).reduce(
    (a, b) => a + b,
    0,
  );
}

function sizeOf(root: string): number {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(root, name)))
    .filter((stat) => stat.isFile())
    .reduce((sum, { size }) => sum + size, 0);
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
