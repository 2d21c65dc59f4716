import assert from 'node:assert/strict';
import test from 'node:test';
import { originOf, withoutKeys } from '../../../server/guards/addresses.ts';
import { assertLinear } from '../linear-time.ts';

const texts: readonly (readonly [text: string, shown: string])[] = [
  ['https://account.blob.core.windows.net/c?sv=1&sig=S3cret', 'https://account.blob.core.windows.net'],
  ['getaddrinfo ENOTFOUND http://user:S3cret@host:8080/hooks/S3cret: no', 'getaddrinfo ENOTFOUND http://host:8080: no'],
  ['Invalid URL: "https://u:S3cret@[::1]:8/S3cret", given', 'Invalid URL: "https://[::1]:8", given'],
  ['(HTTPS://HOST/S3cret) and <http://b/S3cret>', '(https://host) and <http://b>'],
  ['https://host:8443: ECONNREFUSED', 'https://host:8443: ECONNREFUSED'],
  ['not http://host/?key=S3cret., nor http://host. Set it!', 'not http://host., nor http://host. Set it!'],
  // Brackets and quotes are characters of users, passwords and queries, too.
  ["http://user:p(S3cret)s@host/x and http://us'er:S3cret@host", 'http://host and http://host'],
  ["https://host/{S3cret}?a=f(S3cret)&b='S3cret'&c=[S3cret]", 'https://host'],
  ["{ input: 'http://u:S3cret@[::1]:1/S3cret', code: 1 }", "{ input: 'http://[::1]:1', code: 1 }"],
  ['[see https://host/S3cret], or (https://[::1]/S3cret).', '[see https://host], or (https://[::1]).'],
  ['HTTPS_PROXY=http://u:S3cret@host:1, and http://u:S3cret@[::1]', 'HTTPS_PROXY=http://host:1, and http://[::1]'],
  ['proxy http://user:S3cret@/ is wrong', 'proxy the address is wrong'],
  ['tcp://10.0.0.1:80', 'tcp://10.0.0.1:80'],
  ['amqps://user:S3cret@bus/S3cret', 'amqps://bus'],
  ['AccountName=a;AccountKey=S3cret==;EndpointSuffix=x', 'AccountName=a;AccountKey=[redacted];EndpointSuffix=x'],
  ['at run (file:///app/score.ts:3:9) node:internal/x:1', 'at run (file:///app/score.ts:3:9) node:internal/x:1'],
  ...['webpack://app/./src/a.ts:1:2', 'webpack-internal:///./a.ts:1:2'].map((place) => [`at f (${place})`, `at f (${place})`] as const),
  ['no address: ENOENT /data/x', 'no address: ENOENT /data/x'],
];
for (const [text, shown] of texts)
  test(`an address is shown as its origin: ${text}`, () => {
    assert.equal(withoutKeys(text), shown);
    assert.ok(!shown.includes('S3cret'));
  });

test('text that is no address is called one, and not shown', () => {
  assert.equal(originOf('S3cret'), 'the address');
  assert.equal(originOf('data:S3cret'), 'the address');
});

test('the time grows with the length of the text', () => {
  for (const part of ['a.', 'a://', 'a://..', '.;', 'http://[', 'sig=', 'AccountKey=;', 'http://a[b]', ')', 'http://a)'])
    assertLinear(part, 50_000, (size) => part.repeat(size / part.length), withoutKeys);
});
