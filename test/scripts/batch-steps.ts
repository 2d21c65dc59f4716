import { setTimeout } from 'node:timers/promises';
import { ScoringError } from 'scoring-server';

interface Step {
  readonly is?: 'thrown' | 'refused' | 'exit' | 'spin' | 'never' | 'text' | 'bytes';
  readonly ms?: number;
  readonly n?: number;
}

export function init() {}

/** Does what a line of a batch asks for. */
export async function run({ is, ms = 0, n }: Step) {
  if (ms > 0) await setTimeout(ms);
  if (is === 'thrown') throw new Error('as the line asks');
  if (is === 'refused') throw new ScoringError(422, 'n must be positive');
  if (is === 'exit') process.exit(7);
  if (is === 'spin') for (;;);
  if (is === 'never') await new Promise(() => undefined);
  if (is === 'text') return new Response('a,b\n', { headers: { 'content-type': 'text/csv' } });
  if (is === 'bytes') return new Response(new Uint8Array([255, 0]), { headers: { 'content-type': 'image/png' } });
  return { n };
}
