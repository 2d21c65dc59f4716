import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../../../server/errors.ts';
import { decodeBody, decodeQuery } from '../../../../server/worker/codecs/content-types.ts';
import { assertLinear } from '../../linear-time.ts';

const JSON_TYPE = 'application/json';
const json = (text: string, exact = false): unknown => decodeBody(Buffer.from(text), JSON_TYPE, undefined, exact);
const nested = (levels: number, open = '[', close = ']', inside = ''): string => open.repeat(levels) + inside + close.repeat(levels);

describe('a body', () => {
  const mediaTypes = [
    'application/json',
    'text/plain',
    'text/csv',
    'application/x-www-form-urlencoded',
    '',
    'image/png',
    'a/b+json',
    ';',
    '/',
  ];
  const charsets = [
    '',
    'utf-8',
    'utf-16le',
    'utf-16be',
    'latin1',
    'gb18030',
    'big5',
    'shift_jis',
    'iso-2022-jp',
    'iso-2022-kr',
    'x-user-defined',
    'nope',
    '"',
  ];
  const contentType = fc.oneof(
    fc
      .tuple(fc.constantFrom(...mediaTypes), fc.constantFrom(...charsets))
      .map(([type, set]) => (set === '' ? type : `${type}; charset=${set}`)),
    fc.string(),
    fc.constant(undefined),
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.tuple(fc.json(), fc.uint8Array({ maxLength: 4 }), fc.nat(100)).map(([text, more, at]) => {
      const whole = Buffer.from(text);
      return Buffer.concat([whole.subarray(0, at), more, whole.subarray(at)]);
    }),
  );

  it("is decoded, or refused as the client's fault, whatever it and its type are", () => {
    const inputType = fc.constantFrom(undefined, 'json' as const, 'text' as const, 'bytes' as const, 'tensors' as const);
    fc.assert(
      fc.property(bytes, contentType, inputType, fc.boolean(), (body, type, form, exact) => {
        try {
          decodeBody(Buffer.from(body), type, form, exact);
        } catch (thrown) {
          assert.ok(thrown instanceof ServerError, String(thrown));
          assert.equal(thrown.failure.fault, 'client');
          assert.ok(thrown.message.length < 400, thrown.message);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('that is JSON equals that of JSON.parse, in every form that takes JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const expected = JSON.parse(text) as unknown;
        assert.deepEqual(json(text), expected);
        assert.deepEqual(decodeBody(Buffer.from(text), undefined, undefined, false), expected);
        assert.deepEqual(decodeBody(Buffer.from(`\ufeff${text}`), 'x/y+json; charset=utf-8', undefined, false), expected);
        assert.deepEqual(decodeBody(Buffer.from(text, 'utf16le'), 'text/plain; charset="utf-16le"', undefined, false), text);
      }),
    );
  });

  it("is the same text for inputType = 'text', whatever its content type and charset", () => {
    const text = '\ufeff{"a": "ä€"}\r\n';
    for (const type of [
      undefined,
      JSON_TYPE,
      'text/plain',
      'text/plain; charset=latin1',
      'text/csv; charset=utf-16le',
      'a/b; charset=nope',
    ])
      assert.equal(decodeBody(Buffer.from(text), type, 'text', false), text, type);
    for (const type of ['text/plain; charset=iso-8859-1', JSON_TYPE])
      assert.throws(() => decodeBody(Buffer.from('caf\xe9', 'latin1'), type, 'text', false), {
        code: 'bad_text',
        message: /0xe9 in position 3/,
      });
    assert.equal(decodeBody(Buffer.from('caf\xe9', 'latin1'), 'text/plain; charset=iso-8859-1', undefined, false), 'café');
    assert.equal(decodeBody(Buffer.from('\ufeffx'), 'text/plain', undefined, false), 'x');
  });

  it('that begins like JSON, of a type that does not say so, is JSON or refused with the position', () => {
    for (const type of [undefined, '', 'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8']) {
      for (const text of ['{"a": 1,}', '  \n\t[1, NaN]', '\ufeff{bad', `${' '.repeat(5000)}[`])
        assert.throws(
          () => decodeBody(Buffer.from(text), type, undefined, false),
          (error: { code: string; message: string }) =>
            error.code === 'bad_json' && /line \d+ column \d+ \(char \d+\)$/.test(error.message),
          text.slice(0, 20),
        );
      for (const others of [
        Buffer.from('a=1&b=[2]'),
        Buffer.from('plain {text}'),
        Buffer.from('｛{'),
        Buffer.of(0x5b, 0xff, 0xfe),
        Buffer.of(0xef, 0x5b),
        Buffer.alloc(0),
      ])
        assert.equal(decodeBody(others, type, undefined, false), others);
      for (const form of ['bytes', 'text'] as const) assert.equal(String(decodeBody(Buffer.from('{bad'), type, form, false)), '{bad');
    }
    assert.equal(String(decodeBody(Buffer.from('{bad'), 'application/octet-stream', undefined, false)), '{bad');
  });

  it('that is not UTF-8 is refused with the first bad byte', () => {
    const cases: [body: Buffer, message: string][] = [
      [Buffer.from([0xff]), '0xff in position 0'],
      [Buffer.from('ä\ufffd\ufffd€x\xfe', 'latin1'), '0xe4 in position 0'],
      [Buffer.concat([Buffer.from('{"a":"ä\ufffd€'), Buffer.of(0xc3, 0x28)]), '0xc3 in position 14'],
      [Buffer.concat([Buffer.from('\ufffd'), Buffer.of(0xe2, 0x82)]), '0xe2 in position 3'],
      [Buffer.alloc(1024 * 1024, 0xff), '0xff in position 0'],
      [Buffer.concat([Buffer.from('\ufffd'.repeat(300_000)), Buffer.of(0x80)]), '0x80 in position 900000'],
    ];
    for (const [body, message] of cases)
      assert.throws(() => decodeBody(body, JSON_TYPE, undefined, false), {
        code: 'bad_text',
        message: `Input cannot be decoded as UTF-8: can't decode byte ${message}`,
      });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (array) => {
        let position: number | undefined;
        // The longest beginning that some end makes valid, by brute force.
        const decoder = (length: number): boolean => {
          try {
            new TextDecoder('utf-8', { fatal: true }).decode(array.subarray(0, length), { stream: true });
            return true;
          } catch {
            return false;
          }
        };
        for (let length = 1; length <= array.length && position === undefined; length++) if (!decoder(length)) position = length - 1;
        try {
          decodeBody(Buffer.from(array), 'text/plain', undefined, false);
        } catch (thrown) {
          const told = Number(/position (\d+)$/.exec((thrown as Error).message)?.[1]);
          // A sequence that is cut off begins up to three bytes before the byte that cuts it.
          if (position !== undefined) assert.ok(told <= position && told >= position - 3, `${told}, ${position}`);
        }
      }),
    );
  });

  it('may nest 1000 deep and no deeper, however it nests', () => {
    const shapes: [open: string, close: string, inside: string][] = [
      ['[', ']', ''],
      ['{"a":', '}', '1'],
      ['[1,[2,{"b":[', ']}],3]', '9007199254740993'],
      [' [ "x" , ', ' ] ', 'null'],
    ];
    for (const [open, close, inside] of shapes) {
      const levels = (open.match(/[[{]/g) ?? []).length;
      for (const exact of [false, true]) {
        assert.ok(json(nested(Math.floor(1000 / levels), open, close, inside), exact));
        for (const deep of [1001, 5000, 200_000])
          assert.throws(() => json(nested(Math.ceil(deep / levels), open, close, inside), exact), {
            code: 'bad_json',
            message: 'POST body could not be decoded as JSON: arrays and objects are nested more than 1000 deep',
          });
      }
      assert.throws(() => decodeBody(Buffer.from(nested(5000, open, close, inside)), undefined, 'tensors', true), { code: 'bad_json' });
      assert.throws(() => decodeBody(Buffer.from(nested(5000, open, close, inside)), undefined, undefined, false), { code: 'bad_json' });
    }
    // Not even where the text has errors too.
    for (const text of ['['.repeat(1_000_000), nested(5000) + ']', nested(5000, '[', ']', '?')])
      assert.throws(() => json(text), { code: 'bad_json', message: /(?:nested more than 1000 deep|char \d+\))$/ });
  });

  it('may have exact whole numbers of 1000 digits and no longer ones', () => {
    const digits = (count: number): string => '1'.repeat(count);
    assert.equal(json(`[${digits(1000)}]`, true)?.toString(), digits(1000));
    for (const text of [`[${digits(1001)}]`, `{"a":-${digits(1_000_000)}}`, digits(100_000)])
      assert.throws(() => json(text, true), { code: 'bad_json', message: /at most 1000 digits, got one of \d+$/ });
    assert.deepEqual(json(`[${digits(1_000_000)},1.${digits(1_000_000)}]`), [Infinity, Number(`1.${digits(100)}`)]);
    assert.deepEqual(json(`[1.${digits(1_000_000)}]`, true), [Number(`1.${digits(100)}`)]);
  });

  it('is decoded, or refused, in a time that is linear in its size', () => {
    const MiB = 1024 * 1024;
    const bad: [name: string, make: (size: number) => Buffer | string, type?: string][] = [
      ['0xff', (size) => Buffer.alloc(size, 0xff)],
      ['replacement characters, then a bad byte', (size) => Buffer.concat([Buffer.from('\ufffd'.repeat(size / 4)), Buffer.of(0xff)])],
      ['half sequences', (size) => Buffer.from('e2ff'.repeat(size / 2), 'hex')],
      ['lines before an error', (size) => `${'\n'.repeat(size)}?`],
      ['lines of values before an error', (size) => `[${'1,\n'.repeat(size / 3)}`],
      ['commas', (size) => ','.repeat(size)],
      ['open arrays', (size) => '['.repeat(size)],
      ['closed objects', (size) => '}'.repeat(size)],
      ['quotes', (size) => `["${'\\"'.repeat(size / 2)}`],
      ['many keys, then an error', (size) => `{${Array.from({ length: size / 12 }, (_, at) => `"${at}":1`).join(',')},}`],
      ['digits', (size) => `[${'9'.repeat(size)}`],
      ['digits of a fraction', (size) => `[0.${'9'.repeat(size)}]`],
      ['exponents', (size) => `[1e${'9'.repeat(size)}]`],
      ['comments', (size) => `/*${'*'.repeat(size)}`],
      ['spaces', (size) => ' '.repeat(size)],
      ['UTF-16 surrogates', (size) => Buffer.alloc(size, 0xd8), 'text/plain; charset=utf-16le'],
      ['bad GB 18030', (size) => Buffer.alloc(size, 0xff), 'text/plain; charset=gb18030'],
      ['bad Shift_JIS', (size) => Buffer.alloc(size, 0x81), 'text/plain; charset=shift_jis'],
      ['escapes of ISO-2022-JP', (size) => Buffer.from('\x1b$B\x1b(B'.repeat(size / 6)), 'text/plain; charset=iso-2022-jp'],
      ['a nested body', (size) => nested(size / 2)],
      ['numbers in arrays in arrays', (size) => `[${'[[1],[2]],'.repeat(size / 10)}[[1]]]`],
      ['ragged numbers', (size) => `[${'[1],'.repeat(size / 4)}[1,2]]`],
    ];
    for (const [name, make, type = JSON_TYPE] of bad)
      for (const form of type === JSON_TYPE ? (['json', 'tensors', undefined] as const) : [undefined])
        assertLinear(
          `${name} as ${form}`,
          MiB / 16,
          (size) => Buffer.from(make(size) as string),
          (body) => decodeBody(body, form === undefined && type === JSON_TYPE ? '' : type, form, true),
        );
  });
});

describe('a query', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom('a', '__proto__', 'constructor', '1', '[1,2]', '{"b":null}', '%', '%zz', '+'),
  );

  it('has the keys and values of URLSearchParams, values as JSON where they are', () => {
    const parsed = (text: string): unknown => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part, fc.boolean()), { maxLength: 12 }), (pairs) => {
        const text = pairs
          .map(([key, value, encoded]) => (encoded ? new URLSearchParams([[key, value]]).toString() : `${key}=${value}`))
          .join('&');
        const params = new URLSearchParams(text);
        const query = decodeQuery(`/score?${text}`, false);
        assert.equal(Object.getPrototypeOf(query), null);
        assert.deepEqual(new Set(Object.keys(query)), new Set(params.keys()));
        for (const key of params.keys()) {
          const values = params.getAll(key).map(parsed);
          assert.deepEqual(query[key], values.length === 1 ? values[0] : values);
        }
      }),
    );
  });

  it('keeps values that nest too deep or have too many digits as text', () => {
    for (const value of [nested(5000), nested(1001, '{"a":', '}', '1'), '9'.repeat(2000), '['.repeat(5000)])
      assert.deepEqual({ ...decodeQuery(`/score?a=${encodeURIComponent(value)}&b=1`, true) }, { a: value, b: 1 });
    assert.deepEqual(decodeQuery('/score?a=9007199254740993', true)['a'], 9007199254740993n);
  });

  it('is decoded in a time that is linear in its length', () => {
    const queries: [name: string, make: (size: number) => string][] = [
      ['one key', (size) => 'a=1&'.repeat(size / 4)],
      ['many keys', (size) => Array.from({ length: size / 8 }, (_, at) => `k${at}=1`).join('&')],
      ['no values', (size) => '&'.repeat(size)],
      ['half escapes', (size) => `a=${'%2'.repeat(size / 2)}`],
      ['nested values', (size) => `a=${'['.repeat(size)}`],
    ];
    for (const [name, make] of queries)
      assertLinear(
        name,
        64 * 1024,
        (size) => `/score?${make(size)}`,
        (url) => decodeQuery(url, true),
      );
  });
});
