import { Call, type Attributes } from '../../../../server/inference/rows/call.ts';
import { ruleOf } from '../../../../server/inference/rows/operators.ts';
import { number, ROWS, ONE, sizeText, symbol, times, type Size } from '../../../../server/inference/rows/size.ts';
import { Refusal, type Tracked, type Value } from '../../../../server/inference/rows/value.ts';

type Dim = number | string;
type Given = number | string | readonly number[] | readonly string[] | Tracked;

/** 'N' are the rows of the batch, '8N' and 'Ns' are multiples, other texts are symbols. */
function sizeOf(dim: Dim): Size {
  if (typeof dim === 'number') return number(dim);
  const [, factor = '', counted = '', name = ''] = /^(\d*)(N?)(.*)$/.exec(dim) ?? [];
  const parts = [number(factor === '' ? 1 : Number(factor)), counted === '' ? ONE : ROWS, name === '' ? ONE : symbol(name)];
  return parts.reduce((whole, part) => times(whole, part)!);
}

/** A tensor of rows: the first axis that counts rows holds them, with `after` entries each. */
export function rows(...dims: Dim[]): Tracked {
  const sizes = dims.map(sizeOf);
  const axis = sizes.findIndex((size) => size.rows);
  return { dims: sizes, row: { axis, before: ONE, after: { ...sizes[axis]!, rows: false } } };
}

/** A constant of a shape with unknown entries. */
export const fixed = (...dims: Dim[]): Tracked => ({ dims: dims.map(sizeOf), row: undefined });

/** A constant of one axis with known entries. */
export const known = (...entries: Dim[]): Tracked => ({ dims: [number(entries.length)], row: undefined, elements: entries.map(sizeOf) });

/** A constant without axes. */
export const scalar = (entry: Dim): Tracked => ({ dims: [], row: undefined, elements: [sizeOf(entry)] });

/** What one operator makes of tracked inputs, as text: see `valueText`. */
export function follow(
  operator: string,
  inputs: readonly (Tracked | undefined)[],
  attributes: Readonly<Record<string, Given>> = {},
  { version = 21, domain = '', outputs = 1 } = {},
): string | string[] {
  const rule = ruleOf(domain, operator);
  if (rule === undefined) return 'no rule';
  const call = new Call(operator, version, inputs, outputs, given(attributes));
  let values: Value | readonly Value[];
  try {
    values = rule(call);
    call.refuseUnread();
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    values = thrown;
  }
  return Array.isArray(values) ? values.map(valueText) : valueText(values as Value);
}

function given(attributes: Readonly<Record<string, Given>>): Attributes {
  const pick = <T>(name: string, is: (value: Given) => value is Given & T): T | undefined => {
    const value = attributes[name];
    return value !== undefined && is(value) ? value : undefined;
  };
  const isNumber = (value: Given): value is number => typeof value === 'number';
  return {
    int: (name) => pick(name, isNumber),
    float: (name) => pick(name, isNumber),
    floats: (name) => pick(name, (value): value is readonly number[] => Array.isArray(value)),
    text: (name) => pick(name, (value): value is string => typeof value === 'string'),
    ints: (name) => pick(name, (value): value is readonly number[] => Array.isArray(value)),
    count: (name) => pick(name, (value): value is readonly number[] => Array.isArray(value))?.length,
    tensor: (name) => pick(name, (value): value is Tracked => typeof value === 'object' && !Array.isArray(value)),
  };
}

/** `rows@0 [rows, 3]`, `constant [2] = 1, rows`, `mixed: why`, `unknown: why`. */
export function valueText(value: Value): string {
  if (value instanceof Refusal) return `${value.rows}: ${value.message}`;
  const { dims, row, elements, sequence } = value;
  const shape = dims === undefined ? '[?]' : `[${dims.map(sizeText).join(', ')}]`;
  const kind = `${sequence === true ? 'sequence of ' : ''}${row === undefined ? 'constant' : `rows@${row.axis}`}`;
  const layout = row === undefined ? '' : layoutText(sizeText(row.before), sizeText(row.after));
  const entries = elements === undefined ? '' : ` = ${elements.map((each) => (each === undefined ? '?' : sizeText(each))).join(', ')}`;
  return `${kind}${layout} ${shape}${entries}`;
}

const layoutText = (before: string, after: string): string => (before === '1' && after === '1' ? '' : ` (${before} x rows x ${after})`);
