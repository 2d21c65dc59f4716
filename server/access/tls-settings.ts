import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** Every one has forward secrecy and authenticates what it encrypts: docs/tls.md lists them. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/**
 * Groups of the key exchange, and their numbers. Why no others: P-384, P-521, X448 and finite
 * fields hold the event loop for 1 to 5 ms each.
 */
const GROUPS: ReadonlyMap<string, number> = new Map(
  (
    [
      ['X25519MLKEM768', 0x11ec],
      ['X25519', 0x1d],
      ['P-256', 0x17],
    ] as const
  ).filter(([name]) => isKnown(name)),
);
export const groupNumbers: ReadonlySet<number> = new Set(GROUPS.values());

const curves = [...GROUPS.keys()].join(':');
/** With these a client of TLS 1.2 may have a certificate of such a curve. */
export const curvesForClients: string = `${curves}:P-384:P-521`;

/** What the server speaks, with every certificate. */
export const tlsSettings: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: CIPHERS.join(':'),
  honorCipherOrder: true,
  ecdhCurve: curves,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  sessionTimeout: 300,
};

/** False for a group that came later than the OpenSSL of this Node: 3.5 has X25519MLKEM768. */
export function isKnown(group: string): boolean {
  try {
    createSecureContext({ ecdhCurve: group, ca: [] });
    return true;
  } catch {
    return false;
  }
}
