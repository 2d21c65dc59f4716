import { randomBytes } from 'node:crypto';
import type { Server as TlsServer, TlsOptions } from 'node:tls';
import { ServerError, toServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Contents, readFiles, watchFiles } from '../system/watched-files.ts';
import { type Pair, pairOf, type TlsFiles, unreadable } from './certificate-files.ts';
import { ClientCertificates } from './client-certificate.ts';
import { HANDSHAKE_MS, type HandshakeFailure, handshakeFailures, type HandshakeOptions, HandshakeStage } from './handshakes.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;
const HALF_DAY_MS = DAY_MS / 2;
const TICKET_KEY_BYTES = 48;

export interface CertificateOptions {
  readonly log: Log;
  /** Milliseconds between two reads of the files. */
  readonly periodMs?: number;
}

/**
 * The certificate of the server, its key, and the authorities of clients, from files. Whenever the
 * files change, new handshakes get the new ones. Open connections go on.
 */
export class Certificates {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #servers = new Set<TlsServer>();
  #pair: Pair;
  /** Names of clients. Undefined if clients need no certificate. */
  readonly clients: ClientCertificates | undefined;
  readonly failures: Map<HandshakeFailure, number> = new Map(handshakeFailures.map((reason) => [reason, 0]));

  private constructor(files: TlsFiles, pair: Pair, log: Log) {
    this.#files = files;
    this.#pair = pair;
    this.#log = log;
    this.clients = files.tlsClientCaFile === '' ? undefined : new ClientCertificates();
  }

  /** Reads the files, and watches them from now on. @throws ServerError usage */
  static async open(files: TlsFiles, { log, periodMs }: CertificateOptions): Promise<Certificates> {
    const paths = [...new Set([files.tlsCertFile, files.tlsKeyFile, files.tlsClientCaFile])].filter((path) => path !== '');
    const contents = await readFiles(paths).catch((thrown: unknown) => {
      throw unreadable(thrown, files);
    });
    const certificates = new Certificates(files, pairOf(contents, files), log);
    certificates.#report();
    watchFiles(paths, contents, {
      changed: (now) => certificates.#changed(now),
      failed: (thrown) => certificates.#keeps(unreadable(thrown, files)),
      ...(periodMs !== undefined && { periodMs }),
    });
    setInterval(() => certificates.#renewTickets(), HALF_DAY_MS).unref();
    return certificates;
  }

  /** When the certificate, or one of its chain, ends; seconds since 1970. */
  get expiresAt(): number {
    return this.#pair.validTo / 1000;
  }

  /** Options of a server, which `attach` keeps up to date. */
  get options(): TlsOptions {
    return { ...this.#pair.options, requestCert: this.clients !== undefined, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS };
  }

  /**
   * From now on the server gets each new certificate, and its connections come through a stage.
   * @param refuse ends the connection of a client that does not speak TLS
   */
  attach(server: TlsServer, refuse?: HandshakeOptions['refuse']): HandshakeStage {
    // The files may have changed since the server was made.
    server.setSecureContext(this.#pair.options);
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    const failed = (reason: HandshakeFailure): void => void this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
    return new HandshakeStage(server, { failed, ...(refuse !== undefined && { refuse }) });
  }

  #changed(contents: Contents): void {
    try {
      const pair = pairOf(contents, this.#files);
      if (pair.validTo <= Date.now()) throw new ServerError('usage', `TLS_CERT_FILE: the new certificate ended ${dateOf(pair.validTo)}`);
      // A new context has new keys of tickets: no session of a client outlives its authority.
      for (const server of this.#servers) server.setSecureContext(pair.options);
      this.#pair = pair;
      this.#report();
    } catch (thrown) {
      this.#keeps(thrown);
    }
  }

  #keeps(thrown: unknown): void {
    this.#log.error(`the TLS certificate stays as it is, until its files are right: ${toServerError(thrown).message}`);
  }

  #report(): void {
    const { subject, names, validFrom, validTo } = this.#pair;
    this.#log.info({ subject, names, expires: dateOf(validTo), clientCertificates: this.clients !== undefined }, 'TLS certificate loaded');
    if (validFrom > Date.now()) this.#log.warn(`the TLS certificate holds only from ${dateOf(validFrom)}: check it, and the clock`);
    this.#warnBeforeEnd();
  }

  #warnBeforeEnd(): void {
    const { validFrom, validTo } = this.#pair;
    const left = validTo - Date.now();
    const advice = 'renew the files of TLS_CERT_FILE and TLS_KEY_FILE';
    if (left <= 0) this.#log.warn(`the TLS certificate ended ${dateOf(validTo)}, and clients refuse it: ${advice}`);
    // Short certificates are renewed once a third of their life is left.
    else if (left < Math.min(SOON_MS, (validTo - validFrom) / 3)) this.#log.warn(`the TLS certificate ends ${dateOf(validTo)}: ${advice}`);
  }

  /** Why: whoever gets a key of tickets can read sessions of TLS 1.2 that used it. */
  #renewTickets(): void {
    for (const server of this.#servers) server.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
    this.#warnBeforeEnd();
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
