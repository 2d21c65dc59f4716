import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../../server/log.ts';
import { PoolWorker } from '../../../server/scoring/pool-worker.ts';
import { WorkerMemory } from '../../../server/scoring/worker-memory.ts';
import { FakeProcess } from './fake-process.ts';
import { start } from './fake-workers.ts';

const skip = process.platform === 'linux' ? false : 'needs /proc';

/** A worker whose process sleeps. */
async function worker(number: number, t: TestContext): Promise<PoolWorker> {
  const child = spawn('sleep', ['60']);
  t.after(() => child.kill());
  await once(child, 'spawn');
  return new PoolWorker(number, Object.assign(new FakeProcess(), { pid: child.pid }), start);
}

/** Bytes of the process that no file backs. */
const bytesOf = ({ process: { pid } }: PoolWorker): number =>
  1024 * Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);

test('no other worker is ended while the kernel takes back the memory of one that was', { skip }, async (t) => {
  const workers = [await worker(0, t), await worker(1, t)] as const;
  const lines: string[] = [];
  const log = { error: (_: object, line: string) => void lines.push(line) } as unknown as Log;
  const killed: PoolWorker[] = [];
  const shares: number[] = [];
  const events = {
    kill: (each: PoolWorker) => {
      each.end('memory');
      killed.push(each);
    },
    taken: (share: number) => void shares.push(share),
  };
  const memory = new WorkerMemory({ each: undefined, all: 1.5 * Math.max(...workers.map(bytesOf)) }, log, events);
  for (const each of workers) memory.watch(each);
  while (killed.length === 0) await delay(10);
  // Its process goes on for longer than several looks.
  await delay(500);
  assert.deepEqual([killed.length, lines.length], [1, 1]);
  // Both workers, then the one that is left.
  assert.ok(shares[0]! > 1 && shares.at(-1)! > 0.3 && shares.at(-1)! <= 1, `${shares[0]} and ${shares.at(-1)}`);
  assert.equal(workers[0].usage!.ownBytes, bytesOf(workers[0]));
});

/** Watches itself as a worker. No descriptor is left at the first look. */
const STARVED = `
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkerMemory } from '${new URL('../../../server/scoring/worker-memory.ts', import.meta.url).href}';
let looks = 0;
const worker = { number: 0, state: 'ready', ending: false, process: { pid: process.pid } };
new WorkerMemory({ each: undefined, all: 2 ** 40 }, {}, { kill() {}, taken() { looks++; } }).watch(worker);
const opened = [];
try {
  for (;;) opened.push(openSync('/dev/null'));
} catch {}
while (looks < 1) await delay(10);
const unread = worker.usage === undefined;
for (const fd of opened) closeSync(fd);
while (worker.usage === undefined) await delay(10);
console.log(unread);
`;

test('a worker stays watched where no descriptor was left to read its memory', { skip }, () => {
  const args = ['-c', 'ulimit -n 60; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', STARVED];
  const { stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(stdout, 'true\n', stderr);
});
