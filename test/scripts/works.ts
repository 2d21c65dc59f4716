import { createHash } from 'node:crypto';

const piece = Buffer.alloc(64 * 1024, 1);

export function init() {}

/** Work that takes the same CPU time each time: some milliseconds for 1. */
export function run(amount: number) {
  const hash = createHash('sha256');
  for (let left = amount * 64; left > 0; left--) hash.update(piece);
  return hash.digest('hex');
}
