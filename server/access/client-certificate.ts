import type { PeerCertificate } from 'node:tls';

const LONGEST_NAME = 200;
/** Node quotes values that hold a comma or a quote. */
const URI = /(?:^|, )URI:([^",]+)(?:,|$)/;

/** A connection over TLS, of HTTP/1.1 or HTTP/2. */
interface SecureConnection {
  getPeerCertificate?(): Partial<PeerCertificate>;
}

/**
 * Names of client certificates: the first URI among the alternative names (SPIFFE), else the common
 * name. Each connection is read once, because a read takes 50 µs.
 */
export class ClientCertificates {
  readonly #names = new WeakMap<object, string>();

  /** Undefined if the connection has no certificate with a name. */
  nameOf(connection: object): string | undefined {
    const known = this.#names.get(connection);
    if (known !== undefined) return known;
    const name = nameOf((connection as SecureConnection).getPeerCertificate?.());
    if (name !== undefined) this.#names.set(connection, name);
    return name;
  }
}

function nameOf(certificate: Partial<PeerCertificate> | undefined): string | undefined {
  const [, uri] = URI.exec(certificate?.subjectaltname ?? '') ?? [];
  // A subject with several common names has a list of them.
  const common: string | readonly string[] | undefined = certificate?.subject?.CN;
  return (uri ?? (typeof common === 'string' ? common : common?.[0]))?.slice(0, LONGEST_NAME);
}
