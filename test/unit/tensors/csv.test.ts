import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ServerError } from '../../../server/errors.ts';
import { csvLine, csvRecords, readCsv } from '../../../server/tensors/csv.ts';
import { JsonNumbers } from '../../../server/tensors/json-numbers.ts';
import { assertLinear } from '../linear-time.ts';

const records = (text: string): (readonly string[])[] => Array.from(csvRecords(text));

/** The rows of a table, as nested arrays. */
function rows(text: string, header = false): unknown {
  const table = readCsv(text, header);
  if (!(table.rows instanceof JsonNumbers)) return table.rows;
  const [count = 0, width = 0] = table.rows.dims;
  return Array.from({ length: count }, (_, row) => Array.from((table.rows as JsonNumbers).data.subarray(row * width, (row + 1) * width)));
}

const refuses = (text: string, message: RegExp, header = false): void =>
  assert.throws(
    () => readCsv(text, header),
    (thrown) => thrown instanceof ServerError && thrown.code === 'invalid_input' && message.test(thrown.message),
  );

describe('records of comma-separated values', () => {
  it('are read whatever ends a line, and without empty lines', () => {
    for (const end of ['\n', '\r\n', '\r'])
      for (const last of ['', end, end + end])
        assert.deepEqual(records(`1,2${end}${end}3,4${last}`), [
          ['1', '2'],
          ['3', '4'],
        ]);
  });

  it('may have quoted fields with commas, line ends and quotes', () => {
    assert.deepEqual(records('"a,b","c""d"\r\n"e\r\nf",\r\n'), [
      ['a,b', 'c"d'],
      ['e\r\nf', ''],
    ]);
    assert.deepEqual(records('""\n""\n'), [[''], ['']]);
  });

  it('are read as they were written, whatever the fields are', () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('', '"', ',', '\n', '\r\n', '1', '""'));
    const table = fc.integer({ min: 1, max: 4 }).chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width })));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (lines, end) => {
        assert.deepEqual(records(lines.map((line) => csvLine(line) + end).join('')), lines);
      }),
    );
  });

  it('that are malformed are refused by their line', () => {
    refuses('1,2\n3\n', /^line 2: expected 2 fields, as in the first line, got 1$/);
    refuses('"a\nb",1\n2\n', /^line 3: expected 2 fields/);
    refuses('1,2\n"3,4\n', /^line 2: expected a quote at the end of a quoted field/);
    refuses('1,2\n"3"x,4\n', /^line 2: expected a comma behind a quoted field, got "x,4/);
    refuses('1,a"b\n', /^line 1: expected quotes around the whole field/);
    refuses('', /^the body: expected at least one line, got none$/);
    refuses('\r\n\n', /at least one line/);
    refuses('a,b\n', /^the body: expected at least one row, got none$/, true);
  });

  it('take linear time', () => {
    assertLinear('quotes', 20_000, (size) => '"a""b",'.repeat(size) + '1\n', records);
    assertLinear('an open quote', 100_000, (size) => `"${'""'.repeat(size)}`, records);
    assertLinear('lines', 20_000, (size) => '1,2,3\n'.repeat(size), records);
    assertLinear(
      'digits',
      100_000,
      (size) => `${'1'.repeat(size)}\n`,
      (text) => readCsv(text, false),
    );
    assertLinear(
      'points',
      100_000,
      (size) => `${' '.repeat(size)}x\n`,
      (text) => readCsv(text, false),
    );
  });
});

describe('a table of comma-separated values', () => {
  it('of numbers is one array of them, in every notation of programs', () => {
    const { rows: numbers } = readCsv('1,-2.5\n+3e2, .5 \nnan,-inf\n4.,1E-3\n', false);
    assert.ok(numbers instanceof JsonNumbers);
    assert.deepEqual(numbers.dims, [4, 2]);
    assert.deepEqual(Array.from(numbers.data), [1, -2.5, 300, 0.5, NaN, -Infinity, 4, 0.001]);
  });

  it('keeps every double, whole ones beyond 2^53 as bigint', () => {
    const double = fc.double({ noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(double, double), { minLength: 1 }), (pairs) => {
        const text = pairs.map((pair) => pair.map((each) => (Object.is(each, -0) ? '-0' : String(each))).join(',')).join('\n');
        assert.deepEqual(
          (rows(text) as (number | bigint)[][]).map((row) => row.map(Number)),
          pairs,
        );
      }),
    );
  });

  it('keeps texts, exact integers, booleans and gaps', () => {
    assert.deepEqual(rows('a,1\n,9007199254740993\nTrue,0x10\ninf,1e999\n'), [
      ['a', 1],
      [null, 9007199254740993n],
      [true, '0x10'],
      ['Infinity', '1e999'],
    ]);
  });

  it('has names with a header, and texts where a column asks for them', () => {
    const table = readCsv('id,x\n007,1\n008,2\n', true, (width, columns) => {
      assert.deepEqual([width, columns], [2, ['id', 'x']]);
      return [true, false];
    });
    assert.deepEqual(table, {
      columns: ['id', 'x'],
      rows: [
        ['007', 1],
        ['008', 2],
      ],
    });
    assert.deepEqual(rows('x,y\n1,2\n', true), [[1, 2]]);
  });
});
