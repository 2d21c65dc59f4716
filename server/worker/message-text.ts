import { stringify } from '../guards/built-ins.ts';
import type { MetricsMessage } from '../ipc/metric-series.ts';
import { bounded } from '../guards/thrown.ts';
import { MOST_MESSAGE_BYTES, type LogMessage } from '../ipc/protocol.ts';

const { prototype: anyObject } = Object;
const { prototype: anyArray } = Array;

/** A UTF-16 unit takes at most three bytes. */
const MOST_CHARACTERS = Math.floor(MOST_MESSAGE_BYTES / 3);

/** JSON text of what this server says itself: no `toJSON` that a script gave to all objects or arrays has a say in it. */
export function jsonText(value: unknown): string {
  if (hookOf(anyObject) === undefined && hookOf(anyArray) === undefined) return stringify(value) ?? 'null';
  return plainText(value) ?? 'null';
}

/** A line of a script, whatever it gave as message and fields: what the protocol does not allow never reaches the pipe. */
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

/** A report of metrics, in as many texts as the longest message asks for. A series that is too long by itself is left out. */
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

/** Of the value or its class; not what all objects have. */
function ownHookOf(value: object): ReturnType<typeof hookOf> {
  const hook = hookOf(value);
  return hook === hookOf(anyObject) || hook === hookOf(anyArray) ? undefined : hook;
}

function hookOf(value: object): ((key: string) => unknown) | undefined {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON as (key: string) => unknown) : undefined;
}

/** True for what becomes an object of JSON. */
function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && ownHookOf(value) === undefined;
}
