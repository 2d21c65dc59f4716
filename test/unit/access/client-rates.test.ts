import assert from 'node:assert/strict';
import test from 'node:test';
import type { Access, Caller, RouteAccess } from '../../../server/access/access.ts';
import { ClientRates, ratesOf } from '../../../server/access/client-rates.ts';
import { KnownCallers } from '../../../server/access/known-callers.ts';
import { ServerError } from '../../../server/errors.ts';

interface Sent {
  readonly key?: string;
  readonly from?: string;
  readonly forwarded?: string;
  readonly route?: RouteAccess;
}

/** Keys that begin with `key` count, those that begin with `token` after a step, and no others. */
const access: Access = {
  keys: [],
  check: ([, authorization = '']) => {
    if (authorization.startsWith('key')) return { kind: 'key', name: authorization };
    if (authorization === 'no issuer') throw new ServerError('keys_unavailable', '');
    if (!authorization.startsWith('token')) throw new ServerError('unauthorized', '');
    const { promise, resolve, reject } = Promise.withResolvers<Caller>();
    if (authorization === 'token without claims') reject(new ServerError('forbidden', ''));
    else resolve({ kind: 'token', name: authorization });
    return promise;
  },
};

class Rates {
  nowMs = 1000;
  readonly rates: ClientRates;
  readonly #access: Access;

  constructor(changes: { perSecond?: number; proxies?: readonly string[] } = {}, asked = access) {
    const { perSecond = 3, proxies = [] } = changes;
    const config = { rateLimitPerSecond: perSecond, rateLimitBurst: 0, trustedProxies: proxies };
    this.rates = new ClientRates(config, () => this.nowMs);
    this.#access = asked;
  }

  /** The code of the failure, or the name of the caller. */
  async send({ key, from = '10.0.0.1', forwarded, route = 'key' }: Sent): Promise<string> {
    try {
      const rawHeaders = key === undefined ? [] : ['authorization', key];
      return (
        (await this.rates.check(this.#access, rawHeaders, route, { peer: from, caller: undefined, header: () => forwarded }))?.name ??
        'passed'
      );
    } catch (thrown) {
      return thrown instanceof ServerError ? thrown.code : String(thrown);
    }
  }

  async sends(times: number, sent: Sent): Promise<string[]> {
    const outcomes: string[] = [];
    for (let at = 0; at < times; at++) outcomes.push(await this.send(sent));
    return outcomes;
  }
}

test('no limit is made where no option asks for one', () => {
  const config = { rateLimitBurst: 0, trustedProxies: [] };
  assert.equal(ratesOf({ ...config, rateLimitPerSecond: 0 }), undefined);
  assert.ok(ratesOf({ ...config, rateLimitPerSecond: 0.5 }));
});

test('keys and tokens have a rate each, wherever they come from', async () => {
  for (const key of ['key a', 'token a']) {
    const rates = new Rates();
    assert.deepEqual(await rates.sends(3, { key }), [key, key, key]);
    assert.equal(await rates.send({ key, from: '10.0.0.2' }), 'rate_limited');
    assert.equal(await rates.send({ key: `${key}b` }), `${key}b`);
    rates.nowMs += 334;
    assert.deepEqual(await rates.sends(2, { key }), [key, 'rate_limited']);
  }
});

test('a key and a token of one name are two clients', async () => {
  const one: Access = { keys: [], check: ([, sent]) => ({ kind: sent === 'k' ? 'key' : 'token', name: 'ann' }) };
  const rates = new Rates({ perSecond: 1 }, one);
  assert.deepEqual(
    [await rates.send({ key: 'k' }), await rates.send({ key: 't' }), await rates.send({ key: 'k' })],
    ['ann', 'ann', 'rate_limited'],
  );
});

test('without keys an address has a rate, and one of IPv6 its network', () => {
  const free = new ClientRates({ rateLimitPerSecond: 2, rateLimitBurst: 0, trustedProxies: [] }, () => 1000);
  const passes = (from: string | undefined): boolean => {
    try {
      return free.check(undefined, [], 'key', { peer: from, caller: undefined, header: () => undefined }) === undefined;
    } catch {
      return false;
    }
  };
  for (const [first, second, third, other] of [
    ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:f::', '2001:db8:0:1::1'],
    [undefined, undefined, undefined, '10.0.0.3'],
  ] as const)
    assert.deepEqual([first, second, third, other].map(passes), [true, true, false, true]);
});

test('only a trusted proxy names another address', async () => {
  const wrong = { key: 'x', from: '10.0.0.9' };
  for (const [proxies, last] of [
    [['10.0.0.9'], 'unauthorized'],
    [[], 'rate_limited'],
  ] as const) {
    const rates = new Rates({ perSecond: 2, proxies });
    await rates.sends(2, { ...wrong, forwarded: '1.1.1.1' });
    assert.equal(await rates.send({ ...wrong, forwarded: '2.2.2.2' }), last);
    assert.equal(await rates.send({ ...wrong, forwarded: '2.2.2.2, 1.1.1.1' }), 'rate_limited');
  }
});

test('wrong keys and tokens without claims count for their address, and not for others', async () => {
  for (const key of ['wrong', 'token without claims', undefined]) {
    const rates = new Rates();
    const [first] = await rates.sends(3, { ...(key !== undefined && { key }) });
    assert.match(first ?? '', /unauthorized|forbidden/);
    assert.equal(await rates.send({ ...(key !== undefined && { key }) }), 'rate_limited');
    assert.equal(await rates.send({ key: 'key a', from: '10.0.0.2' }), 'key a');
  }
});

test('an address that has spent its rate gets the same answer for a right guess', async () => {
  const rates = new Rates();
  await rates.sends(3, { key: 'wrong' });
  for (const key of ['key a', 'token a', 'wrong']) assert.equal(await rates.send({ key }), 'rate_limited');
  rates.nowMs += 334;
  assert.equal(await rates.send({ key: 'key a' }), 'key a');
});

test('a key that came from an address before still counts there', async () => {
  for (const key of ['key a', 'token a']) {
    const rates = new Rates({ perSecond: 10 });
    assert.equal(await rates.send({ key }), key);
    await rates.sends(20, { key: 'wrong' });
    assert.equal(await rates.send({ key }), key);
    assert.equal(await rates.send({ key: 'key b' }), 'rate_limited');
    assert.equal(await rates.send({ key, from: '10.0.0.2' }), key);
  }
});

test('an address that nobody came from costs no check once it has spent its rate', async () => {
  let checks = 0;
  const counting: Access = {
    ...access,
    check: (rawHeaders, route) => {
      checks++;
      return access.check(rawHeaders, route);
    },
  };
  const rates = new Rates({ perSecond: 3 }, counting);
  await rates.sends(9, { key: 'token without claims' });
  assert.equal(checks, 3);
  await rates.send({ key: 'token a', from: '10.0.0.2' });
  await rates.sends(5, { key: 'wrong', from: '10.0.0.2' });
  assert.equal(checks, 9);
});

test('callers of many addresses take bounded memory', () => {
  const known = new KnownCallers();
  for (let at = 0; at < 10_000; at++) known.add(`${at % 100}`, `${at}`);
  assert.ok(known.has('0', '0') && known.has('99', '9999') && !known.has('1', '0'));
  known.add('new', 'a');
  assert.deepEqual([known.any('0'), known.any('1'), known.has('new', 'a')], [false, true, true]);
  for (let at = 0; at < 10_001; at++) known.add('one', `${at}`);
  assert.ok(!known.any('1') && !known.any('one'));
});

test('a token that cannot be verified counts for nobody', async () => {
  const rates = new Rates({ perSecond: 1 });
  assert.deepEqual(await rates.sends(3, { key: 'no issuer' }), Array(3).fill('keys_unavailable'));
});

test('metrics are free for callers, and wrong passwords for them are not', async () => {
  const rates = new Rates({ perSecond: 2 });
  assert.deepEqual(await rates.sends(9, { key: 'key a', route: 'login' }), Array(9).fill('key a'));
  assert.deepEqual(await rates.sends(3, { key: 'x', route: 'login' }), ['unauthorized', 'unauthorized', 'rate_limited']);
});
