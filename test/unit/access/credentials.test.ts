import assert from 'node:assert/strict';
import test from 'node:test';
import { credentialOf, withoutCredentials } from '../../../server/access/credentials.ts';
import { assertLinear } from '../linear-time.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a key comes as Bearer, as api-key or as x-api-key', () => {
  for (const authorization of ['Bearer k+/=', 'bearer k+/=', 'BEARER   k+/=', 'Bearer\tk+/='])
    assert.equal(credentialOf({ authorization }, false), 'k+/=');
  assert.equal(credentialOf({ 'api-key': 'k' }, false), 'k');
  assert.equal(credentialOf({ 'x-api-key': 'k' }, false), 'k');
});

test('what is malformed or empty is no credential', () => {
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearerk', 'Token k', 'k', basic('u:k')])
    assert.equal(credentialOf({ authorization }, false), undefined, authorization);
  assert.equal(credentialOf({ 'api-key': '', 'x-api-key': '' }, false), undefined);
  assert.equal(credentialOf({}, true), undefined);
});

test('several headers must have the same credential, and a scheme that is not ours is none', () => {
  assert.equal(credentialOf({ authorization: 'Bearer k', 'api-key': 'k', 'x-api-key': 'k' }, false), 'k');
  assert.equal(credentialOf({ authorization: 'Bearer k', 'api-key': 'other' }, false), '');
  assert.equal(credentialOf({ 'api-key': 'k', 'x-api-key': 'other' }, false), '');
  assert.equal(credentialOf({ authorization: 'AWS4-HMAC-SHA256 x', 'api-key': 'k' }, false), 'k');
  assert.equal(credentialOf({ authorization: 'Bearer', 'api-key': 'k' }, false), 'k');
});

test('a password counts where a browser logs in, with any user, and nowhere else', () => {
  for (const text of [':k:1', 'me:k:1', 'ü:k:1']) {
    assert.equal(credentialOf({ authorization: basic(text) }, true), 'k:1');
    assert.equal(credentialOf({ authorization: basic(text) }, false), undefined);
  }
  for (const authorization of ['Basic', 'Basic !', basic('me'), basic('me:'), 'Basic ='])
    assert.equal(credentialOf({ authorization }, true), undefined);
});

test('exactly the credentials are left out of headers', () => {
  const own = ['Host', 'x', 'authorization', 'Basic dTpw', 'X-Api-Keys', 'a', 'api_key', 'b', 'Proxy-Authorization', 'Bearer c'];
  assert.deepEqual(withoutCredentials(own), own);
  const credentials = ['AUTHORIZATION', 'bearer k', 'Api-Key', 'k', 'X-API-KEY', 'k', 'Authorization', 'Bearer k2'];
  assert.deepEqual(withoutCredentials([...credentials.slice(0, 4), ...own, ...credentials.slice(4)]), own);
});

test('every header is read in linear time', () => {
  for (const text of ['Bearer ', ' ', '\t', 'Basic =', 'a'])
    for (const scheme of ['Bearer ', 'Basic ', ''])
      assertLinear(
        `${scheme}${text}`,
        20_000,
        (size) => `${scheme}${text.repeat(size)}\n`,
        (authorization) => credentialOf({ authorization }, true),
      );
});
