import assert from 'node:assert/strict';
import test from 'node:test';
import { csvRow, numbersAsPythonWrites, pythonFloat } from '../../../server/collection/encode/csv.ts';
import { Layout } from '../../../server/collection/encode/layout.ts';
import { settings } from '../../collection/start-writer.ts';
import { rowsBlock } from './blocks.ts';

test('a float is written as Python writes it', () => {
  const cases = {
    '1.0': 1,
    '-0.0': -0,
    '0.0': 0,
    '0.1': 0.1,
    '22.5': 22.5,
    '0.0001': 1e-4,
    '1e-05': 1e-5,
    '1.5e-07': 1.5e-7,
    '1000000000000000.0': 1e15,
    '123456789012345.6': 123456789012345.6,
    '1e+16': 1e16,
    '1.2345678901234568e+16': 12345678901234568,
    '1e+21': 1e21,
    '-1.7976931348623157e+308': -Number.MAX_VALUE,
    '5e-324': 5e-324,
  };
  assert.deepEqual(Object.values(cases).map(pythonFloat), Object.keys(cases));
});

test('numbers of CSV keep what they are: floats their fraction, whole numbers all digits', () => {
  const row = JSON.parse('{"a":1.0,"b":1,"c":1e-7,"d":1152921504606846977,"e":null,"f":true,"g":"1.50"}', numbersAsPythonWrites) as Record<
    string,
    unknown
  >;
  assert.equal(csvRow(row), '1.0,1,1e-07,1152921504606846977,,True,1.50\r\n');
});

test('the files of the v1 API have floats with their fraction', () => {
  const block = rowsBlock([{ y: 0.5, $aml_dc_scoring_timestamp: '2026-03-05T18:16:25.000000' }]);
  const [placed] = new Layout(settings, 'i').place({ ...block, data: Buffer.from(block.data.toString().replace('"y":0.5', '"y":1.0')) });
  assert.match(placed?.data.toString() ?? '', /^1\.0,/);
});
