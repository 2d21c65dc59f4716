/**
 * `node slow-load-process.ts URL HEADERS BODYFILE SECONDS CONNECTIONS` prints what it measured as
 * JSON.
 */

import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { ask } from './ask.ts';
import { percentile } from './statistics.ts';
import type { Load } from './subject.ts';

const [url = '', headersText = '{}', bodyFile = '', seconds, connections] = process.argv.slice(2);
const headers = JSON.parse(headersText) as Record<string, string>;
const body = readFileSync(bodyFile);
const agent = new Agent({ keepAlive: true });
const times: number[] = [];
let errors = 0;

const start = performance.now();
const end = start + Number(seconds) * 1000;
await Promise.all(Array.from({ length: Number(connections) }, keepAsking));
const load: Load = {
  requests: times.length,
  seconds: (performance.now() - start) / 1000,
  p50Ms: percentile(times, 0.5) ?? 0,
  p99Ms: percentile(times, 0.99) ?? 0,
  errors,
};
agent.destroy();
process.stdout.write(JSON.stringify(load));

async function keepAsking(): Promise<void> {
  for (let now = start; now < end;) {
    const sent = now;
    const { status } = await ask(url, { method: 'POST', headers, body, agent }).catch(() => ({ status: 0 }));
    now = performance.now();
    if (status === 200) times.push(now - sent);
    else errors++;
  }
}
