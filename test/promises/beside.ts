import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { percentile } from '../../bench/statistics.ts';
import { freePort } from '../e2e/free-port.ts';
import { ServerProcess, type StartOptions } from '../e2e/start-server.ts';
import { until } from '../set-up/until.ts';
import { PROBE_P99_MS, PROBE_RATIO } from './limits.ts';
import type { BareServer } from './bare-process.ts';
import type { Counts, LoadMessage } from './load-process.ts';
import type { LoadName } from './loads.ts';
import type { Probed, Probing } from './prober-process.ts';
import { goFirst, Program } from './program.ts';

/** At least: one may meet a neighbour of this machine. */
const ROUNDS = 3;
/** At most, where none has held yet. */
const MOST_ROUNDS = 6;
const ROUND_MS = 2000;

export interface Beside {
  /** The server's port that is loaded, and the one that is probed. */
  readonly port: number;
  readonly probes: number;
}

/**
 * A server whose log goes to nobody. Why: a test that reads a flood takes a core of this machine.
 */
export async function quietServer(t: TestContext, script: string, options: StartOptions = {}): Promise<Beside> {
  const health = options.env?.['TLS_CERT_FILE'] === undefined ? undefined : await freePort();
  const log = openSync('/dev/null', 'w');
  t.after(() => closeSync(log));
  const port = await freePort();
  // Probes are plain where the main port speaks TLS.
  const probes = health ?? port;
  const server = new ServerProcess(['--port', String(port), '--entry-script', script], {
    ...options,
    env: { ...options.env, ...(health !== undefined && { HEALTH_PORT: String(health) }) },
    log,
  });
  t.after(() => server.stop());
  const ready = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${probes}/health/ready`).catch(() => undefined))?.status === 200;
  await until(ready);
  goFirst(server.pid);
  return { port, probes };
}

/** A server of `node:http` alone. */
export async function bareServer(t: TestContext): Promise<Beside> {
  const program = new Program('bare');
  t.after(() => program.stop());
  const { port } = await program.ask<BareServer>({});
  goFirst(program.pid);
  return { port, probes: port };
}

export interface Comparison {
  readonly counts: Counts;
  /** p99 of each round, milliseconds. */
  readonly loaded: readonly number[];
  readonly idle: readonly number[];
  /** p99 of the loaded server's best round, milliseconds. */
  readonly best: number;
  readonly holds: boolean;
  /** For a person. */
  readonly text: string;
}

/**
 * Probes a loaded server and an idle one beside it, in turn. Each round gives both a p99. The best
 * of each decides, because a neighbour of this machine costs some rounds and a fault costs all.
 */
export async function compare(t: TestContext, load: LoadName, loaded: Beside, idle: Beside, limitMs = PROBE_P99_MS): Promise<Comparison> {
  const [prober, generator] = [new Program('prober'), new Program('load')];
  t.after(() => Promise.all([prober.stop(), generator.stop()]));
  const preferred = goFirst(prober.pid);
  await generator.ask({ start: load, port: loaded.port } satisfies LoadMessage);
  const rounds: { readonly loaded: number; readonly idle: number }[] = [];
  const best = (side: 'loaded' | 'idle'): number => Math.min(...rounds.map((round) => round[side]));
  const holds = (): boolean => best('loaded') <= Math.max(limitMs, PROBE_RATIO * best('idle'));
  while (rounds.length < ROUNDS || (rounds.length < MOST_ROUNDS && !holds())) {
    const probing: Probing = { ports: [loaded.probes, idle.probes], ms: ROUND_MS };
    const { results } = await prober.ask<{ results: Probed[] }>(probing);
    assert.deepEqual(
      results.map(({ wrong }) => wrong),
      [[], []],
      'every probe is answered with the truth',
    );
    const [ofLoaded = 0, ofIdle = 0] = results.map(({ times }) => percentile(times, 0.99));
    rounds.push({ loaded: ofLoaded, idle: ofIdle });
  }
  const counts = await generator.ask<Counts>({ stop: true } satisfies LoadMessage);
  const list = (side: 'loaded' | 'idle'): string => rounds.map((round) => round[side].toFixed(1)).join(' ');
  const text = `${load}: p99 of probes in ms: loaded ${list('loaded')}, idle ${list('idle')}${preferred ? '' : '; the prober has no priority'}; ${JSON.stringify(counts)}`;
  t.diagnostic(text);
  return {
    counts,
    loaded: rounds.map((round) => round.loaded),
    idle: rounds.map((round) => round.idle),
    best: best('loaded'),
    holds: holds(),
    text,
  };
}
