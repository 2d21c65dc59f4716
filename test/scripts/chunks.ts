export function init(): void {}

/** A body of these chunks, a turn of the loop apart. */
const body = (...chunks: unknown[]): Response =>
  new Response(
    new ReadableStream<any>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (chunks.length === 0) controller.close();
        else controller.enqueue(chunks.shift());
      },
    }),
  );

const floats = Float32Array.from({ length: 48_000 }, (_, at) => at);
const odd: Record<string, unknown> = { object: { a: 1 }, number: 5, null: null, undefined, array: [1], function: () => 1 };

/** @param how a kind of bytes, or the kind of an odd chunk; `first` and `later` say where it stands */
export function run({ how, at }: { how: string; at?: 'first' | 'later' }): unknown {
  if (at !== undefined) return at === 'first' ? body(odd[how]) : body('a', 'b', odd[how], 'c');
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
