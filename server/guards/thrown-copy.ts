import { inspect, types, type InspectOptions } from 'node:util';

/** Longest text in characters: it becomes one line of the log. */
const LONGEST = 16 * 1024;
/** Longest stack of one error of several. */
const LONGEST_STACK = 8 * 1024;
const LONGEST_TEXT = 1000;
const MOST_FIELDS = 20;
const MOST_ITEMS = 10;
/** Values in all: errors, fields and items. */
const MOST_VALUES = 200;
/** Levels of objects and arrays below an error's fields. */
const MOST_LEVELS = 3;
/** Errors below each other. */
const MOST_CAUSES = 20;
/** Bits of a bigint that is written out, because its digits take more than linear time. */
const MOST_BITS = 1024;

/** How a copy is shown. It holds nothing of its original, so no other bound is needed. */
export const WHOLE: InspectOptions = {
  depth: null,
  maxArrayLength: MOST_ITEMS,
  maxStringLength: null,
  breakLength: 120,
  compact: 3,
  colors: false,
  customInspect: true,
  getters: false,
  showHidden: false,
  showProxy: false,
  sorted: false,
};
/** How other values are shown: no code of theirs is called. */
const ALONE: InspectOptions = { ...WHOLE, depth: -1, maxStringLength: LONGEST_TEXT, customInspect: false };
/** Without a look into the items. */
const ITEMS: InspectOptions = { ...ALONE, depth: 0 };

/** @param text of any type @param most characters that are kept */
export function bounded(text: unknown, most = LONGEST): string {
  const whole = typeof text === 'string' ? text : textOf(text);
  return whole.length <= most ? whole : `${whole.slice(0, most)}... (${whole.length} characters)`;
}

/** Never throws. */
export function textOf(value: unknown): string {
  if (typeof value === 'bigint' && isLong(value)) return `[a bigint of more than ${MOST_BITS} bits]`;
  try {
    return String(value);
  } catch {
    return UNREADABLE;
  }
}

function isLong(value: bigint): boolean {
  return BigInt.asIntN(MOST_BITS, value) !== value;
}

const UNREADABLE = '(cannot be read)';

/** An error of any realm. @throws whatever a proxy's trap throws */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

/** A text that `inspect` shows without quotes. */
class Shown {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  [inspect.custom](): string {
    return this.#text;
  }
}

/**
 * Copies a thrown value and all that it holds into errors, plain objects and arrays of a bounded
 * size. Why a copy: `inspect` writes every field of an object and every line of a stack, whatever
 * their number.
 */
export class ThrownCopy {
  /** Copied once each. Why: a chain whose links meet again has more ways than links. */
  readonly #seen = new Set<object>();
  #left = MOST_VALUES;

  /** @param level of objects and arrays @param causes errors above */
  of(value: unknown, level = 0, causes = 0): unknown {
    if (typeof value === 'string') return bounded(value, LONGEST_TEXT);
    if (typeof value === 'bigint') return isLong(value) ? new Shown(textOf(value)) : value;
    if (typeof value === 'function') return alone(value);
    if (typeof value !== 'object' || value === null) return value;
    if (this.#seen.has(value)) return new Shown('[shown above]');
    if (this.#left <= 0) return new Shown('[...]');
    this.#left--;
    this.#seen.add(value);
    try {
      return this.#object(value, level, causes);
    } catch {
      // A proxy's trap or a getter throws. `inspect` reads past proxies.
      return alone(value);
    }
  }

  #object(value: object, level: number, causes: number): unknown {
    if (isError(value)) return causes === MOST_CAUSES ? new Shown(`[${bounded(value.name, LONGEST_TEXT)}]`) : this.#error(value, causes);
    if (types.isMap(value) || types.isSet(value) || ArrayBuffer.isView(value)) return alone(value, ITEMS);
    if (Array.isArray(value) && level < MOST_LEVELS) return this.#array(value, level, causes);
    if (isPlain(value) && level < MOST_LEVELS) return this.#fields({}, value, level, causes);
    // Scripts throw instances that are no errors. Below an error they may be sockets.
    return level === 0 && Object.keys(value).length > 0 ? this.#instance(value, causes) : alone(value);
  }

  #instance(value: object, causes: number): object {
    const copy = {};
    // `[Name]`, found without a call of the script's code.
    define(copy, Symbol.toStringTag, bounded(inspect(value, ALONE).slice(1, -1), LONGEST_TEXT), false);
    return this.#fields(copy, value, 0, causes);
  }

  #error(error: Error, causes: number): Error {
    const copy = new Error();
    copy.stack = stackOf(error);
    this.#fields(copy, error, 0, causes);
    if (Object.hasOwn(error, 'cause')) define(copy, 'cause', this.of(memberOf(error, 'cause'), 0, causes + 1), false);
    const errors: unknown = Object.hasOwn(error, 'errors') ? memberOf(error, 'errors') : undefined;
    if (Array.isArray(errors)) define(copy, 'errors', this.#array(errors, 0, causes + 1), false);
    return copy;
  }

  #array(items: readonly unknown[], level: number, causes: number): unknown[] {
    const copy: unknown[] = [];
    for (let at = 0; at < Math.min(items.length, MOST_ITEMS); at++) copy.push(this.of(items[at], level + 1, causes));
    // `inspect` shows the number of the others.
    copy.length = items.length;
    return copy;
  }

  /** Copies own members, no getters. */
  #fields<T extends object>(copy: T, from: object, level: number, causes: number): T {
    const keys = Object.keys(from).filter((key) => !(copy instanceof Error && OF_ERRORS.has(key)));
    for (const key of keys.slice(0, MOST_FIELDS)) {
      const member = Object.getOwnPropertyDescriptor(from, key);
      const value = member !== undefined && 'value' in member ? this.of(member.value, level + 1, causes) : new Shown('[Getter]');
      define(copy, bounded(key, 100), value);
    }
    if (keys.length > MOST_FIELDS) define(copy, '...', new Shown(`${keys.length - MOST_FIELDS} more fields`));
    return copy;
  }
}

/**
 * The stack. Why more: V8 takes it when the error is made, so it has neither a name nor a message
 * that was set later.
 */
function stackOf(error: Error): string {
  const [stack, message] = [memberOf(error, 'stack'), memberOf(error, 'message')];
  const name = bounded(nameOf(error), LONGEST_TEXT);
  const head = `${name}: ${bounded(message, LONGEST_STACK)}`;
  if (typeof stack !== 'string' || stack === '' || stack === UNREADABLE) return head;
  if (typeof message === 'string' && !stack.includes(message.slice(0, LONGEST_TEXT))) return `${head}\n${bounded(stack, LONGEST_STACK)}`;
  const whole = bounded(stack, LONGEST_STACK);
  return whole.split('\n', 1)[0]?.includes(name) === true ? whole : whole.replace(/^\w*Error(?=[:\n]|$)/, () => name);
}

/** The name, of a class that has none that of the class. */
function nameOf(error: Error): unknown {
  const name = memberOf(error, 'name');
  return name === 'Error' && typeof error.constructor === 'function' ? error.constructor.name : name;
}

/** Fields that every error has. */
const OF_ERRORS: ReadonlySet<string> = new Set(['name', 'stack', 'message', 'cause', 'errors']);

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A value that is not copied: its class, and the items where `options` ask for them. */
function alone(value: object, options = ALONE): Shown {
  try {
    return new Shown(bounded(inspect(value, options), LONGEST_TEXT));
  } catch {
    return new Shown(UNREADABLE);
  }
}

/** A member of an error, whose getter may throw. */
export function memberOf(from: Error, key: 'name' | 'message' | 'stack' | 'cause' | 'errors'): unknown {
  try {
    return Reflect.get(from, key);
  } catch {
    return UNREADABLE;
  }
}

function define(copy: object, key: PropertyKey, value: unknown, enumerable = true): void {
  Object.defineProperty(copy, key, { value, enumerable, configurable: true, writable: true });
}
