import assert from 'node:assert/strict';
import test from 'node:test';
import { curvesForClients, groupNumbers, isKnown, tlsSettings } from '../../../server/access/tls-settings.ts';

test('a group that OpenSSL does not know is left out', () => {
  assert.deepEqual(['X25519', 'P-256', 'X25519MLKEM1024', 'no such group'].map(isKnown), [true, true, false, false]);
});

test('the groups and their numbers are the same ones', () => {
  const names = tlsSettings.ecdhCurve?.split(':') ?? [];
  assert.deepEqual(names.slice(-2), ['X25519', 'P-256']);
  assert.equal(groupNumbers.size, names.length);
  assert.equal(curvesForClients, `${names.join(':')}:P-384:P-521`);
});
