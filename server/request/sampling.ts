/**
 * Decides whether records of a correlation id are collected. The answer is the same for every
 * collection, worker and replica. So the input and the output of one request are both kept, or
 * neither is.
 * @param rate share of the ids that are kept, 0 to 1
 */
export function isSampled(id: string, rate: number): boolean {
  if (rate >= 1) return true;
  if (rate <= 0) return false;
  return hash(id) / 2 ** 32 < rate;
}

/**
 * FNV-1a with the final step of MurmurHash3, which spreads ids that differ only in their last
 * characters.
 */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
