import { existsSync, writeFileSync } from 'node:fs';
export function init() {}
const chunks = (...all: unknown[]): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const chunk of all) controller.enqueue(chunk);
      controller.close();
    },
  });
const floats = new Float32Array([1, 2, 3]);
const answers: Record<string, () => unknown> = {
  fine: () => 'fine',
  'control character': () => new Response('x'.repeat(2000), { headers: { 'content-type': 'text/plain', 'x-a': 'a\u0001b' } }),
  'long headers': () => new Response('x', { headers: { 'x-a': 'a'.repeat(70_000) } }),
  'odd status': () => Object.defineProperty(new Response('x'), 'status', { value: 99 }),
  'thrown header': () => {
    throw new Response('x', { status: 400, headers: { 'x-a': '\u0001' } });
  },
  'stream header': () => new Response(chunks('a', 'b'), { headers: { 'x-a': '\u007f' } }),
  'no Response': () => ({ [Symbol.toStringTag]: 'Response', status: 200, headers: [['x y', 'z']], body: null }),
  'no status': () => ({ [Symbol.toStringTag]: 'Response', status: '200', headers: [], body: null }),
  'floats as a body': () => new Response(chunks(floats)),
  'floats as chunks': () => new Response(chunks(floats, new DataView(floats.buffer), new Float64Array([4]), floats.buffer)),
  'large floats': () => new Response(chunks(new Float32Array(100_000))),
  'shared memory': () => new Response(chunks(new Uint8Array(new SharedArrayBuffer(20_000)), new Int16Array(new SharedArrayBuffer(8)))),
  async *'yielded views'() {
    yield new DataView(floats.buffer);
    yield new Uint8Array(new SharedArrayBuffer(3));
  },
  async *'yielded floats'() {
    yield floats;
  },
  async *'one buffer again and again'() {
    const buffer = Buffer.alloc(100_000);
    for (let round = 1; round <= 3; round++) yield buffer.fill(round);
  },
  async *'fails after its first chunk'() {
    yield 'a';
    throw new Error('after the first chunk');
  },
};
export function run(how: string | { file: string; how: string; until?: string }) {
  if (typeof how === 'object') {
    writeFileSync(how.file, `${how.how}\n`, { flag: 'a' });
    const until = performance.now() + 60;
    while (performance.now() < until || (how.until !== undefined && !existsSync(how.until)));
    if (how.how === 'exit') process.exit(3);
    return how.how;
  }
  return answers[how]?.();
}
