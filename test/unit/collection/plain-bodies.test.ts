import assert from 'node:assert/strict';
import test from 'node:test';
import { readData } from '../../../server/collection/encode/payload-data.ts';
import { Body } from '../../../server/collection/records.ts';

const dataOf = (text: string): string => {
  const data = readData('application/json', Buffer.from(text), Body.parsed);
  assert.ok('json' in data, text);
  return String(data.json);
};

// Bodies up to 1024 bytes take another way than longer ones: both must give the same.
for (const [what, text, expected] of [
  ['plain JSON', '{"a":[1,2.50,"x"]}', '{"a":[1,2.50,"x"]}'],
  ['line ends', '{"a":\r\n1,"b":\n2}', '{"a":  1,"b": 2}'],
  ['a line feed alone', '{"a":\n1}', '{"a": 1}'],
  ['a carriage return alone', '{"a":\r1}', '{"a": 1}'],
  ['names that begin as bare numbers do', '{"Name":"Infinite","NaNs":1}', '{"Name":"Infinite","NaNs":1}'],
  ['Python’s bare numbers, which are no JSON', '{"a":NaN}', '"{\\"a\\":NaN}"'],
  ['other letters than those of ASCII', '{"a":"Größe 😀"}', '{"a":"Größe 😀"}'],
  ['a byte-order mark', '\ufeff{"a":1}', '{"a":1}'],
] as const)
  test(`a short and a long body give the same data: ${what}`, () => {
    assert.equal(dataOf(text), expected);
    const filler = ' '.repeat(2000);
    const long = text.endsWith('}') ? `${text.slice(0, -1)}${filler}}` : text;
    assert.equal(dataOf(long).replace(filler, ''), expected);
  });
