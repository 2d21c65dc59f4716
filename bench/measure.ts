import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Case } from './cases.ts';
import { startProbing } from './probing.ts';
import { treeCpuMicroseconds, treePssBytes } from './processes.ts';
import type { Results, Sample } from './results.ts';
import { freePort } from './subject-process.ts';
import type { Running, Subject } from './subject.ts';

const SETTLE_MS = 200;
/** Float32 with sums in another order, or printed with fewer digits. */
const TOLERANCE = 1e-3;

interface Plan {
  readonly connections: readonly number[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Folder of this run. */
  readonly folder: string;
  readonly report: (text: string) => void;
}

/** Starts a subject for a model, checks its answer, and loads it at each number of connections. */
export async function measure(
  subject: Subject,
  row: Case,
  { connections, seconds, warmUpSeconds, folder, report }: Plan,
  results: Results,
): Promise<void> {
  const place = { port: await freePort(), folder: join(folder, 's') };
  rmSync(place.folder, { recursive: true, force: true });
  mkdirSync(place.folder);
  const running = await subject.start(row, place);
  try {
    checkAnswer(row, await running.ask());
    const idlePssBytes = treePssBytes(running.pid);
    await running.load(warmUpSeconds, Math.max(...connections));
    for (const count of connections) {
      const sample = await measureLoad(running, count, seconds);
      results.add(row.name, subject.name, count, sample);
      report(describe(count, sample));
    }
    results.addStart(row.name, subject.name, { readyMs: running.readyMs, idlePssBytes, loadedPssBytes: treePssBytes(running.pid) });
  } finally {
    await running.stop();
  }
}

async function measureLoad(running: Running, connections: number, seconds: number): Promise<Sample> {
  await delay(SETTLE_MS);
  const stopProbing = running.health === undefined ? undefined : startProbing(running.health);
  const before = treeCpuMicroseconds(running.pid);
  const load = await running.load(seconds, connections);
  const used = treeCpuMicroseconds(running.pid) - before;
  if (load.requests === 0) throw new Error(`it answered no request of ${connections} connections in ${seconds} s`);
  return {
    requestsPerSecond: load.requests / load.seconds,
    cpuMicroseconds: used / load.requests,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    errors: load.errors,
    probesMs: (await stopProbing?.()) ?? [],
  };
}

/** A fast wrong answer is no answer. */
function checkAnswer(row: Case, actual: readonly number[]): void {
  const { expected } = row;
  const scale = Math.max(...expected.map(Math.abs));
  const wrong = expected.findIndex((number, index) => !(Math.abs(number - (actual[index] ?? Number.NaN)) <= TOLERANCE * scale));
  if (actual.length !== expected.length || wrong >= 0)
    throw new Error(
      `it answered ${actual.length} numbers, first ${actual.slice(0, 3).join(', ')}; expected ${expected.length}, first ${expected.slice(0, 3).join(', ')}`,
    );
}

const describe = (connections: number, { requestsPerSecond, cpuMicroseconds, errors }: Sample): string =>
  `${connections}: ${requestsPerSecond.toFixed(requestsPerSecond < 100 ? 1 : 0)}/s, ${cpuMicroseconds.toFixed(0)} us${errors > 0 ? `, ${errors} errors` : ''}`;

/** Start to end of a Node process that does nothing. */
export function measureBareNode(results: Results): void {
  const start = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  results.bareNodeMs.push(performance.now() - start);
}
