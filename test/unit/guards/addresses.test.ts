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
  ['proxy http://user:S3cret@/ is wrong', 'proxy the address is wrong'],
  ['tcp://10.0.0.1:80', 'tcp://10.0.0.1:80'],
  ['amqps://user:S3cret@bus/S3cret', 'amqps://bus'],
  ['AccountName=a;AccountKey=S3cret==;EndpointSuffix=x', 'AccountName=a;AccountKey=[redacted];EndpointSuffix=x'],
  ['at run (file:///app/score.ts:3:9) node:internal/x:1', 'at run (file:///app/score.ts:3:9) node:internal/x:1'],
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
  for (const part of ['a.', 'a://', 'a://..', '.;', 'http://[', 'sig=', 'AccountKey=;', 'http://a[b]'])
    assertLinear(part, 50_000, (size) => part.repeat(size / part.length), withoutKeys);
});
