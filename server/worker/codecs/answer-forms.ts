import { constants } from 'node:buffer';
import { csvLine } from '../../tensors/csv.ts';
import { ServerError } from '../../errors.ts';
import { isTensor, isTypedArray } from '../../tensors/tensor.ts';
import { npyBytes, writeNpy } from '../../tensors/npy.ts';
import { tooLarge } from '../answer-limit.ts';
import type { Serving } from './codec.ts';
import { encodeJson, type NonFinite } from './encode-result.ts';
import { outputsOf } from './infer-outputs.ts';
import { isPlain, rowsOf } from './rows-of.ts';

type Limits = Pick<Serving, 'nonFinite' | 'answerLimitBytes'>;

/** A part of a text, so that its pieces are few and short. */
const PIECE = 64 * 1024;

/**
 * One line of JSON for each row of a value, or one for a value without rows.
 * @param expected as in `rowsOf`
 * @throws as encodeJson
 */
export function jsonLines(value: unknown, expected: number | undefined, { nonFinite, answerLimitBytes }: Limits): string {
  const text = new Text(answerLimitBytes);
  const rows = rowsOf(value, expected);
  if (rows === undefined) text.add(encodeJson(value, nonFinite, text.most));
  else for (let row = 0; row < rows.count; row++) text.add(encodeJson(rows.at(row) ?? null, nonFinite, text.most));
  return text.whole;
}

/**
 * Comma-separated values, one line for each row, without a header. A text is the body itself.
 * @param expected as in `rowsOf`
 * @returns undefined for a value that is no table
 * @throws ServerError answer_too_large; result_not_json for NaN, where an option forbids it
 */
export function csvText(value: unknown, expected: number | undefined, { nonFinite, answerLimitBytes }: Limits): string | undefined {
  if (typeof value === 'string') return value;
  const text = new Text(answerLimitBytes);
  const rows = rowsOf(value, expected);
  if (rows === undefined) {
    const field = fieldOf(value, nonFinite);
    if (field === undefined) return undefined;
    text.add(csvLine([field]));
    return text.whole;
  }
  for (let row = 0; row < rows.count; row++) {
    const fields = fieldsOf(rows.at(row), nonFinite);
    if (fields === undefined) return undefined;
    text.add(csvLine(fields));
  }
  return text.whole;
}

/**
 * The file of one array.
 * @returns undefined for a value that is no array of one type
 * @throws ServerError answer_too_large
 */
export function npyParts(value: unknown, answerLimitBytes = Infinity): Uint8Array[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value) && !isTypedArray(value) && !isTensor(value)) return undefined;
  try {
    const [output] = outputsOf({ value, outputParameters: new Map() }, { outputs: undefined, binary: true }, answerLimitBytes);
    if (output === undefined) return undefined;
    if (npyBytes(output.tensor) > answerLimitBytes) throw tooLarge(answerLimitBytes);
    return writeNpy(output.tensor);
  } catch (thrown) {
    if (thrown instanceof ServerError && thrown.code === 'result_not_json') return undefined;
    throw thrown;
  }
}

/** Lines within a limit. */
class Text {
  readonly most: number;
  #pieces: string[] = [];
  #piece = '';
  #length = 0;

  constructor(limitBytes = Infinity) {
    // A character is at least a byte.
    this.most = Math.min(limitBytes, constants.MAX_STRING_LENGTH);
  }

  get whole(): string {
    return this.#pieces.join('') + this.#piece;
  }

  add(line: string): void {
    this.#length += line.length + 1;
    if (this.#length > this.most) throw tooLarge(this.most);
    this.#piece += `${line}\n`;
    if (this.#piece.length < PIECE) return;
    this.#pieces.push(this.#piece);
    this.#piece = '';
  }
}

/**
 * The fields of a row; undefined: it has more levels than a table.
 * @param levels that it may have: an object of arrays has two
 */
function fieldsOf(row: unknown, nonFinite: NonFinite, levels = 2): string[] | undefined {
  const alone = fieldOf(row, nonFinite);
  if (alone !== undefined) return [alone];
  if (typeof row !== 'object' || row === null || levels === 0) return undefined;
  const isObject = !Array.isArray(row) && !isTensor(row) && isPlain(row);
  const items = isObject ? (levels === 2 ? rowsOf(Object.values(row), undefined) : undefined) : rowsOf(row, undefined);
  if (items === undefined) return undefined;
  const fields: string[] = [];
  for (let at = 0; at < items.count; at++) {
    const parts = fieldsOf(items.at(at), nonFinite, isObject ? 1 : 0);
    if (parts === undefined) return undefined;
    fields.push(...parts);
  }
  return fields;
}

/** The text of a scalar; undefined for any other value. */
function fieldOf(value: unknown, nonFinite: NonFinite): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : specialField(value, nonFinite);
    case 'string':
      return value;
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return '';
    case 'object':
      return value === null ? '' : undefined;
    case 'function':
    case 'symbol':
      return undefined;
    default:
      return undefined;
  }
}

function specialField(value: number, nonFinite: NonFinite): string {
  if (nonFinite === 'error') throw new ServerError('result_not_json', `the answer has ${value}: choose a form with NON_FINITE_NUMBERS`);
  return nonFinite === 'null' ? '' : String(value);
}
