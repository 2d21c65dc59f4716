import assert from 'node:assert/strict';
import test from 'node:test';
import { CredentialCheck } from '../../../server/access/access.ts';
import { KeyRing } from '../../../server/access/keys.ts';
import { namedKeys, parseKeys } from '../../../server/config/access-keys.ts';
import { ServerError } from '../../../server/errors.ts';

const A = 'aaaaaaaaaaaaaaaa';
const keys = new KeyRing(namedKeys(parseKeys(`web:${A}`)));
const raw = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();
const refused = { code: 'unauthorized', message: 'the request has no key or token that counts' };

test('a missing, a wrong and a malformed key are refused in the same words', () => {
  const access = new CredentialCheck({ keys });
  for (const headers of [
    {},
    { 'api-key': 'wrong' },
    { authorization: 'Bearer' },
    { authorization: `Basic ${A}` },
    { 'api-key': A, 'x-api-key': 'b' },
  ])
    assert.throws(() => access.check(raw(headers), 'key'), refused);
  assert.deepEqual(access.check(raw({ 'api-key': A }), 'key'), { kind: 'key', name: 'web' });
});

test('what is no key may be a token, whose verdict counts', async () => {
  const seen: string[] = [];
  const tokens = {
    async verify(token: string) {
      seen.push(token);
      if (token === 'bad') throw new ServerError('unauthorized', 'a token that does not count');
      return { kind: 'token', name: 'subject' } as const;
    },
  };
  const access = new CredentialCheck({ keys, tokens });
  assert.deepEqual(access.check(raw({ authorization: `Bearer ${A}` }), 'key'), { kind: 'key', name: 'web' });
  assert.deepEqual(await access.check(raw({ authorization: 'Bearer good' }), 'key'), { kind: 'token', name: 'subject' });
  await assert.rejects(async () => access.check(raw({ authorization: 'Bearer bad' }), 'key'), /a token that does not count/);
  assert.throws(() => access.check([], 'key'), refused);
  assert.deepEqual(seen, ['good', 'bad']);
  assert.deepEqual(new CredentialCheck({ tokens }).keys, []);
  assert.deepEqual([access.counts.missing, access.counts.wrong], [1, 1]);
});

test('requests are counted by key, and refusals by reason', () => {
  const access = new CredentialCheck({ keys: new KeyRing(namedKeys(parseKeys(`web:${A},batch:bbbbbbbbbbbbbbbb`))) });
  const { counts } = access;
  for (const headers of [{ 'api-key': A }, { 'api-key': A }, { authorization: `Bearer ${A}` }])
    assert.deepEqual(access.check(raw(headers), 'key'), { kind: 'key', name: 'web' });
  for (const headers of [
    {},
    { authorization: 'Basic x' },
    { 'api-key': 'wrong' },
    { 'api-key': A, 'x-api-key': 'b' },
    { 'api-key': `${A}a` },
  ])
    assert.throws(() => access.check(raw(headers), 'key'), refused);
  assert.deepEqual(Object.fromEntries(counts.byKey), { web: 3, batch: 0 });
  assert.deepEqual([counts.missing, counts.wrong], [2, 3]);
});
