import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bareNumbers } from '../../../server/tensors/bare-numbers.ts';
import { parseJson } from '../../../server/worker/codecs/json.ts';
import { assertLinear } from '../linear-time.ts';

const parse = (text: string): unknown => parseJson(text, false, 'accept');

const accepted: [text: string, value: unknown][] = [
  ['NaN', NaN],
  [' NaN\n', NaN],
  ['Infinity', 'Infinity'],
  ['-Infinity', '-Infinity'],
  ['[1, NaN, 2.5]', [1, NaN, 2.5]],
  ['[[NaN],[-Infinity,Infinity]]', [[NaN], ['-Infinity', 'Infinity']]],
  ['{"data":[[NaN,1]],"NaN":"NaN"}', { data: [[NaN, 1]], NaN: 'NaN' }],
  ['{"a":NaN,"b":[NaN , NaN],"c":{"d":-Infinity}}', { a: NaN, b: [NaN, NaN], c: { d: '-Infinity' } }],
  ['{"text":"[NaN, Infinity]","x":NaN}', { text: '[NaN, Infinity]', x: NaN }],
  ['{"text":"a \\" , NaN , \\\\","x":NaN}', { text: 'a " , NaN , \\', x: NaN }],
  ['["\\ud83d\\ue000","\ue001\uf8ff","日本",NaN]', ['\ud83d\ue000', '\ue001\uf8ff', '日本', NaN]],
  ['[1e999, Infinity]', [Infinity, 'Infinity']],
];

/** Each with the position of its error. */
const refused: [text: string, char: number][] = [
  ['[NaN, 1,]', 8],
  ['[Infinity, -Infinity, nan]', 22],
  ['{"a": NaN, "b": tru}', 16],
  ['{NaN: 1}', 1],
  ['{"a": 1, NaN : 2}', 9],
  ['[-NaN]', 1],
  ['[1NaN]', 2],
  ['[NaN1]', 1],
  ['[NaNNaN]', 1],
  ['[+Infinity]', 1],
  ['[NaN', 4],
  ['["NaN', 1],
  ['[NaN, "x]', 6],
  ['[NaN NaN]', 5],
];

describe("Python's bare numbers", () => {
  for (const [text, value] of accepted)
    it(`are taken: ${text}`, () => {
      assert.deepEqual(parse(text), value);
    });

  for (const [text, char] of refused)
    it(`leave the place of another error: ${text}`, () => {
      assert.throws(
        () => parse(text),
        (error: Error) => error.name === 'JsonSyntaxError' && error.message.endsWith(`(char ${char})`),
      );
    });

  it('are refused by JSON_NAN=refuse, with what to send', () => {
    for (const word of ['NaN', 'Infinity', '-Infinity'])
      assert.throws(
        () => parseJson(`[${word}]`, false, 'refuse'),
        /JSON has no -?\w+: send "NaN", "Infinity" or "-Infinity" as a string, or null/,
      );
  });

  it('keep whole numbers exact beside them', () => {
    assert.deepEqual(parseJson('[NaN, 9007199254740993]', true, 'accept'), [NaN, 9007199254740993n]);
  });

  it('never change a text, a name or a position', () => {
    const words = fc.constantFrom('NaN', 'Infinity', '-Infinity', '"', '\\', ',', ': ', '[', '\ue000', '\\ue000', 'x');
    const text = fc.array(words, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }), (pairs) => {
        const members = Object.fromEntries(pairs);
        const json = JSON.stringify(members);
        const { json: same, restore } = bareNumbers(`[NaN, ${json}, -Infinity]`)!;
        assert.equal(same.length, json.length + 18);
        assert.deepEqual(restore(JSON.parse(same)), [NaN, members, '-Infinity']);
      }),
    );
  });

  it('are no part of a text without them', () => {
    for (const text of ['', '{', '["NaN"]', '{"Infinity":1}', 'nan', 'xNaN', 'None']) assert.equal(bareNumbers(text), undefined, text);
  });

  it('are found in linear time', () => {
    const bodies: [name: string, unit: string][] = [
      ['many of them', 'NaN,'],
      ['words in front of blanks', 'NaN    '],
      ['quotes that do not end', '"\\"'],
      ['quotes', '"'],
      ['names', 'NaN :'],
      ['parts of words', 'NaNNaNI'],
    ];
    for (const [name, unit] of bodies)
      assertLinear(
        name,
        50_000,
        (size) => `[${unit.repeat(size)}`,
        (text) => assert.throws(() => parse(text)),
      );
  });
});
