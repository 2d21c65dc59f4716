/** Load by fetch of Node, which is undici. clients.ts has the protocol of its input. */
import { createInterface } from 'node:readline';

const [url = '', connections = '4', given = '{}'] = process.argv.slice(2);
const { headers } = JSON.parse(given) as { readonly headers?: Record<string, string> };
const tally = new Map<string, number>();
const state = { running: false };
let load: Promise<unknown> = Promise.resolve();

const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

async function one(): Promise<void> {
  const answer = await fetch(url, { method: 'POST', body: '[1]', headers: { 'content-type': 'application/json', ...headers } });
  const text = await answer.text();
  if (answer.status === 200 && text !== '[1]') return count(`wrong body ${text}`);
  count(String(answer.status));
  const wait = answer.headers.get('retry-after');
  if (answer.status !== 429 && answer.status !== 503) return undefined;
  if (wait === null) return count(`${answer.status} without Retry-After`);
  await new Promise((resolve) => setTimeout(resolve, Number(wait) * 1000));
  return undefined;
}

async function client(): Promise<void> {
  do
    try {
      await one();
    } catch (error) {
      count(`error ${String((error as Error).cause ?? error)}`);
    }
  while (state.running);
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'start') {
    state.running = true;
    load = Promise.all(Array.from({ length: Number(connections) }, client));
  } else if (line === 'stop') {
    state.running = false;
    await load;
    console.log(JSON.stringify(Object.fromEntries(tally)));
    tally.clear();
  }
}
