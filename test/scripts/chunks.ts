export function init(): void {}

import { existsSync } from 'node:fs';

/** Opens when the file is there. */
class Gate {
  readonly file: string;
  constructor(file: string) {
    this.file = file;
  }
}

const waits = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 5));

/** A body of these chunks, a turn of the loop apart. A gate holds back what follows. */
const body = (...chunks: unknown[]): Response =>
  new Response(
    new ReadableStream<any>({
      async pull(controller) {
        await waits();
        if (chunks[0] instanceof Gate) while (!existsSync(chunks[0].file)) await waits();
        if (chunks[0] instanceof Gate) chunks.shift();
        if (chunks.length === 0) controller.close();
        else controller.enqueue(chunks.shift());
      },
    }),
  );

const floats = Float32Array.from({ length: 48_000 }, (_, at) => at);
const odd: Record<string, unknown> = { object: { a: 1 }, number: 5, null: null, undefined, array: [1], function: () => 1 };

/**
 * @param how a kind of bytes, or the kind of an odd chunk
 * @param at where the odd chunk stands: first, or third once this file exists
 */
export function run({ how, at }: { how: string; at?: string }): unknown {
  if (at !== undefined) return at === 'first' ? body(odd[how]) : body('a', 'b', new Gate(at), odd[how], 'c');
  switch (how) {
    case 'at once':
      return new Response(ReadableStream.from<any>([floats]));
    case 'slowly':
      return body(floats.subarray(0, 10_000), new DataView(floats.buffer, 40_000, 4000), floats.buffer.slice(44_000));
    case 'items':
      return [floats.subarray(0, 2), new Uint8Array([65]), 'b', floats.buffer.slice(0, 1), null, undefined, 5n].values();
    case 'a function':
      return [() => 1].values();
    default:
      return undefined;
  }
}
