/** Comma-separated values: RFC 4180, with line ends of any system and without empty lines. */

import type { TensorValue } from '../entry-script.ts';
import { misfit, show } from './infer-request.ts';
import { JsonNumbers, NumberStore } from './json-numbers.ts';

/** A number as programs write it. Python writes a sign or a bare point, R no digit behind it. */
const NUMBER = /^[ \t]*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[ \t]*$/i;
const WHOLE = /^[ \t]*[+-]?\d+[ \t]*$/;
/** Most digits of an exact whole number, because the conversion takes more than linear time. */
const MOST_DIGITS = 1000;
/** What numpy, pandas and R write where there is no number. */
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-infinity', -Infinity],
]);
const LONGEST_SPECIAL = 9;
const LINE_END = /\r\n|\n|\r/y;
const BARE = /[^",\r\n]*/y;

/** The rows of a body, and the names of their columns if it has a header. */
export interface CsvTable {
  readonly columns: readonly string[] | undefined;
  /** Numbers if every field is one, else a value a field. */
  readonly rows: JsonNumbers | readonly (readonly TensorValue[])[];
}

/** For each column, whether its fields stay texts: `007` is no number there. */
export type TextColumns = (width: number, columns: readonly string[] | undefined) => readonly boolean[];

/**
 * Reads a table.
 * @param header whether the first record has the names of the columns
 * @throws ServerError invalid_input that names the line
 */
export function readCsv(text: string, header: boolean, textColumns: TextColumns = () => []): CsvTable {
  const columns = header ? Array.from(firstOf(csvRecords(text))) : undefined;
  const width = columns?.length ?? firstOf(csvRecords(text)).length;
  const texts = textColumns(width, columns);
  const rows = (texts.includes(true) ? undefined : numbersOf(text, header)) ?? valuesOf(text, header, texts);
  if (rows instanceof JsonNumbers ? rows.dims[0] === 0 : rows.length === 0) throw misfit('the body', 'at least one row', 'none');
  return { columns, rows };
}

/**
 * The records of a text, one after the other: a large body never lies in memory as fields. All have
 * as many fields as the first.
 * @throws ServerError invalid_input
 */
export function* csvRecords(text: string): Generator<readonly string[], undefined> {
  let width = 0;
  for (const [record, line] of text.includes('"') ? quotedRecords(text) : plainRecords(text)) {
    if (width === 0) width = record.length;
    if (record.length !== width) throw misfit(`line ${line}`, `${width} fields, as in the first line`, String(record.length));
    yield record;
  }
}

/** A line of fields, without its end. @param texts of its fields */
export function csvLine(texts: readonly string[]): string {
  // An empty line would be no record.
  return texts.length === 1 && texts[0] === '' ? '""' : texts.map(quoted).join(',');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function firstOf(records: Generator<readonly string[]>): readonly string[] {
  const { value } = records.next();
  if (value === undefined) throw misfit('the body', 'at least one line', 'none');
  return value;
}

type Line = readonly [record: string[], line: number];

function* plainRecords(text: string): Generator<Line> {
  let line = 1;
  for (let at = 0; at < text.length; line++) {
    const end = endOfLine(text, at);
    if (end > at) yield [text.slice(at, end).split(','), line];
    at = end + (text[end] === '\r' && text[end + 1] === '\n' ? 2 : 1);
  }
}

function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d) return at;
  }
  return text.length;
}

function* quotedRecords(text: string): Generator<Line> {
  const place = { at: 0, line: 1 };
  while (place.at < text.length) {
    if (passLineEnd(text, place)) continue;
    const { line } = place;
    yield [readRecord(text, place), line];
  }
}

interface Place {
  at: number;
  line: number;
}

/** Reads one record with its line end. */
function readRecord(text: string, place: Place): string[] {
  const fields: string[] = [];
  for (;;) {
    fields.push(text[place.at] === '"' ? readQuoted(text, place) : readBare(text, place));
    if (place.at >= text.length || passLineEnd(text, place)) return fields;
    if (text[place.at] !== ',') {
      const where = text[place.at] === '"' ? 'quotes around the whole field, and two for one inside it' : 'a comma behind a quoted field';
      throw misfit(`line ${place.line}`, where, show(text.slice(place.at, place.at + 20)));
    }
    place.at++;
  }
}

function readBare(text: string, place: Place): string {
  const from = place.at;
  BARE.lastIndex = from;
  BARE.test(text);
  place.at = BARE.lastIndex;
  return text.slice(from, place.at);
}

function readQuoted(text: string, place: Place): string {
  const { line } = place;
  let value = '';
  for (let from = place.at + 1; ;) {
    const end = text.indexOf('"', from);
    if (end < 0) throw misfit(`line ${line}`, 'a quote at the end of a quoted field', 'the end of the body');
    value += text.slice(from, end);
    place.at = end + 1;
    if (text[end + 1] !== '"') break;
    value += '"';
    from = end + 2;
  }
  place.line += value.match(/\r\n|\n|\r/g)?.length ?? 0;
  return value;
}

/** True behind the end of a line. */
function passLineEnd(text: string, place: Place): boolean {
  LINE_END.lastIndex = place.at;
  if (!LINE_END.test(text)) return false;
  place.at = LINE_END.lastIndex;
  place.line++;
  return true;
}

/** Undefined if a field is no number that a double holds. */
function numbersOf(text: string, header: boolean): JsonNumbers | undefined {
  const store = new NumberStore((text.length >> 2) + 8);
  let { numbers } = store;
  let used = 0;
  let rows = header ? -1 : 0;
  for (const record of csvRecords(text)) {
    if (rows++ < 0) continue;
    for (const field of record) {
      const number = numberOf(field);
      if (number === undefined) return undefined;
      if (used === numbers.length) numbers = store.grow();
      numbers[used++] = number;
    }
  }
  return new JsonNumbers([rows, rows === 0 ? 0 : used / rows], store, 0, used);
}

function valuesOf(text: string, header: boolean, texts: readonly boolean[]): TensorValue[][] {
  const rows: TensorValue[][] = [];
  for (const record of csvRecords(text)) rows.push(record.map((field, index) => (texts[index] === true ? field : valueOf(field))));
  return header ? rows.slice(1) : rows;
}

function numberOf(field: string): number | undefined {
  if (!NUMBER.test(field)) return field.length > LONGEST_SPECIAL ? undefined : SPECIAL.get(field.trim().toLowerCase());
  const number = Number(field);
  return Number.isFinite(number) && (Number.isSafeInteger(number) || !WHOLE.test(field)) ? number : undefined;
}

/** A field as JSON has it: an infinity is a text, an empty field null. */
function valueOf(field: string): TensorValue {
  if (field === '') return null;
  const number = numberOf(field);
  if (number !== undefined) return Math.abs(number) === Infinity ? String(number) : number;
  if (WHOLE.test(field) && field.length <= MOST_DIGITS) return BigInt(field.trim().replace(/^\+/, ''));
  return /^(?:true|false)$/i.test(field) ? field.toLowerCase() === 'true' : field;
}
