export const sample = { how: 'a Response' };
export function init(): void {}

/** Reports the end of its stream. */
export function run({ how }: { how: string }): unknown {
  const stream = new ReadableStream({ cancel: () => console.log(`the stream of ${how} ended`) });
  return how === 'a Response' ? new Response(stream) : stream;
}
