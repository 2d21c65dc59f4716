import { setTimeout } from 'node:timers/promises';
import type { CounterMetric, InitContext } from 'scoring-server';

let closed: CounterMetric;

export function init({ metrics }: InitContext) {
  closed = metrics.counter('closed_total', 'calls of close()');
}

export function run(data: unknown) {
  if (data === 'never') return new Promise(() => undefined);
  return data === 'stream' ? stream() : process.pid;
}

async function* stream() {
  for (let chunk = 0; chunk < 5; chunk++) {
    yield String(chunk);
    await setTimeout(200);
  }
  console.log('streamed');
}

export async function close() {
  console.log('closing %d', process.pid);
  await setTimeout(1000);
  closed.inc();
  console.log('closed %d', process.pid);
}
