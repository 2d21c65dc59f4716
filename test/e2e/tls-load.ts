import { Agent, request } from 'node:https';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { GrpcClient } from '../grpc/client.ts';
import { until } from '../set-up/until.ts';

const BODY = '{"a":1}';
/** Names the server, because TLS names no addresses. */
const NAMED = { 'grpc.ssl_target_name_override': 'localhost' };

/** Clients that send requests one after the other, over kept and over new connections. */
export class TlsLoad {
  /** Common name of the last certificate that the server sent. */
  subject: string | undefined;
  /** What went wrong, once each. */
  readonly failures: string[] = [];
  readonly #ca: Buffer;
  readonly #port: number;
  #answered = [0, 0, 0, 0];
  #ends = false;
  readonly #clients: Promise<void>[];

  /** @param grpcPort undefined: HTTP alone */
  constructor(ca: Buffer, port: number, grpcPort?: number) {
    this.#ca = ca;
    this.#port = port;
    const kept = new Agent({ keepAlive: true });
    const fresh = (): Agent => new Agent({ keepAlive: false });
    this.#clients = [
      ...Array.from({ length: 4 }, () => this.#repeat(0, () => this.#score(kept))),
      ...Array.from({ length: 4 }, () => this.#repeat(1, () => this.#score(fresh()))),
    ];
    if (grpcPort === undefined) this.#answered = [0, 0];
    else this.#clients.push(...this.#grpc(grpcPort));
  }

  /** Resolves when each kind of client has got so many more answers. */
  async more(answers: number): Promise<void> {
    const before = [...this.#answered];
    await until(() => this.#failed || this.#answered.every((count, kind) => count >= (before[kind] ?? 0) + answers));
  }

  async end(): Promise<void> {
    this.#ends = true;
    await Promise.all(this.#clients);
  }

  get #failed(): boolean {
    return this.failures.length > 0;
  }

  #grpc(port: number): Promise<void>[] {
    const secure = credentials.createSsl(this.#ca);
    const kept = new GrpcClient(port, secure, NAMED);
    const onKept = this.#repeat(2, () => kept.call('ServerReady')).finally(() => kept.close());
    const onFresh = this.#repeat(3, async () => {
      // Options of their own make a connection of its own.
      const fresh = new GrpcClient(port, secure, { ...NAMED, 'grpc.use_local_subchannel_pool': 1 });
      await fresh.call('ServerReady').finally(() => fresh.close());
    });
    return [onKept, onFresh];
  }

  async #repeat(kind: number, send: () => Promise<unknown>): Promise<void> {
    while (!this.#ends && !this.#failed) {
      try {
        await send();
        this.#answered[kind] = (this.#answered[kind] ?? 0) + 1;
      } catch (thrown) {
        this.failures.push((thrown as NodeJS.ErrnoException).code?.toString() ?? String(thrown));
      }
    }
  }

  #score(agent: Agent): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
    const sent = request({
      agent,
      host: '127.0.0.1',
      servername: 'localhost',
      port: this.#port,
      path: '/score',
      method: 'POST',
      ca: this.#ca,
      checkServerIdentity: (host: string, certificate: PeerCertificate) => {
        this.subject = String(certificate.subject.CN);
        return checkServerIdentity(host, certificate);
      },
      headers,
    });
    sent.on('error', reject).on('response', (answer) => {
      answer
        .on('error', reject)
        .on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`))));
      answer.resume();
    });
    sent.end(BODY);
    return promise;
  }
}
