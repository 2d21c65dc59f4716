import type { ErrorObject } from 'ajv';
import { excerpt } from '../../guards/excerpt.ts';
import { kindOf } from '../../guards/kind-of.ts';
import { stringify } from '../../guards/built-ins.ts';

/** Most problems in a text. */
const MOST_PROBLEMS = 3;
/** Most characters of a value, a name or a pattern. */
const MOST_SHOWN = 60;
const MOST_PLACE = 200;

/** Says where data does not fit, what was expected, and what came. It never has a whole value. */
export function mismatchText(errors: readonly ErrorObject[]): string {
  const problems = [...new Set(errors.map((error) => `${placeOf(error)}: ${problemOf(error)}`))];
  const more = problems.length - MOST_PROBLEMS;
  return problems.slice(0, MOST_PROBLEMS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** A JSON pointer; the whole has none. */
function placeOf({ instancePath }: ErrorObject): string {
  return instancePath === '' ? 'the data' : `at ${excerpt(instancePath, MOST_PLACE)}`;
}

function problemOf({ keyword, params, data, message = '' }: ErrorObject): string {
  const given: Readonly<Record<string, unknown>> = params;
  switch (keyword) {
    case 'type':
      return `expected ${[given['type']].flat().join(' or ')}, got ${shown(data)}`;
    case 'required':
    case 'dependentRequired':
      return `expected the member ${shown(given['missingProperty'])}, which is missing`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `expected no member ${shown(given['additionalProperty'] ?? given['unevaluatedProperty'])}`;
    case 'enum':
      return `expected one of ${listed(given['allowedValues'])}, got ${shown(data)}`;
    case 'const':
      return `expected ${json(given['allowedValue'])}, got ${shown(data)}`;
    case 'minItems':
    case 'maxItems':
    case 'minLength':
    case 'maxLength':
      return `expected ${keyword.startsWith('min') ? 'at least' : 'at most'} ${String(given['limit'])} ${
        keyword.endsWith('Items') ? 'items' : 'characters'
      }, got ${lengthOf(data)}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `expected a number ${String(given['comparison'])} ${String(given['limit'])}, got ${shown(data)}`;
    case 'pattern':
      return `expected text that matches ${excerpt(String(given['pattern']), MOST_SHOWN)}, got ${shown(data)}`;
    default:
      return `${excerpt(message, MOST_PLACE)} (${keyword}), got ${shown(data)}`;
  }
}

/** The kind of a value, and the beginning of a text or a number. */
function shown(value: unknown): string {
  if (typeof value === 'string') return json(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return excerpt(String(value), MOST_SHOWN);
  return kindOf(value);
}

function listed(values: unknown): string {
  const all: readonly unknown[] = Array.isArray(values) ? values : [values];
  const first = all.slice(0, 5).map((value) => json(value));
  return first.join(', ') + (all.length > first.length ? ` and ${all.length - first.length} more` : '');
}

function json(value: unknown): string {
  return excerpt(stringify(value) ?? 'undefined', MOST_SHOWN);
}

/** In characters, a pair of surrogates is one: ajv counts so. */
function lengthOf(data: unknown): string {
  if (Array.isArray(data)) return String(data.length);
  return typeof data === 'string' ? shown(data) : kindOf(data);
}
