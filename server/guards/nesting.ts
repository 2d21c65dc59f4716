/**
 * Most levels of arrays and objects, in bodies, in queries and in answers. It bounds the recursion
 * over them: here, in scripts, and in readers of what is recorded.
 */
export const MOST_LEVELS = 1000;

/**
 * True if a value of JSON has more than `levels` levels of arrays and objects. Numbers are skipped
 * in place, without a variable, which halves the time.
 */
export function isDeeper(value: object | null, levels: number): boolean {
  if (value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    const items: readonly (object | null)[] = value;
    for (let at = 0; at < items.length; at++) if (typeof items[at] === 'object' && isDeeper(items[at] ?? null, levels - 1)) return true;
    return false;
  }
  for (const key in value) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every object has members of unknown form; Reflect.get is slower
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof member === 'object' && isDeeper(member, levels - 1)) return true;
  }
  return false;
}
