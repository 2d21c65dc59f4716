import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { TestContext } from 'node:test';
import { makeCertificate } from '../e2e/certificate.ts';
import { folder } from '../set-up/folder.ts';

export interface Envelope {
  readonly name: string;
  readonly time: string;
  readonly iKey: string;
  readonly sampleRate: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: {
    readonly baseType: string;
    readonly baseData: {
      readonly id: string;
      readonly name: string;
      readonly url: string;
      readonly duration: string;
      readonly responseCode: string;
      readonly success: boolean;
      readonly message: string;
      readonly severityLevel: string | number;
      readonly exceptions: readonly { readonly typeName: string; readonly message: string; readonly stack?: string }[];
      readonly properties: Readonly<Record<string, string>>;
    };
  };
}

export const KEY = '11111111-2222-3333-4444-555555555555';

/** Items to refuse, by index, with their statuses; or the answer to the whole POST. */
type Answer = (items: readonly Envelope[], post: number) => Reply | Promise<Reply>;
export type Reply =
  | { readonly refuse?: ReadonlyMap<number, number> }
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Takes the items and closes the connection without an answer. */
  | 'drop'
  /** Never answers. */
  | 'hang';

/** A stand-in for the ingestion endpoint of Application Insights, over TLS. */
export class IngestionServer {
  /** Accepted items. */
  readonly accepted: Envelope[] = [];
  /** All items, accepted or not. */
  readonly posts: { readonly items: readonly Envelope[]; readonly path: string; readonly encoding: string | undefined }[] = [];
  /** Everything asked of it, by method and path. */
  readonly asked: string[] = [];
  answer: Answer = () => ({});
  readonly certificate: string;
  readonly #server: Server;
  #waiting: (() => void)[] = [];

  private constructor() {
    const { key, certificate } = makeCertificate(folder());
    this.certificate = certificate;
    this.#server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
  }

  /** Listens on 127.0.0.1; closed after the test. */
  static async start(t: TestContext): Promise<IngestionServer> {
    const server = new IngestionServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    t.after(() => server.stop());
    return server;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Environment of a server that is to send here. */
  get env(): Record<string, string> {
    return {
      APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY};IngestionEndpoint=https://127.0.0.1:${this.#port}/`,
      NODE_EXTRA_CA_CERTS: this.certificate,
    };
  }

  /** Items of one kind that were accepted. */
  of(baseType: 'RequestData' | 'MessageData' | 'ExceptionData'): Envelope[] {
    return this.accepted.filter(({ data }) => data.baseType === baseType);
  }

  /** Resolves once `holds` does, now or after a POST. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(`${request.method} ${request.url}`);
    const body = await buffer(request);
    const encoding = request.headers['content-encoding'];
    const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
    const items = text.split('\n').map((line) => JSON.parse(line) as Envelope);
    this.posts.push({ items, path: request.url ?? '', encoding });
    const reply = await this.answer(items, this.posts.length);
    if (reply === 'hang') this.#wake();
    else if (reply === 'drop') {
      this.accepted.push(...items);
      response.destroy();
      this.#wake();
    } else if ('status' in reply) {
      response.writeHead(reply.status, reply.headers).end();
      this.#wake();
    } else this.#acknowledge(response, items, reply.refuse ?? new Map());
  }

  #acknowledge(response: ServerResponse, items: readonly Envelope[], refuse: ReadonlyMap<number, number>): void {
    this.accepted.push(...items.filter((_, index) => !refuse.has(index)));
    const errors = Array.from(refuse, ([index, statusCode]) => ({ index, statusCode, message: 'refused' }));
    response
      .writeHead(errors.length > 0 ? 206 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ itemsReceived: items.length, itemsAccepted: items.length - errors.length, errors }));
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
