/**
 * Thrown values as text. Scripts throw anything: proxies and getters that throw themselves,
 * symbols, messages of any type and length.
 */

import { stringify } from './built-ins.ts';

/** Longest text in characters: it becomes one line of the log. */
const LONGEST = 16 * 1024;

/** One line about any thrown value. Never throws. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return bounded(`${textOf(() => thrown.name)}: ${textOf(() => thrown.message)}`);
    return bounded(`a thrown ${typeof thrown}: ${typeof thrown === 'object' ? (stringify(thrown) ?? '') : textOf(() => thrown)}`);
  } catch {
    return `a thrown ${typeof thrown}`;
  }
}

/** The stack where there is one, else as `describeThrown`. Never throws. */
export function stackOfThrown(thrown: unknown): string {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined;
    if (typeof stack === 'string' && stack !== '') return bounded(stack);
  } catch {
    // The stack cannot be read; name and message may be.
  }
  return describeThrown(thrown);
}

/** @param text of any type @param most characters that are kept */
export function bounded(text: unknown, most = LONGEST): string {
  const whole = typeof text === 'string' ? text : textOf(() => text);
  return whole.length <= most ? whole : `${whole.slice(0, most)}... (${whole.length} characters)`;
}

function textOf(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return '(cannot be read)';
  }
}
