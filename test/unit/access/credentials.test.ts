import assert from 'node:assert/strict';
import test from 'node:test';
import { credentialOf, withoutCredentials } from '../../../server/access/credentials.ts';
import { assertLinear } from '../linear-time.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a key comes as Bearer, as api-key or as x-api-key', () => {
  for (const authorization of ['Bearer k+/=', 'bearer k+/=', 'BEARER   k+/=', 'Bearer\tk+/='])
    assert.equal(credentialOf(['Authorization', authorization], false), 'k+/=');
  assert.equal(credentialOf(['api-key', 'k'], false), 'k');
  assert.equal(credentialOf(['x-api-key', 'k'], false), 'k');
});

test('what is malformed or empty is no credential', () => {
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearerk', 'Token k', 'k', basic('u:k')])
    assert.equal(credentialOf(['Authorization', authorization], false), undefined, authorization);
  assert.equal(credentialOf(['api-key', '', 'x-api-key', ''], false), undefined);
  assert.equal(credentialOf([], true), undefined);
});

test('several headers must have the same credential, and a scheme that is not ours is none', () => {
  assert.equal(credentialOf(['authorization', 'Bearer k', 'api-key', 'k', 'x-api-key', 'k'], false), 'k');
  assert.equal(credentialOf(['authorization', 'Bearer k', 'api-key', 'other'], false), '');
  assert.equal(credentialOf(['api-key', 'k', 'x-api-key', 'other'], false), '');
  assert.equal(credentialOf(['authorization', 'AWS4-HMAC-SHA256 x', 'api-key', 'k'], false), 'k');
  assert.equal(credentialOf(['authorization', 'Bearer', 'api-key', 'k'], false), 'k');
});

test('a header that is sent twice must have the same credential, too', () => {
  for (const [name, form] of Object.entries({ Authorization: 'Bearer ', 'api-key': '', 'X-Api-Key': '' })) {
    assert.equal(credentialOf([name, `${form}k`, name, `${form}k`], false), 'k');
    assert.equal(credentialOf([name, `${form}k`, name.toLowerCase(), `${form}other`], false), '');
    assert.equal(credentialOf([name, `${form}other`, 'Host', 'x', name, `${form}k`], false), '');
  }
  assert.equal(credentialOf(['Authorization', basic('u:k'), 'Authorization', 'Bearer k'], true), 'k');
  assert.equal(credentialOf(['Authorization', basic('u:other'), 'Authorization', 'Bearer k'], true), '');
});

test('a password counts where a browser logs in, with any user, and nowhere else', () => {
  for (const text of [':k:1', 'me:k:1', 'ü:k:1']) {
    assert.equal(credentialOf(['authorization', basic(text)], true), 'k:1');
    assert.equal(credentialOf(['authorization', basic(text)], false), undefined);
  }
  for (const authorization of ['Basic', 'Basic !', basic('me'), basic('me:'), 'Basic ='])
    assert.equal(credentialOf(['Authorization', authorization], true), undefined);
});

test('exactly the credentials are left out of headers', () => {
  const own = ['Host', 'x', 'authorization', 'Basic dTpw', 'X-Api-Keys', 'a', 'api_key', 'b', 'Proxy-Authorization', 'Bearer c'];
  assert.deepEqual(withoutCredentials(own), own);
  const credentials = ['AUTHORIZATION', 'bearer k', 'Api-Key', 'k', 'X-API-KEY', 'k', 'Authorization', 'Bearer k2'];
  assert.deepEqual(withoutCredentials([...credentials.slice(0, 4), ...own, ...credentials.slice(4)]), own);
});

test('a key without a scheme, and a Bearer that a proxy has joined to another value, are left out, too', () => {
  for (const value of ['k', 'Bearer', 'Bearer k, Basic a', 'Basic a, Bearer k', 'Basic a,bearer\tk', 'k, Basic a'])
    assert.deepEqual(withoutCredentials(['Authorization', value]), [], value);
  for (const value of ['Basic a', 'Digest username="bearer"', 'AWS4-HMAC-SHA256 Credential=a, Signature=b'])
    assert.deepEqual(withoutCredentials(['Authorization', value]), ['Authorization', value]);
});

test('every header is read in linear time', () => {
  for (const text of ['Bearer ', ' ', '\t', 'Basic =', 'a'])
    for (const scheme of ['Bearer ', 'Basic ', ''])
      assertLinear(
        `${scheme}${text}`,
        20_000,
        (size) => `${scheme}${text.repeat(size)}\n`,
        (authorization) => [credentialOf(['Authorization', authorization], true), withoutCredentials(['Authorization', authorization])],
      );
});
