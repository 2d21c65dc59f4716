import type { Config } from './config.ts';

/** One line for each file of TLS that the named ones need. */
export function missingTlsFiles({
  tlsCertFile,
  tlsKeyFile,
  tlsClientCaFile,
}: Pick<Config, 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile'>): string[] {
  if (tlsCertFile !== '' && tlsKeyFile === '') return ['TLS_CERT_FILE: expected TLS_KEY_FILE too, the private key of the certificate'];
  if (tlsCertFile === '' && tlsKeyFile !== '') return ['TLS_KEY_FILE: expected TLS_CERT_FILE too, the certificate of the key'];
  if (tlsCertFile === '' && tlsClientCaFile !== '')
    return ['TLS_CLIENT_CA_FILE: expected TLS_CERT_FILE and TLS_KEY_FILE too: clients send certificates only over TLS'];
  return [];
}
