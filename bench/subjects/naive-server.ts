/**
 * The first version that a user would write: a route, a model. `node naive-server.ts PORT MODEL
 * OUTPUT [THREADS]`
 */

import { fastify } from 'fastify';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [port, file = '', output = '', threads] = process.argv.slice(2);
const session = await InferenceSession.create(file, threads === undefined ? {} : { intraOpNumThreads: Number(threads) });
const app = fastify({ bodyLimit: 100 * 1024 * 1024 });

app.get('/health/live', async () => 'ok');

// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- written for Express; fastify awaits its handlers
app.post<{ Body: { inputs: Record<string, number[][]> } }>('/score', async (request) => {
  const feeds = Object.entries(request.body.inputs).map(([name, rows]) => [name, toTensor(rows)]);
  const results = await session.run(Object.fromEntries(feeds), [output]);
  return { outputs: { [output]: Array.from(results[output]?.data as Float32Array) } };
});

await app.listen({ host: '127.0.0.1', port: Number(port) });

function toTensor(rows: number[][]): Tensor {
  const numbers = rows.flat(9);
  const dims: number[] = [];
  for (let part: unknown = rows; Array.isArray(part); part = part[0]) dims.push(part.length);
  const integers = session.inputMetadata.some((input) => input.isTensor && input.type === 'int64');
  return integers
    ? new Tensor('int64', BigInt64Array.from(numbers, BigInt), dims)
    : new Tensor('float32', Float32Array.from(numbers), dims);
}
