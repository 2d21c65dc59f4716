import { writeSync } from 'node:fs';

/** Speaks for its worker, before the worker does. */
export function init() {
  const text = Buffer.from('{"version":99}');
  const head = Buffer.alloc(9);
  head.writeUInt32LE(text.length + 5);
  head[8] = 16;
  writeSync(3, Buffer.concat([head, text]));
}
export const run = () => 'never';
