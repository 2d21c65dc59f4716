import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Options of `openssl req` by kind of key. */
const KEYS = {
  rsa: ['-newkey', 'rsa:2048'],
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ec384: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
} as const;

/** Files of a certificate and its key. */
export interface TlsPair {
  readonly certificate: string;
  readonly key: string;
}

interface Wanted {
  readonly kind?: keyof typeof KEYS;
  readonly days?: number;
  readonly subject?: string;
  readonly names?: string;
}

/** Runs openssl. @returns what it prints */
export function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Makes a certificate with openssl, for localhost and 127.0.0.1, 90 days long.
 * @param issuer signs it; undefined: itself
 */
export function makePair(folder: string, name: string, wanted: Wanted = {}, issuer?: TlsPair): TlsPair {
  const { kind = 'ec', days = 90, subject = `/CN=${name}`, names = 'DNS:localhost,IP:127.0.0.1' } = wanted;
  const pair = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const by = issuer === undefined ? [] : ['-CA', issuer.certificate, '-CAkey', issuer.key];
  const form = ['-nodes', '-subj', subject, '-addext', `subjectAltName=${names}`, '-days', String(days)];
  openssl('req', '-x509', ...KEYS[kind], ...form, ...by, '-keyout', pair.key, '-out', pair.certificate);
  return pair;
}

/** An authority. */
export const makeAuthority = (folder: string, name: string): TlsPair => makePair(folder, name, { names: `DNS:${name}` });
