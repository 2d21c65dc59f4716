import { setTimeout } from 'node:timers/promises';

interface Asked {
  readonly kind: 'echo' | 'large' | 'stream' | 'sleep' | 'throw' | 'exit' | 'abort' | 'spin' | 'reject';
  readonly size?: number;
}

export function init() {}

export async function run({ kind, size = 0 }: Asked): Promise<unknown> {
  switch (kind) {
    case 'echo':
      return { size };
    case 'large':
      return 'x'.repeat(size);
    case 'stream':
      return chunks(size);
    case 'sleep':
      await setTimeout(size);
      return 'slept';
    case 'throw':
      throw new Error('asked to throw');
    case 'exit':
      return process.exit(7);
    case 'abort':
      return process.abort();
    case 'spin':
      for (;;);
    case 'reject':
      void Promise.reject(new Error('asked to reject'));
      return 'rejected';
  }
}

async function* chunks(count: number): AsyncGenerator<string> {
  for (let chunk = 0; chunk < count; chunk++) {
    yield `${'y'.repeat(1000)}\n`;
    if (chunk % 16 === 0) await setTimeout(1);
  }
}
