import type { RequestContext } from 'scoring-server';

export function init(): void {}

const output = new Float32Array(1_000_000);
const row = new Float32Array(8);
const bytes = Buffer.alloc(400_000);

/** Fills what it has answered before, and answers it again. */
export function run(data: number | { x: { data: Float32Array } }, { protocol }: RequestContext): unknown {
  if (protocol !== 'score' && typeof data === 'object') return { y: output.fill(data.x.data[0] ?? 0) };
  const value = Number(data);
  return value < 100 ? row.fill(value) : new Response(bytes.fill(value));
}
