/**
 * The ceiling of ONNX Runtime: one row after the other, nothing else. `node raw-loop-process.ts
 * MODEL OUTPUT THREADS INPUTS`
 */

import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { CaseInput } from '../cases.ts';
import { percentile } from '../statistics.ts';
import type { Load } from '../subject.ts';

const [file = '', output = '', threads, inputsFile = ''] = process.argv.slice(2);
const inputs = JSON.parse(readFileSync(inputsFile, 'utf8')) as CaseInput[];
const feeds = Object.fromEntries(
  inputs.map(({ name, datatype, shape, values }) => [
    name,
    datatype === 'FP32' ? new Tensor('float32', values, shape) : new Tensor('int64', values.map(BigInt), shape),
  ]),
);
const session = await InferenceSession.create(file, { intraOpNumThreads: Number(threads) });

process.on('message', (seconds: number) => void answer(seconds));
process.on('disconnect', () => process.exit());
process.send?.('ready');

/** No seconds: one run, for its predictions. */
async function answer(seconds: number): Promise<void> {
  if (seconds > 0) process.send?.(await loop(seconds));
  else process.send?.(Array.from((await session.run(feeds, [output]))[output]?.data as Float32Array));
}

async function loop(seconds: number): Promise<Load> {
  const times: number[] = [];
  const start = performance.now();
  let before = start;
  while (before - start < seconds * 1000) {
    await session.run(feeds, [output]);
    const now = performance.now();
    times.push(now - before);
    before = now;
  }
  const [p50Ms = 0, p99Ms = 0] = [percentile(times, 0.5), percentile(times, 0.99)];
  return { requests: times.length, seconds: (before - start) / 1000, p50Ms, p99Ms, errors: 0 };
}
