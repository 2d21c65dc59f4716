import { once } from 'node:events';
import { constants, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export const ISSUER = 'https://issuer.example/tenant';
export const AUDIENCE = 'api://scoring';

/** A key pair of an issuer of tokens. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The public key, as issuers publish it. */
  readonly jwk: JsonWebKey & { readonly kid: string };
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function signingKey(alg = 'ES256', kid = 'one', modulusLength = 2048): SigningKey {
  const pair = pairFor(alg, modulusLength);
  return { alg, kid, ...pair, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

function pairFor(alg: string, modulusLength: number): { privateKey: KeyObject; publicKey: KeyObject } {
  const curve = CURVES[alg];
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve });
  if (alg === 'EdDSA' || alg === 'Ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength });
}

/** JSON, or a text in its place. */
type Part = object | string;

const encoded = (part: Part): string => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** Seconds since 1970. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** Claims of a token that counts, with changes. An undefined claim is left out. */
export const claims = (changes: object = {}): object => ({ iss: ISSUER, aud: AUDIENCE, sub: 'ann', exp: inSeconds(300), ...changes });

/** Signs a token by hand, so that it may break any rule. */
export function tokenOf(key: SigningKey, payload: Part = claims(), header: Part = {}): string {
  const head = typeof header === 'string' ? header : { alg: key.alg, kid: key.kid, typ: 'JWT', ...header };
  const input = `${encoded(head)}.${encoded(payload)}`;
  return `${input}.${signature(key, Buffer.from(input)).toString('base64url')}`;
}

function signature({ alg, privateKey }: SigningKey, input: Buffer): Buffer {
  if (alg === 'EdDSA' || alg === 'Ed25519') return sign(null, input, privateKey);
  const digest = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return sign(digest, input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  if (!alg.startsWith('PS')) return sign(digest, input, privateKey);
  return sign(digest, input, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

/** The text that publishes keys. */
export const jwksOf = (...keys: readonly SigningKey[]): string => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

/** An HTTP server that publishes keys. */
export interface KeyServer {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  answer: (response: ServerResponse, request: IncomingMessage) => void;
}

export async function keyServer(t: TestContext, text: string): Promise<KeyServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    served.answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const served: KeyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked,
    answer: (response) => response.end(text),
  };
  return served;
}

/** Options of a server that takes tokens of a key, by a file, and a token. */
export function tokenSetUp(t: TestContext, key = signingKey()) {
  const folder = mkdtempSync(join(tmpdir(), 'jwks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const jwtJwksFile = join(folder, 'jwks.json');
  writeFileSync(jwtJwksFile, jwksOf(key));
  return { key, token: tokenOf(key), changes: { jwtJwksFile, jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE] } };
}
