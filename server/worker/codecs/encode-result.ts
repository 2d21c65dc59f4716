import { constants } from 'node:buffer';
import { types } from 'node:util';
import { stringify } from '../../guards/built-ins.ts';
import type { Tensor } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { formless } from '../../guards/formless.ts';
import { hasNonFinite, isFloats, isTensor, isTypedArray, valuesOf } from '../../tensors/tensor.ts';
import { isShape, expectedShape, shownDims, sizeOf } from '../../tensors/tensor-shape.ts';
import { tooLarge } from '../answer-limit.ts';
import { MOST_LEVELS } from '../../guards/nesting.ts';
import type { Serving } from './codec.ts';
import { brackets, nest } from './nest.ts';
import { plainLength } from './plain-length.ts';

/** Form of NaN and the infinities, for which JSON has no numbers. */
export type NonFinite = 'string' | 'null' | 'error';

/** The result of `run()`, or the body of a ScoringError, by its name in errors. */
type Root = 'result' | 'body';
const origins: Readonly<Record<Root, string>> = { result: 'run() returned', body: 'run() threw a ScoringError with' };
const ANY_FORM = 'numbers, strings, arrays, plain objects, typed arrays, tensors or a Response';

/**
 * JSON text of an answer of `run()`. Tensors and typed arrays become nested arrays, 64-bit integers
 * exact numbers.
 * @param limitBytes largest answer; a certainly larger one is refused before its text is made
 * @param root the origin of the value, for errors
 * @throws ServerError result_not_json that names the place of a value without a JSON form;
 * answer_too_large
 */
export function encodeJson(value: unknown, nonFinite: NonFinite, limitBytes = Infinity, root: Root = 'result'): string {
  // A character is at least a byte.
  const most = Math.min(limitBytes, constants.MAX_STRING_LENGTH);
  const least = plainLength(value, 0, most);
  if (least < 0) return new Encoder(nonFinite, most, root).text(value) ?? '{}';
  const text = least > most ? undefined : (written(value, most) ?? '{}');
  if (text === undefined || text.length > most) throw tooLarge(most);
  return text;
}

/** JSON text of the object that a ScoringError answers. @throws as encodeJson */
export function failureText(body: object, { nonFinite, answerLimitBytes }: Pick<Serving, 'nonFinite' | 'answerLimitBytes'>): string {
  return encodeJson(body, nonFinite, answerLimitBytes, 'body');
}

/** JSON.stringify of plain values. @throws ServerError answer_too_large */
function written(value: string, most: number): string;
function written(value: unknown, most: number): string | undefined;
function written(value: unknown, most: number): string | undefined {
  try {
    return stringify(value);
  } catch (thrown) {
    // The text is longer than any string of V8: plain values fail in no other way.
    if (thrown instanceof RangeError) throw tooLarge(most);
    throw thrown;
  }
}

/** Most numbers of a row that are written one by one, because a view and a join cost more. */
const SHORT_ROW = 8;
/**
 * Numbers of a piece: longer rows are written in pieces, so that a too large answer takes little
 * memory.
 */
const LONG_ROW = 1024 * 1024;
/** `true` and a comma. */
const LEAST_BOOL = 5;

type Members = Readonly<Record<string, unknown>>;

class Encoder {
  readonly #nonFinite: NonFinite;
  readonly #most: number;
  readonly #root: Root;
  /** Characters that are left of the limit. */
  #left: number;
  /** Keys and indices down to the current value, for errors. */
  readonly #way: (string | number)[] = [];
  /** The objects on that way, few enough for a linear search. */
  readonly #above: object[] = [];

  constructor(nonFinite: NonFinite, most: number, root: Root) {
    this.#nonFinite = nonFinite;
    this.#root = root;
    this.#most = most;
    this.#left = most;
  }

  /** JSON text, or undefined for undefined, which JSON leaves out. */
  text(value: unknown): string | undefined {
    switch (typeof value) {
      case 'undefined':
        return undefined;
      case 'number':
        return this.#counted(Number.isFinite(value) ? String(value) : this.#special(value));
      case 'bigint':
        return this.#counted(value.toString());
      case 'string':
        return this.#string(value);
      case 'boolean':
        return String(value);
      case 'object':
        return value === null ? 'null' : this.#object(value);
      case 'function':
        throw this.#notJson('a function', 'what it returns: call it');
      case 'symbol':
      default:
        throw this.#notJson(`a ${typeof value}`);
    }
  }

  /** @throws ServerError answer_too_large */
  #take(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw tooLarge(this.#most);
  }

  #counted(text: string): string {
    this.#take(text.length);
    return text;
  }

  #string(value: string): string {
    if (value.length > this.#left) throw tooLarge(this.#most);
    return this.#counted(written(value, this.#most));
  }

  /**
   * @param callsToJson false for a result of `toJSON`, which is called only once, as JSON.stringify
   * does
   */
  #object(value: object, callsToJson = true): string | undefined {
    if (ArrayBuffer.isView(value)) return this.#typedArray(value);
    if (isTensor(value)) return this.#tensor(value);
    if (callsToJson && hasToJson(value)) {
      const made = value.toJSON(String(this.#way.at(-1) ?? ''));
      return typeof made === 'object' && made !== null ? this.#object(made, false) : this.text(made);
    }
    if (types.isBoxedPrimitive(value)) return this.text(value.valueOf());
    const odd = formless(value);
    if (odd !== undefined) throw this.#notJson(odd.what, odd.instead);
    if (this.#above.includes(value)) throw this.#notJson('an object that contains itself');
    if (this.#above.length === MOST_LEVELS) throw this.#notJson(`arrays and objects nested more than ${MOST_LEVELS} deep`);
    this.#above.push(value);
    const text = Array.isArray(value) ? this.#array(value) : this.#members(value);
    this.#above.pop();
    return text;
  }

  #array(items: readonly unknown[]): string {
    this.#take(items.length + 1);
    let text = '';
    for (let index = 0; index < items.length; index++) text += `${index === 0 ? '' : ','}${this.#at(index, items[index]) ?? 'null'}`;
    return `[${text}]`;
  }

  #members(value: object): string {
    this.#take(2);
    let members = '';
    for (const key of Object.keys(value)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every object has members of unknown form; Reflect.get is slower
      const text = this.#at(key, (value as Members)[key]);
      if (text !== undefined) members += this.#counted(`${members === '' ? '' : ','}${stringify(key)}:`) + text;
    }
    return `{${members}}`;
  }

  /** JSON text of the value under a key or an index. */
  #at(step: string | number, value: unknown): string | undefined {
    this.#way.push(step);
    const text = this.text(value);
    this.#way.pop();
    return text;
  }

  #typedArray(value: ArrayBufferView): string {
    if (!isTypedArray(value)) throw this.#notJson('a DataView', 'new Uint8Array(view.buffer, view.byteOffset, view.byteLength)');
    this.#take(2);
    return `[${this.#items(value, 0, value.length)}]`;
  }

  #items(array: NodeJS.TypedArray, from: number, to: number): string {
    if (2 * (to - from) > this.#left) throw tooLarge(this.#most);
    let text = this.#piece(array, from, Math.min(to, from + LONG_ROW));
    for (let at = from + LONG_ROW; at < to; at += LONG_ROW) text += `,${this.#piece(array, at, Math.min(to, at + LONG_ROW))}`;
    return text;
  }

  #piece(array: NodeJS.TypedArray, from: number, to: number): string {
    if (isFloats(array) && hasNonFinite(array, from, to))
      return this.#counted(
        Array.from(array.subarray(from, to), (each, at) => (Number.isFinite(each) ? String(each) : this.#special(each, from + at))).join(
          ',',
        ),
      );
    if (to - from > SHORT_ROW) return this.#counted(array.subarray(from, to).join(','));
    let text = from < to ? String(array[from]) : '';
    for (let index = from + 1; index < to; index++) text += `,${array[index]}`;
    return this.#counted(text);
  }

  #tensor(tensor: Tensor): string {
    const { type, dims, data } = tensor;
    if (!isShape(dims)) throw this.#notJson(`a tensor of dims ${shownDims(dims)} (expected ${expectedShape(dims)})`);
    const size = sizeOf(dims);
    if (data.length !== size) throw this.#notJson(`a tensor of dims [${dims.join(',')}] with ${data.length} elements instead of ${size}`);
    this.#take(brackets(dims));
    const values = valuesOf(tensor);
    if (type === 'bool' || Array.isArray(values)) {
      if ((type === 'bool' ? LEAST_BOOL : 2) * size > this.#left) throw tooLarge(this.#most);
      this.#way.push('data');
      const texts = Array.from<unknown, string>(values, (item, at) => this.#at(at, type === 'bool' ? Boolean(item) : item) ?? 'null');
      this.#way.pop();
      return nest(dims, (from, to) => texts.slice(from, to).join(','));
    }
    return nest(dims, (from, to) => this.#items(values, from, to));
  }

  #special(value: number, at?: number): string {
    if (at !== undefined) this.#way.push(at);
    if (this.#nonFinite === 'error')
      throw new ServerError(
        'result_not_json',
        `the answer has ${value} at \`${this.#root}${excerpt(this.#place)}\`, which JSON has no number for: choose a form with NON_FINITE_NUMBERS`,
      );
    if (at !== undefined) this.#way.pop();
    return this.#nonFinite === 'null' ? 'null' : `"${value}"`;
  }

  get #place(): string {
    return this.#way.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  }

  #notJson(what: string, instead = ANY_FORM): ServerError {
    return new ServerError(
      'result_not_json',
      `${origins[this.#root]} ${what} at \`${this.#root}${excerpt(this.#place)}\`, which has no JSON form: return ${instead}`,
    );
  }
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
