import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { describe, it, type TestContext } from 'node:test';
import { textFrom } from '../../../server/access/fetch-text.ts';
import { FetchedKeys, type KeyTimes, keysOfFile, readKeySet } from '../../../server/access/json-web-keys.ts';
import { Tokens } from '../../../server/access/tokens.ts';
import { VerifiedTokens } from '../../../server/access/verified-tokens.ts';
import { LogLines } from '../../set-up/log-lines.ts';
import { until } from '../../set-up/until.ts';
import { AUDIENCE, claims, inSeconds, ISSUER, jwksOf, type KeyServer, keyServer, signingKey, tokenOf } from '../../set-up/token-issuer.ts';

const A = signingKey('ES256', 'a');
const B = signingKey('ES256', 'b');
const CONFIG = { jwtJwksUrl: '', jwtJwksFile: '', jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE], jwtClaims: [] };

/** Hours, so that only what a test does causes a request. */
const LONG: KeyTimes = { retry: 3_600_000, refresh: 3_600_000, coolDown: 3_600_000 };

interface Opened {
  readonly server: KeyServer;
  readonly tokens: Tokens;
  readonly logged: LogLines;
}

async function opened(t: TestContext, times: KeyTimes, answer?: KeyServer['answer'], limitMs?: number): Promise<Opened> {
  const server = await keyServer(t, jwksOf(A));
  if (answer !== undefined) server.answer = answer;
  const logged = new LogLines();
  const verified = new VerifiedTokens();
  const events = { log: logged.log, changed: () => verified.clear() };
  const keys = new FetchedKeys(server.url, textFrom(server.url, {}, limitMs), events, times);
  return { server, tokens: new Tokens(CONFIG, keys.find, verified), logged };
}

const fetched = (logged: LogLines) => logged.line(({ msg }) => msg.startsWith('fetched the keys'));

describe('keys of an address', () => {
  it('are fetched at the start, once, and tokens that come before wait for them', async (t) => {
    const { server, tokens, logged } = await opened(t, LONG);
    for (let times = 0; times < 3; times++) assert.equal((await tokens.verify(tokenOf(A))).name, 'ann');
    assert.deepEqual(server.asked, ['/keys']);
    assert.equal((await fetched(logged))['keys'], 1);
  });

  it('are fetched again for a token with an unknown key, also right after the start', async (t) => {
    const { server, tokens, logged } = await opened(t, LONG);
    await fetched(logged);
    server.answer = (response) => response.end(jwksOf(B));
    await tokens.verify(tokenOf(B));
    assert.equal(server.asked.length, 2);
    await assert.rejects(async () => tokens.verify(tokenOf(A)), { code: 'unauthorized' });
  });

  it('are fetched once in a cool-down, whatever clients send', async (t) => {
    const { server, tokens, logged } = await opened(t, LONG);
    await fetched(logged);
    const attempts = Array.from({ length: 50 }, async (_, kid) => tokens.verify(tokenOf(B, claims(), { kid: `${kid}` })));
    for (const result of await Promise.allSettled(attempts)) assert.equal(result.status, 'rejected');
    await assert.rejects(async () => tokens.verify(tokenOf(B)), { code: 'unauthorized' });
    assert.equal(server.asked.length, 2);
  });

  it('are fetched in one request by tokens that come together', async (t) => {
    const { server, tokens, logged } = await opened(t, { ...LONG, coolDown: 1 });
    await fetched(logged);
    server.answer = (response) => setTimeout(() => response.end(jwksOf(A, B)), 50);
    await Promise.all(Array.from({ length: 20 }, async (_, sub) => tokens.verify(tokenOf(B, claims({ sub: `${sub}` })))));
    assert.equal(server.asked.length, 2);
  });

  it('are never fetched for a token that no key could save', async (t) => {
    const { server, tokens, logged } = await opened(t, { ...LONG, coolDown: 0 });
    await fetched(logged);
    for (const header of [{ alg: 'none' }, { alg: 'HS256' }, { typ: 'logout+jwt' }, { crit: ['x'], x: 1 }])
      await assert.rejects(async () => tokens.verify(tokenOf(B, claims(), header)), { code: 'unauthorized' });
    assert.equal(server.asked.length, 1);
  });

  // A token that was verified counts for a minute.
  it('are refreshed after a time, and the old ones no longer count then', { timeout: 30_000 }, async (t) => {
    const { server, tokens } = await opened(t, { ...LONG, refresh: 20 });
    const token = tokenOf(A);
    await tokens.verify(token);
    server.answer = (response) => response.end(jwksOf(B));
    const counts = async (): Promise<boolean> => Promise.resolve(tokens.verify(token)).then(Boolean, () => false);
    // Also a token that was verified a moment ago.
    await until(async () => !(await counts()));
    await tokens.verify(tokenOf(B));
  });

  it('count while the address is down, and an unknown key is 503 then', async (t) => {
    const { server, tokens, logged } = await opened(t, { refresh: 20, retry: 20, coolDown: 0 });
    await fetched(logged);
    server.answer = (response) => response.writeHead(500).end('secret text');
    const { msg } = await logged.line(({ level }) => level === 'warn');
    assert.equal(msg, `JWT_JWKS_URL: ${new URL(server.url).origin}: expected status 200, got 500: the keys that it gave before count`);
    await tokens.verify(tokenOf(A));
    await assert.rejects(async () => tokens.verify(tokenOf(B)), { code: 'keys_unavailable' });
    server.answer = (response) => response.end(jwksOf(A, B));
    while (logged.lines.filter(({ msg: text }) => text.startsWith('fetched')).length < 2) await logged.next();
    await tokens.verify(tokenOf(B));
    assert.equal(logged.lines.filter(({ level }) => level === 'warn').length, 1);
  });
});

test('an address that does not answer at the start is asked again soon', async (t) => {
  const { server, tokens, logged } = await opened(t, { ...LONG, retry: 20 }, (response) => response.destroy());
  await logged.line(({ level }) => level === 'warn');
  server.answer = (response) => response.end(jwksOf(A));
  await fetched(logged);
  await tokens.verify(tokenOf(A));
});

describe('an address that misbehaves gives no keys, which is 503 and one warning', () => {
  const rows: readonly (readonly [string, KeyServer['answer'], RegExp])[] = [
    ['an error', (response) => response.writeHead(500).end(jwksOf(A)), /expected status 200, got 500/],
    [
      'a redirect',
      (response, { url }) => (url === '/other' ? response.end(jwksOf(A)) : response.writeHead(302, { location: '/other' }).end()),
      /expected status 200, got 302: name the address that it redirects to/,
    ],
    ['no JSON', (response) => response.end('<html>secret text</html>'), /got a text that is not JSON/],
    ['other JSON', (response) => response.end('{"keys":{"a":1}}'), /got other JSON/],
    ['no keys', (response) => response.end('{"keys":[]}'), /with a public key .*, got none/],
    ['no answer', () => undefined, /expected the whole answer within 200 ms/],
    [
      'an answer without an end',
      (response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
      /expected the whole answer within 200 ms/,
    ],
    ['a huge answer', (response) => response.end(`${jwksOf(A)}${' '.repeat(1024 * 1024)}`), /expected at most 1048576 bytes, got more/],
    [
      'a broken answer',
      (response) => void response.writeHead(200, { 'content-length': 1000 }).write('{', () => response.destroy()),
      /aborted/,
    ],
    ['a broken connection', (response) => response.destroy(), /socket hang up/],
    ['a private key', (response) => response.end(JSON.stringify({ keys: [A.privateKey.export({ format: 'jwk' })] })), /got a private one/],
  ];
  for (const [what, answer, reason] of rows)
    it(what, async (t) => {
      const { tokens, logged, server } = await opened(t, LONG, answer, 200);
      const { msg } = await logged.line(({ level }) => level === 'warn');
      assert.match(msg, reason);
      assert.match(msg, /requests with a token get 503 until it answers$/);
      assert.doesNotMatch(msg, /secret text|\/keys/);
      for (let times = 0; times < 3; times++)
        await assert.rejects(async () => tokens.verify(tokenOf(A)), { code: 'keys_unavailable', retryAfter: 5 });
      // One for the start, and one for the first token.
      assert.equal(server.asked.filter((path) => path === '/keys').length, 2);
      assert.ok(!server.asked.includes('/other'));
      assert.equal(logged.lines.length, 1);
    });
});

test('at most 256 requests wait for an answer, because the beginning of each body is in memory', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const keys = new FetchedKeys('https://issuer.example/', () => promise, { log: new LogLines().log, changed: () => undefined }, LONG);
  const tokens = new Tokens(CONFIG, keys.find);
  const waiting = Array.from({ length: 256 }, async () => tokens.verify(tokenOf(A)));
  for (let times = 0; times < 3; times++)
    await assert.rejects(async () => tokens.verify(tokenOf(A)), {
      code: 'keys_unavailable',
      message: 'no keys that sign tokens from https://issuer.example: 256 requests already wait for them',
    });
  resolve(jwksOf(A));
  assert.equal((await Promise.all(waiting)).length, 256);
  await tokens.verify(tokenOf(A, claims({ sub: 'bob' })));
  await assert.rejects(async () => tokens.verify(tokenOf(B)), { code: 'unauthorized' });
});

describe('a set of keys', () => {
  it('may hold keys of other uses, and has at most 500', () => {
    const { jwk } = A;
    const others = [{ ...jwk, use: 'enc' }, { kty: 'oct', k: 'c2VjcmV0' }, { kty: 'AKP' }];
    assert.equal(readKeySet(JSON.stringify({ keys: [...others, jwk], more: 1 })).count, 1);
    // Editors of Windows write this mark.
    assert.equal(readKeySet(`\uFEFF${jwksOf(A)}`).count, 1);
    assert.throws(() => readKeySet(JSON.stringify({ keys: others })), /got none/);
    assert.throws(() => readKeySet(JSON.stringify({ keys: Array(501).fill(jwk) })), /expected at most 500 keys, got 501/);
  });

  it('is a list of objects', () => {
    for (const text of ['null', '[]', '7', '{}', '{"keys":7}', '{"keys":[7]}', '{"keys":[null]}', '{"keys":[[]]}'])
      assert.throws(() => readKeySet(text), /expected a JSON Web Key Set, \{"keys": \[\.\.\.\]\}, got other JSON/);
  });
});

function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'jwks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'jwks.json');
  writeFileSync(path, text);
  return path;
}

test('keys of a file change with it, and a change that holds none is logged', async (t) => {
  const path = fileOf(t, jwksOf(A));
  const logged = new LogLines();
  const changed = Promise.withResolvers<void>();
  const tokens = new Tokens(CONFIG, await keysOfFile(path, { log: logged.log, changed: () => changed.resolve() }));
  await tokens.verify(tokenOf(A));
  writeFileSync(path, 'half of a ');
  const { msg } = await logged.line(({ level }) => level === 'error');
  assert.equal(
    msg,
    `JWT_JWKS_FILE: ${path}: expected a JSON Web Key Set, {"keys": [...]}, got a text that is not JSON: the keys that were read before count`,
  );
  await tokens.verify(tokenOf(A, claims({ sub: 'bob' })));
  writeFileSync(path, jwksOf(B));
  await changed.promise;
  await tokens.verify(tokenOf(B));
  await assert.rejects(async () => tokens.verify(tokenOf(A, claims({ sub: 'eve' }))), { code: 'unauthorized' });
});

test('a file without keys is a usage error', async (t) => {
  const events = { log: new LogLines().log, changed: () => undefined };
  const path = fileOf(t, '{}');
  for (const [file, reason] of [
    [path, /^JWT_JWKS_FILE: .*jwks\.json: expected a JSON Web Key Set/],
    [`${path}.missing`, /expected a file, .*\.missing does not exist$/],
    [join(path, '..'), /expected a file, got a folder/],
  ] as const)
    await assert.rejects(keysOfFile(file, events), { code: 'usage', message: reason });
});

test('a token is verified again after a minute, after its end, and after a change of keys', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1e12 });
  const verified = new VerifiedTokens();
  const caller = { kind: 'token', name: 'ann' } as const;
  verified.add('long', caller, 1e9 + 3600);
  verified.add('short', caller, 1e9 + 10);
  t.mock.timers.tick(9_999);
  assert.deepEqual([verified.get('long'), verified.get('short'), verified.get('other')], [caller, caller, undefined]);
  t.mock.timers.tick(1);
  assert.deepEqual([verified.get('long'), verified.get('short')], [caller, undefined]);
  t.mock.timers.tick(50_000);
  assert.equal(verified.get('long'), undefined);
  for (let at = 0; at < 1001; at++) verified.add(`t${at}`, caller, 1e9 + 3600);
  assert.deepEqual([verified.get('t0'), verified.get('t1'), verified.get('t1000')], [undefined, caller, caller]);
  verified.clear();
  assert.equal(verified.get('t1000'), undefined);
});

test('a token whose key is removed while it is verified is not remembered', async () => {
  const { find } = readKeySet(jwksOf(A));
  const verified = new VerifiedTokens();
  const tokens = new Tokens(CONFIG, find, verified);
  const token = tokenOf(A);
  const caller = tokens.verify(token);
  verified.clear();
  await caller;
  assert.equal(verified.get(token), undefined);
  await tokens.verify(token);
  assert.ok(verified.get(token));
});

test('a client that repeats its token costs one signature check', async () => {
  let found = 0;
  const { find } = readKeySet(jwksOf(A));
  const tokens = new Tokens(CONFIG, (header, token) => {
    found++;
    return find(header, token);
  });
  const token = tokenOf(A, claims({ exp: inSeconds(100) }));
  await tokens.verify(token);
  assert.deepEqual(tokens.verify(token), { kind: 'token', name: 'ann' });
  assert.equal(found, 1);
});
