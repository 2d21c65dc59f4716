import assert from 'node:assert/strict';
import { until } from '../set-up/until.ts';
import type { ServerProcess } from './start-server.ts';

/** Scores a body, and resolves with the answer of a 200. */
export async function answerOf(server: ServerProcess, body: unknown): Promise<unknown> {
  const response = await server.score(body);
  const answer: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

/** What the metadata of the only model tells about merging. */
export async function batchingOf(server: ServerProcess, model: string): Promise<{ batching: string; node: string | undefined }> {
  const metadata = await fetch(await server.url(`/v2/models/${model}`));
  const { properties } = (await metadata.json()) as { properties: Record<string, string> };
  return { batching: properties['batching'] ?? '', node: properties['batching_node'] };
}

/**
 * The number of inferences once so many rows are counted: workers report some time after the
 * answer.
 */
export async function inferencesOf(server: ServerProcess, rows: number): Promise<number> {
  let text = '';
  const total = (series: string): number =>
    Array.from(text.matchAll(new RegExp(`^inference_batch_rows_${series}\\{.*\\} (\\d+)$`, 'gm')), ([, each]) => Number(each)).reduce(
      (sum, each) => sum + each,
      0,
    );
  await until(async () => {
    text = await server.metrics();
    return total('sum') === rows;
  });
  return total('count');
}

/** Greatest difference of numbers, because kernels round differently for another number of rows. */
const TOLERANCE = 1e-4;

/** Asserts that two answers have the same form, and numbers that differ by rounding alone. */
function assertAlike(got: unknown, expected: unknown): void {
  if (typeof expected === 'number' && typeof got === 'number') {
    assert.ok(Math.abs(got - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)), `got ${got} instead of ${expected}`);
  } else if (typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null) {
    assert.deepEqual(Object.keys(got), Object.keys(expected));
    for (const [key, value] of Object.entries(expected)) assertAlike((got as Record<string, unknown>)[key], value);
  } else assert.equal(got, expected);
}

/**
 * Sends bodies of one row at once, again and again, until some rows went together. Each answer must
 * equal that of the body alone.
 */
export async function assertMerged(server: ServerProcess, bodies: readonly unknown[]): Promise<void> {
  const alone: unknown[] = [];
  for (const body of bodies) alone.push(await answerOf(server, body));
  for (let rows = bodies.length; ;) {
    assertAlike(await Promise.all(bodies.map((body) => answerOf(server, body))), alone);
    rows += bodies.length;
    if ((await inferencesOf(server, rows)) < rows) return;
  }
}
