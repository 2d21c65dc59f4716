/**
 * Thrown values as text. Scripts throw anything: proxies and getters that throw themselves,
 * symbols, messages of any type and length, errors that hold sockets.
 */

import { inspect } from 'node:util';
import { stringify } from './built-ins.ts';
import { bounded, isError, memberOf, textOf, ThrownCopy, WHOLE } from './thrown-copy.ts';

export { bounded, isError } from './thrown-copy.ts';

/** Longest text in characters of an object in a message. */
const LONGEST_BRIEF = 1024;

/** One line about any thrown value, without its causes. Never throws. */
export function describeThrown(thrown: unknown): string {
  try {
    if (isError(thrown)) return bounded(`${textOf(memberOf(thrown, 'name'))}: ${textOf(memberOf(thrown, 'message'))}`);
    return bounded(`a thrown ${typeof thrown}: ${typeof thrown === 'object' ? (stringify(thrown) ?? '') : textOf(thrown)}`);
  } catch {
    return `a thrown ${typeof thrown}`;
  }
}

/**
 * A thrown value as `util.inspect` shows it, for the log: the stack of an error, its own fields,
 * its causes and the errors of an AggregateError with theirs. Bounded in time and length. Never
 * throws.
 */
export function stackOfThrown(thrown: unknown): string {
  try {
    if (typeof thrown !== 'object' || thrown === null) return describeThrown(thrown);
    const copy = new ThrownCopy().of(thrown);
    const text = inspect(copy, WHOLE);
    if (!isError(copy)) return bounded(`a thrown object: ${text}`);
    // `inspect` puts an error without frames in brackets.
    const { stack = '' } = copy;
    return bounded(text.startsWith(`[${stack}]`) ? stack + text.slice(stack.length + 2) : text);
  } catch {
    return describeThrown(thrown);
  }
}

/** The stack of an error alone: neither its fields nor its causes. Never throws. */
export function bareStack(thrown: unknown): string {
  try {
    const stack = isError(thrown) ? memberOf(thrown, 'stack') : undefined;
    return typeof stack === 'string' && stack !== '' ? bounded(stack) : describeThrown(thrown);
  } catch {
    return describeThrown(thrown);
  }
}

/** The name of an error and its frames, without its text, which may quote data. Never throws. */
export function placeOfThrown(thrown: unknown): string {
  try {
    if (!isError(thrown)) return `a thrown ${typeof thrown}`;
    const [name, message, stack] = [
      textOf(memberOf(thrown, 'name')),
      textOf(memberOf(thrown, 'message')),
      textOf(memberOf(thrown, 'stack')),
    ];
    // Lines of the message may look like frames.
    const frames = stack.slice(stack.indexOf(message) + message.length).split('\n');
    return bounded([/^\w{1,100}$/.test(name) ? name : 'Error', ...frames.filter((line) => FRAME.test(line))].join('\n'));
  } catch {
    return `a thrown ${typeof thrown}`;
  }
}

const FRAME = /^ +at .*:\d+:\d+\)?$/;

/** An error as the fields of a log line. Never throws. */
export function fieldsOfError(error: Error): { readonly type: string; readonly message: string; readonly stack: string } {
  const [type, message] = [bounded(memberOf(error, 'name')), bounded(memberOf(error, 'message'))];
  return { type, message, stack: stackOfThrown(error) };
}

/** One line about an object: its JSON where it has one. Bounded. Never throws. */
export function shownBriefly(value: object): string {
  try {
    return bounded(stringify(value), LONGEST_BRIEF);
  } catch {
    return bounded(inspect(new ThrownCopy().of(value), { ...WHOLE, breakLength: Infinity }), LONGEST_BRIEF);
  }
}
