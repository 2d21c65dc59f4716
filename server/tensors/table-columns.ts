import { stringify } from '../guards/built-ins.ts';
import { closest } from '../guards/closest.ts';
import { excerpt } from '../guards/excerpt.ts';

/** Names that an error lists at most. */
const MOST_LISTED = 20;

/**
 * Finds the column of each input of a model. A column has the name of its input, or a name that
 * exporters make the input's name of: they replace characters other than letters, digits and `_` by
 * `_` (`Monthly Income (€)`, `Monthly_Income____`). A name that several columns or inputs become
 * means none.
 * @returns indices of columns in the order of the inputs, or the text of an error that names the
 * columns that are unknown, missing or there twice
 */
export function matchColumns(columns: readonly string[], inputs: readonly string[]): readonly number[] | string {
  const byName = new Map<string, number>();
  for (const [index, name] of columns.entries()) {
    if (byName.has(name)) return `the column ${shown(name)} twice`;
    byName.set(name, index);
  }
  const named = new Set(inputs);
  const columnOf = bySafeName(columns.filter((name) => !named.has(name)));
  const inputOf = bySafeName(inputs.filter((name) => !byName.has(name)));
  const found = inputs.map((name) => {
    const safe = safeName(name);
    return byName.has(name) || inputOf.get(safe) !== name ? name : columnOf.get(safe);
  });
  const taken = new Set(found);
  const unknown = columns.filter((name) => !taken.has(name));
  const indices = found.map((name) => (name === undefined ? undefined : byName.get(name)));
  const missing = inputs.filter((_, index) => indices[index] === undefined);
  return unknown.length > 0 || missing.length > 0 ? misfitting(unknown, missing) : indices.filter((index) => index !== undefined);
}

/** The name that exporters make of a column's, by Python's `re.sub(r'\W', '_', name)`. */
const safeName = (name: string): string => name.replaceAll(/[^\p{L}\p{N}_]/gu, '_');

function bySafeName(names: readonly string[]): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const name of names) {
    const safe = safeName(name);
    found.set(safe, found.has(safe) ? undefined : name);
  }
  return found;
}

function misfitting(unknown: readonly string[], missing: readonly string[]): string {
  const hinted = unknown.slice(0, MOST_LISTED).map((name) => {
    const near = closest(name, missing);
    return near === undefined ? shown(name) : `${shown(name)} (did you mean ${shown(near)}?)`;
  });
  const parts = [
    listed('no column', missing.length, missing.slice(0, MOST_LISTED).map(shown)),
    listed('the unknown column', unknown.length, hinted),
  ];
  return parts.filter((part) => part !== undefined).join(' and ');
}

function listed(what: string, count: number, names: readonly string[]): string | undefined {
  if (count === 0) return undefined;
  const more = count > names.length ? ` and ${count - names.length} more` : '';
  return `${what}${count === 1 ? '' : 's'} ${names.join(', ')}${more}`;
}

/** A name as JSON has it. */
const shown = (name: string): string => stringify(excerpt(name));
