import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { codingsOf, isEncoded } from '../../../server/worker/content-coding.ts';

const long = Buffer.from(JSON.stringify(Array.from({ length: 3000 }, (_, at) => ({ at, square: at * at }))));
const compressors: [coding: string, compress: (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['br', (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ['zstd', zstdCompressSync],
];

test('codings are read in any case, and identity is none', () => {
  assert.deepEqual(codingsOf(' GZIP , identity,br,'), ['gzip', 'br']);
  assert.deepEqual(codingsOf('identity'), []);
});

test('a body that has its coding is known by its first bytes, however few come first', () => {
  for (const [coding, compress] of compressors) {
    const bytes = compress(long);
    for (const first of [32, 1000, 4096, 5000, bytes.length])
      assert.equal(isEncoded(coding, bytes.subarray(0, first), false), true, coding);
    assert.equal(isEncoded(coding, bytes, true), true);
    assert.equal(isEncoded(coding, compress(Buffer.from('{"a":1}')), true), true);
    assert.equal(isEncoded(`identity, br, ${coding}`, bytes, false), true);
  }
});

test('a bomb is known without being inflated', () => {
  for (const [coding, compress] of compressors) assert.equal(isEncoded(coding, compress(Buffer.alloc(5_000_000)), true), true, coding);
});

const PLAIN = [
  ...['{"a":1}', '[1,2,3]', 'data: hello\n\n', '<html>', '80 abc', 'x^abc', 'a,b\n1,2\n', '"text"', 'ü', '日本語', 'K'].map((text) =>
    Buffer.from(text),
  ),
  // Cut inside of a character.
  Buffer.from('日本語').subarray(0, 7),
  long,
  Buffer.from('\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00', 'latin1'),
  Buffer.from('\xff\xd8\xff\xe0\x00\x10JFIF\x00', 'latin1'),
  Buffer.from('RIFF\x24\x08\x00\x00WAVEfmt ', 'latin1'),
];

test('text, and the files that servers send, are not taken for compressed', () => {
  for (const coding of ['gzip', 'deflate', 'br', 'zstd'])
    for (const plain of PLAIN)
      for (const whole of [true, false])
        assert.equal(isEncoded(coding, plain, whole), false, `${coding} ${plain.toString('latin1', 0, 20)}`);
});

test('a coding that is not known here stays', () => {
  assert.equal(isEncoded('compress', Buffer.from('text'), true), true);
});

test('no bytes of a script make the look at them fail', () => {
  const codings = fc.oneof(fc.constantFrom('gzip', 'deflate', 'br', 'zstd', 'gzip, br', ','), fc.string());
  fc.assert(
    fc.property(codings, fc.uint8Array({ maxLength: 6000 }), fc.boolean(), (coding, bytes, whole) => {
      assert.equal(typeof isEncoded(coding, Buffer.from(bytes), whole), 'boolean');
    }),
  );
});
