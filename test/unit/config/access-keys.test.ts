import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { keyOfFile, keysOfLines, namedKeys, parseKeys } from '../../../server/config/access-keys.ts';
import { readConfig } from '../../../server/config/read-config.ts';

const [A, B, C] = ['a'.repeat(16), 'b'.repeat(43), 'Cc+/9Cc+/9Cc+/9Cc+/9Cg=='];
const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
const shown = (listed: ReturnType<typeof parseKeys>): string[][] => namedKeys(listed).map(({ name, hash }) => [name, hash.toString('hex')]);

test('keys without a name are called by their order', () => {
  const expected = [
    ['primary', hashOf(A)],
    ['secondary', hashOf(B)],
    ['key-3', hashOf(C)],
  ];
  assert.deepEqual(shown(parseKeys(`${A},${B},${C}`)), expected);
  assert.deepEqual(shown(parseKeys(` ${A}\r\n${B} ,, ${C}\n`)), expected);
  assert.deepEqual(shown(keysOfLines(`\uFEFF# ours\n${A}\n\n  # theirs: ${B}\r\n${B}\r\n\t${C}  `)), expected);
});

test('a name stands before the first colon, and keys without one are counted without it', () => {
  assert.deepEqual(shown(parseKeys(`web.app_1-a:${A},${B},batch:${C}`)), [
    ['web.app_1-a', hashOf(A)],
    ['primary', hashOf(B)],
    ['batch', hashOf(C)],
  ]);
});

test('the file of a folder has one key, which is named after it', () => {
  for (const text of [A, `${A}\n`, `\uFEFF${A}\r\n`]) assert.deepEqual(shown([keyOfFile('web', text)]), [['web', hashOf(A)]]);
  for (const text of ['', '\n', `${A}\n${B}`, `web:${A}`, 'short'])
    assert.throws(() => keyOfFile('web', text), /^Error: the file: expected /);
  for (const name of ['a b', 'web~', 'ä', 'x'.repeat(65)]) assert.throws(() => keyOfFile(name, A), /named after its key/);
});

test('a name or a key that is there twice is refused, also across both options', () => {
  const across = (option: string, file: string): unknown => namedKeys([...parseKeys(option), ...keysOfLines(file)]);
  assert.throws(() => across(`a:${A}`, `${B}\na:${C}`), /a is there twice/);
  assert.throws(() => across(A, `primary:${B}`), /primary is there twice/);
  assert.throws(() => across(`a:${A}`, `b:${A}`), /a and b are the same key/);
  assert.deepEqual(shown(keysOfLines(`${A}\nweb:${B}`)).length, 2);
  assert.throws(() => parseKeys(`${A},${A}`), /primary and secondary are the same key/);
});

test('a short key is refused with its place, its length and a command that makes a good one', () => {
  assert.throws(() => parseKeys(`${A},b:short`), /^Error: key 2: expected .*at least 16 .*this one has 5; .*openssl rand -base64 32$/);
  assert.throws(() => keysOfLines(`# one\n${A}\n${'x'.repeat(15)}`), /^Error: line 3: expected .*this one has 15/);
  assert.equal(parseKeys('x'.repeat(16)).length, 1);
});

test('no refusal quotes what may be a key', () => {
  for (const text of [
    'S3cretMark',
    'S3cretMark S3cretMark',
    'S3cret:S3cretMark',
    'S3cret Mark:S3cretMark-S3cretMark',
    `S3cretMark${'\u00e9'.repeat(16)}`,
  ])
    for (const parse of [parseKeys, keysOfLines, (given: string) => keyOfFile('k', given)])
      assert.throws(
        () => parse(text),
        (error: Error) => !error.message.includes('S3cret'),
      );
});

test('no list of keys is longer than each request can be compared with', () => {
  const keys = Array.from({ length: 257 }, (_, index) => `${A}${index}`);
  assert.throws(() => keysOfLines(keys.join('\n')) && namedKeys(keysOfLines(keys.join('\n'))), /at most 256 keys, got 257/);
  assert.equal(namedKeys(keysOfLines(keys.slice(1).join('\n'))).length, 256);
  assert.throws(() => namedKeys([]), /at least one key/);
});

const read = (env: Record<string, string>): ReturnType<typeof readConfig> => readConfig({ argv: [], env, cwd: tmpdir() });

test('a path of keys is relative to the working directory', () => {
  const command = read({ SCORING_KEYS_FILE: 'keys' });
  assert.ok(command.kind === 'serve');
  assert.equal(command.config.scoringKeysFile, join(tmpdir(), 'keys'));
});

test('metrics that ask for a key without a key are a usage error, because they would stay open', () => {
  assert.throws(() => read({ METRICS_KEY_REQUIRED: 'true' }), /^ServerError: METRICS_KEY_REQUIRED: expected SCORING_KEYS, .* got none$/);
  for (const [name, value] of [
    ['SCORING_KEYS', A],
    ['SCORING_KEYS_FILE', 'keys'],
    ['JWT_JWKS_FILE', 'jwks.json'],
  ] as const)
    try {
      read({ METRICS_KEY_REQUIRED: 'true', [name]: value });
    } catch (thrown) {
      // A token may need more options.
      assert.doesNotMatch(String(thrown), /METRICS_KEY_REQUIRED/);
    }
});

test('a variable of keys that is empty counts as unset, with a warning', () => {
  for (const name of ['SCORING_KEYS', 'SCORING_KEYS_FILE']) {
    const command = read({ [name]: '' });
    assert.ok(command.kind === 'serve');
    assert.deepEqual(command.warnings, [`${name} is empty, so that it asks for no key`]);
  }
  const command = read({ SCORING_KEYS: '', SCORING_KEYS_FILE: 'keys' });
  assert.ok(command.kind === 'serve' && command.warnings.length === 0);
});

test('a misspelt variable of keys is a warning where nobody is asked for one', () => {
  const warnings = (env: Record<string, string>): readonly string[] => {
    const command = read(env);
    return command.kind === 'serve' ? command.warnings : [];
  };
  for (const [name, meant] of [
    ['SCORING_KEY', 'SCORING_KEYS'],
    ['scoring_keys', 'SCORING_KEYS'],
    ['SCORING_API_KEYS', 'SCORING_KEYS'],
    ['SCORING_KEY_FILE', 'SCORING_KEYS_FILE'],
    ['JWT_JWKS_URI', 'JWT_JWKS_URL'],
  ] as const) {
    assert.deepEqual(warnings({ [name]: A }), [`${name} asks for no key: did you mean ${meant}?`]);
    assert.deepEqual(warnings({ [name]: A, SCORING_KEYS: A }), []);
  }
  assert.deepEqual(warnings({ SCORING_HOST: '::1', SCORING_URI: 'x', SCORING_SERVICE_HOST: '10.0.0.1', PATH: '/bin', LS_COLORS: 'x' }), []);
});
