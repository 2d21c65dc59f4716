import { stringify } from '../guards/built-ins.ts';
import { bounded } from '../guards/thrown.ts';
import { MOST_MESSAGE_BYTES } from './limits.ts';
import type { MetricsMessage } from './metric-series.ts';
import type { LogMessage } from './worker-messages.ts';

const { prototype: anyObject } = Object;
const { prototype: anyArray } = Array;

/** A UTF-16 unit takes at most three bytes. */
const MOST_CHARACTERS = Math.floor(MOST_MESSAGE_BYTES / 3);

/**
 * JSON text of a message of this server. A `toJSON` that a script gave to all objects or arrays
 * does not change it.
 */
export function jsonText(value: unknown): string {
  if (hookOf(anyObject) === undefined && hookOf(anyArray) === undefined) return stringify(value) ?? 'null';
  return plainText(value) ?? 'null';
}

/**
 * JSON text of a line that a script logged. Why: a script may pass anything as message and fields;
 * the protocol does not allow it.
 */
export function logText(message: LogMessage): string {
  const msg = bounded(message.msg, MOST_CHARACTERS / 8);
  try {
    const { fields } = message;
    const text = jsonText({ ...message, msg, fields: fields === undefined || isPlain(fields) ? fields : { fields } });
    if (text.length <= MOST_CHARACTERS) return text;
    return jsonText({ ...message, msg, fields: { fieldsLeftOut: `${text.length} characters` } });
  } catch {
    return jsonText({ ...message, msg, fields: { fieldsLeftOut: 'they have no JSON form' } });
  }
}

/**
 * JSON texts of a report of metrics, split at the longest message. A series that is too long by
 * itself is left out.
 */
export function metricTexts({ defined, changes }: MetricsMessage): string[] {
  const text = jsonText({ defined, changes });
  if (text.length <= MOST_CHARACTERS) return [text];
  const [ofDefined, ofChanges] = [Math.ceil(defined.length / 2), Math.ceil(changes.length / 2)];
  if (defined.length > 0 && changes.length > 0) return [...metricTexts({ defined, changes: [] }), ...metricTexts({ defined: [], changes })];
  if (defined.length + changes.length < 2) return [];
  return [
    ...metricTexts({ defined: defined.slice(0, ofDefined), changes: changes.slice(0, ofChanges) }),
    ...metricTexts({ defined: defined.slice(ofDefined), changes: changes.slice(ofChanges) }),
  ];
}

function plainText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return stringify(value);
  const hook = ownHookOf(value);
  if (hook !== undefined) return plainText(hook.call(value, ''));
  if (Array.isArray(value)) return `[${value.map((item) => plainText(item) ?? 'null').join(',')}]`;
  const members = Object.entries(value).map(([key, item]) => [stringify(key), plainText(item)] as const);
  return `{${members.flatMap(([key, text]) => (text === undefined ? [] : [`${key}:${text}`])).join(',')}}`;
}

/** The `toJSON` of the value or its class; undefined where all objects share it. */
function ownHookOf(value: object): ReturnType<typeof hookOf> {
  const hook = hookOf(value);
  return hook === hookOf(anyObject) || hook === hookOf(anyArray) ? undefined : hook;
}

function hookOf(value: object): ((key: string) => unknown) | undefined {
  const toJSON: unknown = 'toJSON' in value ? value.toJSON : undefined;
  return isHook(toJSON) ? toJSON : undefined;
}

function isHook(value: unknown): value is (key: string) => unknown {
  return typeof value === 'function';
}

/** True for a value whose JSON is an object. */
function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && ownHookOf(value) === undefined;
}
