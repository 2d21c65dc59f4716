import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { readConfig } from '../../../server/config/read-config.ts';
import { claimRules } from '../../../server/config/token-claims.ts';

const cwd = tmpdir();
const URL_ = { JWT_JWKS_URL: 'https://issuer.example/keys' };
const FILE = { JWT_JWKS_FILE: 'jwks.json' };
const RULES = { JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'api' };

function problems(env: Record<string, string>): string {
  try {
    readConfig({ argv: [], env, cwd });
    return '';
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

test('tokens need one source of keys, an issuer and an audience', () => {
  for (const keys of [URL_, FILE]) {
    const [name = ''] = Object.keys(keys);
    assert.equal(problems({ ...keys, ...RULES }), '');
    assert.equal(
      problems({ ...keys, JWT_ISSUER: 'i' }),
      `${name}: expected JWT_AUDIENCE with it, got none: tokens for other services would count here`,
    );
    assert.match(problems({ ...keys, JWT_AUDIENCE: 'a', JWT_ISSUER: ' , ' }), new RegExp(`^${name}: expected JWT_ISSUER with it`));
    assert.equal(problems(keys).split('\n').length, 2);
  }
  assert.equal(problems({ ...URL_, ...FILE, ...RULES }), 'JWT_JWKS_URL and JWT_JWKS_FILE: expected one of them, got both');
});

test('a rule for tokens without keys is refused, because nobody would be asked', () => {
  for (const rule of [{ JWT_ISSUER: 'i' }, { JWT_AUDIENCE: 'a' }, { JWT_CLAIMS: 'roles=a' }, { JWT_ISSUER: 'i', JWT_JWKS_URL: '' }])
    assert.match(
      problems(rule),
      /^JWT_\w+: expected JWT_JWKS_URL or JWT_JWKS_FILE with it, got neither: nobody would be asked for a token$/,
    );
});

test('a burst needs a rate', () => {
  assert.match(problems({ RATE_LIMIT_BURST: '5' }), /^RATE_LIMIT_BURST: expected RATE_LIMIT_PER_SECOND with it/);
  assert.match(problems({ RATE_LIMIT_BURST: '5', RATE_LIMIT_PER_SECOND: '0' }), /RATE_LIMIT_BURST/);
  assert.equal(problems({ RATE_LIMIT_BURST: '5', RATE_LIMIT_PER_SECOND: '0.5' }), '');
});

test('a file of keys is found from the folder of the start', () => {
  const command = readConfig({ argv: [], env: { ...FILE, ...RULES }, cwd });
  assert.ok(command.kind === 'serve');
  assert.equal(command.config.jwtJwksFile, join(cwd, 'jwks.json'));
  assert.deepEqual(command.config.jwtIssuer, ['https://issuer.example']);
});

test('claims are read in pairs, with alternatives for one name', () => {
  assert.deepEqual(claimRules('roles=a, roles = b ,tid=t,https%3A%2F%2Fx%3D=%2C%25'), [
    { name: 'roles', values: ['a', 'b'] },
    { name: 'tid', values: ['t'] },
    { name: 'https://x=', values: [',%'] },
  ]);
  assert.deepEqual(claimRules(' , '), []);
});
