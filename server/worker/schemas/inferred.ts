import type { Json, Schema } from '../../ipc/script-schemas.ts';

/**
 * The schema of one value, for a document. It says what kinds of values there are, and asks for
 * nothing: another request may lack a member, or have a fraction where this one has none.
 */
export function inferred(value: Json): Schema {
  return { ...kindsOf(value), example: value };
}

function kindsOf(value: Json): Schema {
  if (value === null) return {};
  if (typeof value !== 'object') return { type: typeof value };
  if (isList(value)) return { type: 'array', items: value.map(kindsOf).reduce<Schema | undefined>(joined, undefined) ?? {} };
  return { type: 'object', properties: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, kindsOf(member)])) };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** What two items of a list have in common. */
function joined(one: Schema | undefined, other: Schema): Schema {
  if (one === undefined) return other;
  if (one['type'] !== other['type']) return {};
  const members = (schema: Schema, name: string): Schema => {
    const part = schema[name];
    return typeof part === 'object' && part !== null && !isList(part) ? part : {};
  };
  if (one['type'] === 'array') return { type: 'array', items: joined(members(one, 'items'), members(other, 'items')) };
  if (one['type'] !== 'object') return one;
  const [mine, theirs] = [members(one, 'properties'), members(other, 'properties')];
  const both: Record<string, Json> = { ...mine };
  for (const name of Object.keys(theirs))
    both[name] = Object.hasOwn(mine, name) ? joined(members(mine, name), members(theirs, name)) : members(theirs, name);
  return { type: 'object', properties: both };
}
