import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import { readFailure, type Contents } from '../system/watched-files.ts';
import { curvesForClients, tlsSettings } from './tls-settings.ts';

export type TlsFiles = Pick<Config, 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile'>;

/** A certificate with its key, and the authorities of clients: checked, and fit for a server. */
export interface Pair {
  readonly options: SecureContextOptions & { readonly cert: string; readonly key: string; readonly ca: string[] };
  /** Of the server's own certificate, for the log. */
  readonly subject: string;
  readonly names: string | undefined;
  /** Begin and end of the time in which all certificates of the chain hold; milliseconds. */
  readonly validFrom: number;
  readonly validTo: number;
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?)PRIVATE KEY-----([\s\S]+?)-----END \1PRIVATE KEY-----/;

/**
 * Makes a pair of the contents of the files. No text of a failure has a part of the key.
 * @throws ServerError usage
 */
export function pairOf(contents: Contents, { tlsCertFile, tlsKeyFile, tlsClientCaFile }: TlsFiles): Pair {
  const chain = certificatesOf(contents, 'TLS_CERT_FILE', tlsCertFile);
  const [own] = chain;
  if (own === undefined) throw wrong('TLS_CERT_FILE', `expected a certificate in ${tlsCertFile}, got none`);
  const key = keyOf(contents, tlsKeyFile);
  if (!own.checkPrivateKey(key)) throw unfit(chain, key, { tlsCertFile, tlsKeyFile });
  const authorities = tlsClientCaFile === '' ? [] : certificatesOf(contents, 'TLS_CLIENT_CA_FILE', tlsClientCaFile);
  const options = {
    ...tlsSettings,
    ...(authorities.length > 0 && { ecdhCurve: curvesForClients }),
    cert: chain.map(String).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    // An empty list too: else Node would load the system's authorities, which no client needs.
    ca: authorities.map(String),
  };
  checkContext(options, tlsCertFile);
  return {
    options,
    subject: own.subject.replaceAll('\n', ', '),
    names: own.subjectAltName,
    validFrom: Math.max(...chain.map(({ validFromDate }) => validFromDate.getTime())),
    validTo: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())),
  };
}

function certificatesOf(contents: Contents, option: string, path: string): X509Certificate[] {
  const blocks = textOf(contents, path).match(CERTIFICATE) ?? [];
  if (blocks.length === 0)
    throw wrong(
      option,
      `expected a PEM file, with -----BEGIN CERTIFICATE-----, ${path} has no certificate. \`openssl x509 -inform der\` converts a DER file`,
    );
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch (thrown) {
      throw wrong(option, `certificate ${at + 1} of ${path} cannot be read: ${describeThrown(thrown)}`);
    }
  });
}

function keyOf(contents: Contents, path: string): KeyObject {
  const [block, kind, body = ''] = PRIVATE_KEY.exec(textOf(contents, path)) ?? [];
  if (block === undefined) throw wrong('TLS_KEY_FILE', `expected a PEM file, with -----BEGIN PRIVATE KEY-----, ${path} has no private key`);
  if (kind === 'ENCRYPTED ' || body.includes('ENCRYPTED'))
    throw wrong(
      'TLS_KEY_FILE',
      `expected a key without a password, ${path} has one. \`openssl pkey -in with.pem -out without.pem\` removes it`,
    );
  try {
    return createPrivateKey(block);
  } catch {
    // The cause may quote what it read.
    throw wrong('TLS_KEY_FILE', `the private key of ${path} cannot be read: it is damaged, or of an unknown kind`);
  }
}

function unfit(
  chain: readonly X509Certificate[],
  key: KeyObject,
  { tlsCertFile, tlsKeyFile }: Pick<TlsFiles, 'tlsCertFile' | 'tlsKeyFile'>,
): ServerError {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  const fits =
    at === -1
      ? `the key of ${tlsKeyFile} belongs to another one`
      : `the key fits certificate ${at + 1}: put that one first, its issuers after it`;
  return wrong('TLS_KEY_FILE', `expected the private key of the first certificate of ${tlsCertFile}; ${fits}`);
}

/** OpenSSL refuses more: keys that are too short, say. */
function checkContext(options: SecureContextOptions, path: string): void {
  try {
    createSecureContext(options);
  } catch (thrown) {
    throw wrong('TLS_CERT_FILE', `OpenSSL refuses the certificate of ${path}: ${describeThrown(thrown)}`);
  }
}

function textOf(contents: Contents, path: string): string {
  return contents.get(path)?.toString('latin1') ?? '';
}

/** Says why the files cannot be read. @param thrown by the file system */
export function unreadable(thrown: unknown, { tlsCertFile, tlsKeyFile, tlsClientCaFile }: TlsFiles): ServerError {
  const { path = '' }: Partial<NodeJS.ErrnoException> = thrown instanceof Error ? thrown : {};
  const options = new Map([
    [tlsClientCaFile, 'TLS_CLIENT_CA_FILE'],
    [tlsKeyFile, 'TLS_KEY_FILE'],
    [tlsCertFile, 'TLS_CERT_FILE'],
  ]);
  return wrong(options.get(path) ?? 'TLS_CERT_FILE, TLS_KEY_FILE', readFailure(thrown));
}

function wrong(option: string, text: string): ServerError {
  return new ServerError('usage', `${option}: ${text}`);
}
