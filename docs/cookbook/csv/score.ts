/**
 * A CSV file comes in. The same file with a further column goes out.
 *
 * npm install --prefix docs/cookbook/csv
 * npm start -- --entry-script docs/cookbook/csv/score.ts
 * sh docs/cookbook/csv/try.sh
 */

import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { type InitContext, type Model, ScoringError } from 'scoring-server';

/** Text, whatever content type the client sends. */
export const inputType = 'text';

const FEATURES = ['rooms', 'area'];

type Row = Record<string, string>;

let model: Model;

export async function init(context: InitContext) {
  model = await context.openModel('prices.onnx');
}

export async function run(text: string) {
  const rows = readRows(text);
  if (rows.length === 0) throw new ScoringError(400, 'expected a line of names and at least one row');
  const features = rows.map((row, index) => FEATURES.map((name) => readNumber(row, name, index)));
  const { price } = await model.run({ features });
  const priced = rows.map((row, index) => ({ ...row, price: price?.data[index] }));
  return new Response(stringify(priced, { header: true }), { headers: { 'content-type': 'text/csv; charset=utf-8' } });
}

function readRows(text: string): Row[] {
  try {
    return parse<Row>(text, { columns: true, bom: true, trim: true, skip_empty_lines: true });
  } catch (error) {
    // Its message names the line.
    if (error instanceof CsvError) throw new ScoringError(400, error.message, { cause: error });
    throw error;
  }
}

function readNumber(row: Row, name: string, index: number): number {
  const text = row[name] ?? '';
  const number = Number(text);
  // Number('') is 0.
  if (text === '' || !Number.isFinite(number)) throw new ScoringError(400, `row ${index + 1}, ${name}: expected a number, got "${text}"`);
  return number;
}
