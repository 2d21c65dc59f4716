import fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { hasLongInteger, parseJson } from '../../../../server/worker/codecs/json.ts';

test('good JSON equals that of JSON.parse', () => {
  fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parseJson(text, false), JSON.parse(text))));
});

test('an error has the line, the column and the character, whatever the message of V8', () => {
  const cases: [text: string, end: string][] = [
    ['{bad', 'line 1 column 2 (char 1)'],
    ['', 'line 1 column 1 (char 0)'],
    ['nul', 'line 1 column 1 (char 0)'],
    ['[1, 2', 'line 1 column 6 (char 5)'],
    ['[1,]', 'line 1 column 4 (char 3)'],
    ['{"a":1,}', 'line 1 column 8 (char 7)'],
    ['{"a":\n\n  ?}', 'line 3 column 3 (char 9)'],
    ['[1] trailing', 'line 1 column 5 (char 4)'],
    ['/* no comments */ 1', 'line 1 column 1 (char 0)'],
  ];
  for (const [text, end] of cases) {
    assert.throws(
      () => parseJson(text, false),
      (error: Error) => error.name === 'JsonSyntaxError' && error.message.endsWith(`: ${end}`) && !error.message.includes('position'),
      text,
    );
  }
});

test('a mistake that clients often make gets a hint in front of its position', () => {
  const says = (text: string): string => {
    try {
      parseJson(text, false);
    } catch (thrown) {
      return (thrown as Error).message;
    }
    return 'no error';
  };
  const hints: [text: string, hint: string, end: string][] = [
    ['{"a": NaN}', '(JSON has no NaN: send "NaN", "Infinity" or "-Infinity" as a string, or null)', '(char 6)'],
    ['[1, Infinity]', '(JSON has no Infinity: send', '(char 4)'],
    ['[1, -Infinity]', '(JSON has no -Infinity: send', '(char '],
    ['[nan]', '(JSON has no nan: send', '(char 1)'],
    ['NaN', '(JSON has no NaN: send', '(char 0)'],
    ['{"a": True}', '(JSON writes true)', '(char 6)'],
    ['[False]', '(JSON writes false)', '(char 1)'],
    ['{"a": None}', '(JSON writes null)', '(char 6)'],
    ['{"a": undefined}', '(JSON writes null)', '(char 6)'],
    ["{'a': 1}", '(JSON puts strings and names in double quotes)', '(char 1)'],
    ['{"a": \'x\'}', '(JSON puts strings and names in double quotes)', '(char 6)'],
    ['{a: 1}', '(JSON puts names in double quotes)', '(char 1)'],
    ['[NaN, Infinity, -Infinity]', '(JSON has no NaN: send', '(char 1)'],
    ['[1, 2, ]', '(JSON has no comma behind the last item)', '(char 7)'],
    ['{"a": 1,\n}', '(JSON has no comma behind the last item)', '(char 9)'],
    ['{"a": 1} // all', '(JSON has no comments)', '(char 9)'],
  ];
  for (const [text, hint, end] of hints) {
    assert.ok(says(text).includes(` ${hint}`), `${text}: ${says(text)}`);
    assert.ok(says(text).includes(`: line `) && says(text).includes(end), `${text}: ${says(text)}`);
    assert.equal(says(text).split('(').length, 3, says(text));
    assert.doesNotMatch(says(text), /, ".*valid JSON/);
  }
  for (const text of ['{"a" 1}', '[1 2]', '{"a": nope}', '["a\nb"]', '[01]', 'x'.repeat(1_000_000), '[,]', '}'])
    assert.match(says(text), /^[^(]{0,200}: line \d+ column \d+ \(char \d+\)$/);
  assert.ok(says(`{${'x'.repeat(1_000_000)}: 1}`).length < 300);
});

test('exact integers are kept on demand, and only they', () => {
  assert.deepEqual(
    parseJson('[9007199254740993, -9223372036854775808, 9007199254740991, 1e20, 0.12345678901234567, "12345678901234567"]', true),
    [9007199254740993n, -9223372036854775808n, 9007199254740991, 1e20, Number('0.12345678901234567'), '12345678901234567'],
  );
  assert.deepEqual(parseJson('[9007199254740993]', false), [2 ** 53]);
  assert.deepEqual(parseJson('[0.9007199254740993, 12345678901234567]', true), [Number('0.9007199254740993'), 12345678901234567n]);
});

test('whole numbers that a double may not hold are found in a body', () => {
  const cases: [text: string, found: boolean][] = [
    ['[1234567890123456]', true],
    ['{"a":-9007199254740993}', true],
    ['[0.12345678901234567890, 123456789012345]', false],
    ['[6.123233995736766e-17]', false],
    ['[1.5,1234567890123456]', true],
    ['', false],
  ];
  for (const [text, found] of cases) assert.equal(hasLongInteger(Buffer.from(text)), found, text);
});

test('an error has a place inside the text, whatever is wrong with it', () => {
  const broken = fc.tuple(fc.json(), fc.constantFrom('', ',', '}', ']', '"', '0', ':', 'x', '\n'), fc.nat(60), fc.nat(3));
  fc.assert(
    fc.property(broken, ([text, more, at, cut]) => {
      const whole = text.slice(0, at) + more + text.slice(at + cut);
      try {
        parseJson(whole, false);
        JSON.parse(whole);
      } catch (thrown) {
        assert.ok(thrown instanceof Error && thrown.name === 'JsonSyntaxError', String(thrown));
        const [, line, column, char] = (/line (\d+) column (\d+) \(char (\d+)\)$/.exec(thrown.message) ?? []).map(Number);
        assert.ok(char !== undefined && char <= whole.length, thrown.message);
        const before = whole.slice(0, char).split('\n');
        assert.deepEqual([line, column], [before.length, (before.at(-1)?.length ?? 0) + 1]);
      }
    }),
    { numRuns: 2000 },
  );
});
