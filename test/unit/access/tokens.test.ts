import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Caller } from '../../../server/access/access.ts';
import { readKeySet } from '../../../server/access/json-web-keys.ts';
import { Tokens } from '../../../server/access/tokens.ts';
import { claimRules } from '../../../server/config/token-claims.ts';
import { ServerError, type ErrorCode } from '../../../server/errors.ts';
import { AUDIENCE, claims, inSeconds, ISSUER, jwksOf, type SigningKey, signingKey, tokenOf } from '../../set-up/token-issuer.ts';

const EC = signingKey('ES256', 'ec');
const RSA = signingKey('RS256', 'rsa');
const OTHER = signingKey('ES256', 'ec');

interface Changes {
  readonly issuers?: readonly string[];
  readonly audiences?: readonly string[];
  readonly rules?: string;
  readonly keys?: readonly SigningKey[];
}

function tokensOf({ issuers = [ISSUER], audiences = [AUDIENCE], rules = '', keys = [EC, RSA] }: Changes = {}): Tokens {
  const config = { jwtJwksUrl: '', jwtJwksFile: '', jwtIssuer: issuers, jwtAudience: audiences, jwtClaims: claimRules(rules) };
  return new Tokens(config, readKeySet(jwksOf(...keys)).find);
}

const verify = async (token: string, changes?: Changes): Promise<Caller> => tokensOf(changes).verify(token);

async function refused(token: string, message: RegExp, { code = 'unauthorized', ...changes }: Changes & { code?: ErrorCode } = {}) {
  const error = await verify(token, changes).then(
    ({ name }) => assert.fail(`the token of ${name} counts`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServerError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.equal(error.cause, undefined);
  for (const part of token.split('.')) if (part.length > 10) assert.ok(!error.message.includes(part.slice(0, 40)));
}

const claimText = (text: string): string => JSON.stringify(claims()).replace(/\}$/, `,${text}}`);

describe('a token counts', () => {
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])
    it(`with a signature of ${alg}`, async () => {
      const key = signingKey(alg);
      assert.deepEqual(await verify(tokenOf(key), { keys: [key] }), { kind: 'token', name: 'ann' });
    });

  it('within a minute around its times, because clocks differ', async () => {
    await verify(tokenOf(EC, claims({ exp: inSeconds(-30) })));
    await verify(tokenOf(EC, claims({ nbf: inSeconds(30) })));
  });

  it('with any one of several issuers and audiences', async () => {
    const changes = { issuers: ['https://a', ISSUER], audiences: ['b', AUDIENCE] };
    for (const aud of [AUDIENCE, ['x', 'b'], ['b', AUDIENCE]]) await verify(tokenOf(EC, claims({ aud })), changes);
  });

  it('without a kid, if one key fits, or a few do', async () => {
    await verify(tokenOf(EC, claims(), { kid: undefined }));
    const keys = [signingKey('ES256', 'a'), signingKey('ES256', 'b'), EC];
    await verify(tokenOf(EC, claims(), { kid: undefined }), { keys });
  });

  it('with a type of access tokens, in any case, or without one', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'jwt', undefined]) await verify(tokenOf(EC, claims(), { typ }));
  });

  it('by the last of two members of one name, which its issuer has signed', async () => {
    assert.equal((await verify(tokenOf(EC, claimText('"sub":"bob"')))).name, 'bob');
    await refused(tokenOf(EC, claimText('"iss":"https://evil"')), /expected a value of JWT_ISSUER as iss, got "https:\/\/evil"/);
    await refused(tokenOf(EC, claims(), '{"alg":"ES256","kid":"ec","alg":"none"}'), /alg/);
  });
});

describe('a token does not count', () => {
  it('with a signature of another key, a changed payload, or no signature', async () => {
    const token = tokenOf(EC);
    const [head = '', payload = '', signature = ''] = token.split('.');
    await refused(tokenOf(OTHER), /signature verification failed/);
    await refused(`${head}.${Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url')}.${signature}`, /signature/);
    await refused(`${head}.${payload}.`, /signature/);
    await refused(`${head}.${payload}.${signature.slice(0, -4)}`, /signature/);
  });

  it('with alg none, in any spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', '', undefined, 0]) {
      const [head, payload] = tokenOf(EC, claims(), { alg }).split('.');
      await refused(`${head}.${payload}.`, /alg/);
    }
  });

  it('with a secret made of the public key', async () => {
    const secrets = [RSA.publicKey.export({ format: 'pem', type: 'spki' }).toString(), JSON.stringify(RSA.jwk), String(RSA.jwk.n)];
    for (const alg of ['HS256', 'HS384', 'HS512'])
      for (const secret of secrets) {
        const [head = '', payload = ''] = tokenOf(RSA, claims(), { alg }).split('.');
        const mac = createHmac(`sha${alg.slice(2)}`, secret)
          .update(`${head}.${payload}`)
          .digest('base64url');
        await refused(`${head}.${payload}.${mac}`, /"alg" .* value not allowed/);
      }
  });

  it('with an algorithm that is not that of its key', async () => {
    await refused(tokenOf({ ...RSA, alg: 'PS256' }), /no applicable key|signature/);
    await refused(tokenOf(EC, claims(), { alg: 'RS256', kid: 'rsa' }), /signature/);
    await refused(tokenOf(EC, claims(), { alg: 'ES384' }), /no applicable key/);
  });

  it('with a key that it brings itself', async () => {
    const evil = signingKey('RS256', 'evil');
    const jku = 'http://127.0.0.1:1/keys';
    for (const header of [{ jwk: evil.jwk }, { jku }, { x5u: jku }, { x5c: ['MIIB'] }, { kid: undefined, jwk: evil.jwk }])
      await refused(tokenOf(evil, claims(), header), /no applicable key|signature/);
  });

  it('with a kid that no key has, however odd it is', async () => {
    for (const kid of ['two', 'x'.repeat(4000), '', 0, null, { a: 1 }, ['ec'], '../../etc/passwd', "' or 1=1"])
      await refused(tokenOf(EC, claims(), { kid }), /no applicable key|invalid/i);
  });

  it('with a critical extension, known to jose or not', async () => {
    await refused(tokenOf(EC, claims(), { crit: ['b64'], b64: true }), /crit/);
    await refused(tokenOf(EC, claims(), { crit: ['x'], x: 1 }), /"x" is not recognized/);
    await refused(tokenOf(EC, claims(), { crit: [] }), /"crit"/);
  });

  it('with the type of another kind of token', async () => {
    for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JOSE', '', 1, ['JWT']])
      await refused(tokenOf(EC, claims(), { typ }), /type \(typ\)|typ/);
  });

  it('without an exp, after it, or before its nbf', async () => {
    await refused(tokenOf(EC, claims({ exp: undefined })), /missing required "exp"/);
    await refused(tokenOf(EC, claims({ exp: inSeconds(-61) })), /"exp" claim timestamp/);
    await refused(tokenOf(EC, claims({ exp: String(inSeconds(100)) })), /"exp" claim must be a number/);
    await refused(tokenOf(EC, claims({ exp: null })), /"exp" claim must be a number/);
    await refused(tokenOf(EC, claims({ nbf: inSeconds(62) })), /"nbf" claim timestamp/);
    await refused(tokenOf(EC, claims({ nbf: '0' })), /"nbf" claim must be a number/);
  });

  it('with another issuer or audience, which the log names', async () => {
    await refused(
      tokenOf(EC, claims({ iss: `${ISSUER}/` })),
      /expected a value of JWT_ISSUER as iss, got "https:\/\/issuer\.example\/tenant\/"/,
    );
    await refused(tokenOf(EC, claims({ iss: [ISSUER] })), /JWT_ISSUER/);
    await refused(tokenOf(EC, claims({ iss: undefined })), /JWT_ISSUER as iss, got none/);
    await refused(tokenOf(EC, claims({ aud: 'api://other' })), /expected a value of JWT_AUDIENCE as aud, got "api:\/\/other"/);
    await refused(tokenOf(EC, claims({ aud: [] })), /JWT_AUDIENCE/);
    await refused(tokenOf(EC, claims({ aud: `${AUDIENCE} x` })), /JWT_AUDIENCE/);
    await refused(tokenOf(EC, claims({ aud: 'y'.repeat(500) })), /^.{1,200}$/);
  });

  it('with an RSA key below 2048 bits', async () => {
    const key = signingKey('RS256', 'short', 1024);
    await refused(tokenOf(key), /its key is not usable/, { keys: [key] });
  });

  it('above 8 KiB, unread', () => {
    const tokens = tokensOf();
    for (const token of ['x'.repeat(8193), tokenOf(EC, claims({ a: 'x'.repeat(8000) }))])
      assert.throws(() => tokens.verify(token), { code: 'unauthorized', message: 'the token has more than 8192 characters' });
  });

  it('if it is none', async () => {
    const [head = '', payload = '', signature = ''] = tokenOf(EC).split('.');
    const others = [
      '',
      '.',
      '..',
      '...',
      'a.b.c',
      `${head}.${payload}`,
      `${head}.${payload}.${signature}.${signature}`,
      'a-key-of-other-kind',
    ];
    for (const token of [
      ...others,
      `${head}=.${payload}.${signature}`,
      `${head}.${payload}.${signature}\u0000`,
      `é.${payload}.${signature}`,
    ])
      await refused(token, /./);
    for (const text of ['', 'null', '[]', '7', '"x"', '{"alg":', '\ufeff{}']) {
      await refused(tokenOf(EC, text), /./);
      await refused(tokenOf(EC, claims(), text === '' ? ' ' : text), /./);
    }
  });

  it('if more keys fit than are tried', async () => {
    const keys = [...['a', 'b', 'c', 'd'].map((kid) => signingKey('ES256', kid)), EC];
    await refused(tokenOf(EC, claims(), { kid: undefined }), /signature/, { keys });
  });
});

describe('claims that are required', () => {
  const counts = (rules: string, payload: object) => verify(tokenOf(EC, claims(payload)), { rules });
  const lacks = (rules: string, payload: object, message = /JWT_CLAIMS/) =>
    refused(tokenOf(EC, claims(payload)), message, { rules, code: 'forbidden' });

  it('match text, numbers, booleans and one element of a list', async () => {
    await counts('tid=t', { tid: 't' });
    await counts('level=3,verified=true', { level: 3, verified: true });
    await counts('roles=Score.Write', { roles: ['Other', 'Score.Write'] });
  });

  it('are alternatives for one name, and all needed for several', async () => {
    await counts('roles=a,roles=b,tid=t', { roles: 'b', tid: 't' });
    await lacks('roles=a,roles=b,tid=t', { roles: ['c'], tid: 't' }, /lacks a value of roles/);
    await lacks('roles=a,tid=t', { roles: ['a'] }, /lacks a value of tid/);
  });

  it('match one word of scp and scope, and whole texts otherwise', async () => {
    await counts('scp=score', { scp: 'user.read score' });
    await counts('scope=score', { scope: 'openid score' });
    await lacks('scp=score', { scp: 'score.read' });
    await lacks('roles=score', { roles: 'user score' });
  });

  it('may have commas, equal signs and other characters, percent-encoded', async () => {
    await counts('https%3A%2F%2Fa%2Fgroup=a%2Cb%3Dc', { 'https://a/group': 'a,b=c' });
    await counts('name=J%C3%BCrgen%25', { name: 'Jürgen%' });
  });

  it('are the own members of the token, and no objects', async () => {
    await lacks('constructor=a', {});
    await lacks('__proto__=%5Bobject Object%5D', {});
    await lacks('a=%5Bobject Object%5D', { a: { b: 1 } });
    await lacks('a=null', { a: null });
    await lacks('a=x', { a: [['x']] });
  });
});

describe('the name of a caller', () => {
  const name = async (payload: object) => (await verify(tokenOf(EC, claims(payload)))).name;

  it('is the subject, or what else names the client', async () => {
    assert.equal(await name({ sub: 'ann', azp: 'app' }), 'ann');
    assert.equal(await name({ sub: undefined, azp: 'app' }), 'app');
    assert.equal(await name({ sub: '', appid: 'app' }), 'app');
    assert.equal(await name({ sub: 7, azp: {} }), 'unnamed');
  });

  it('has at most 350 characters, and only printable ones', async () => {
    assert.equal(await name({ sub: 'x'.repeat(351) }), 'x'.repeat(350));
    const account = `system:serviceaccount:${'n'.repeat(63)}:${'a'.repeat(253)}`;
    assert.equal(await name({ sub: account }), account);
    assert.equal(await name({ sub: 'a\nb\u001b[31mc\u2028d\u007fé' }), 'a?b?[31mc?d??');
  });
});

describe('tokens of well-known issuers count', () => {
  const TENANT = '11111111-2222-3333-4444-555555555555';

  it('Entra ID, version 1, of an application', async () => {
    const iss = `https://sts.windows.net/${TENANT}/`;
    const payload = {
      aud: 'api://scoring',
      iss,
      iat: inSeconds(-10),
      nbf: inSeconds(-10),
      exp: inSeconds(3600),
      aio: 'E2ZgYHgs',
      appid: 'aaaaaaaa-0000-0000-0000-000000000001',
      appidacr: '1',
      idp: iss,
      oid: 'bbbbbbbb-0000-0000-0000-000000000002',
      roles: ['Score.Invoke'],
      sub: 'bbbbbbbb-0000-0000-0000-000000000002',
      tid: TENANT,
      ver: '1.0',
    };
    const token = tokenOf(RSA, payload, { x5t: 'rsa' });
    const caller = await verify(token, { issuers: [iss], rules: `tid=${TENANT},roles=Score.Invoke` });
    assert.equal(caller.name, payload.appid);
  });

  it('Entra ID, version 2, of a user', async () => {
    const iss = `https://login.microsoftonline.com/${TENANT}/v2.0`;
    const aud = 'cccccccc-0000-0000-0000-000000000003';
    const payload = {
      aud,
      iss,
      exp: inSeconds(3600),
      nbf: inSeconds(-10),
      azp: 'aaaaaaaa-0000-0000-0000-000000000001',
      azpacr: '0',
      oid: 'user',
      scp: 'Score.Invoke User.Read',
      sub: 'pairwise-subject',
      tid: TENANT,
      ver: '2.0',
    };
    const changes = { issuers: [iss], audiences: [aud], rules: 'scp=Score.Invoke' };
    assert.equal((await verify(tokenOf(RSA, payload), changes)).name, 'pairwise-subject');
    await refused(tokenOf(RSA, { ...payload, iss: `https://login.microsoftonline.com/other/v2.0` }), /JWT_ISSUER/, changes);
  });

  it('Kubernetes, of a service account', async () => {
    const iss = 'https://kubernetes.default.svc.cluster.local';
    const sub = 'system:serviceaccount:team-a:caller';
    const payload = {
      aud: ['scoring', iss],
      exp: inSeconds(3607),
      iat: inSeconds(-1),
      iss,
      jti: 'a8a1b2c3',
      'kubernetes.io': { namespace: 'team-a', pod: { name: 'p', uid: 'u' }, serviceaccount: { name: 'caller', uid: 'v' }, warnafter: 1 },
      nbf: inSeconds(-1),
      sub,
    };
    const changes = { issuers: [iss], audiences: ['scoring'], rules: `sub=${sub},sub=system:serviceaccount:team-b:caller` };
    assert.equal((await verify(tokenOf(RSA, payload, { typ: undefined }), changes)).name, sub);
    await refused(tokenOf(RSA, { ...payload, sub: 'system:serviceaccount:team-c:caller' }), /sub/, { ...changes, code: 'forbidden' });
  });

  it('Google, with both forms of its issuer', async () => {
    const payload = { azp: '1234.apps', aud: '1234.apps', sub: '10769150350006150715113082367', email: 'a@b.c', email_verified: true };
    const changes = {
      issuers: ['https://accounts.google.com', 'accounts.google.com'],
      audiences: ['1234.apps'],
      rules: 'email=a@b.c,email_verified=true',
    };
    for (const iss of changes.issuers)
      assert.equal((await verify(tokenOf(RSA, { ...payload, iss, exp: inSeconds(3600) }), changes)).name, payload.sub);
  });
});
