import { randomBytes } from 'node:crypto';
import type { Protocol, RequestContext } from '../entry-script.ts';
import type { InferenceTimes } from '../run-times.ts';
import type { InferRequest } from './infer-request.ts';
import type { ScoreHead } from './protocol.ts';

/** One request inside the worker. What a script may never ask for is made only when it asks. */
export class WorkerRequest implements RequestContext {
  readonly #head: ScoreHead;
  readonly #headerBytes: Buffer;
  #headers: Headers | undefined;
  #query: URLSearchParams | undefined;
  #controller: AbortController | undefined;
  #cancelled: Error | undefined;
  /** What the request says beside its tensors, Open Inference Protocol only: set when it is decoded. */
  infer: InferRequest | undefined;
  /** Inferences so far, where they are timed. */
  inferences: InferenceTimes[] | undefined;

  /** @param headerBytes JSON array of names and values: name, value, name, value, ... */
  constructor(head: ScoreHead, headerBytes: Buffer) {
    this.#head = head;
    this.#headerBytes = headerBytes;
  }

  get id(): string {
    return this.#head.id;
  }

  get clientRequestId(): string | undefined {
    return this.#head.clientRequestId;
  }

  get traceId(): string {
    return this.#head.traceId;
  }

  get traceparent(): string {
    return this.#head.traceparent ?? `00-${this.traceId}-${randomBytes(8).toString('hex')}-00`;
  }

  /** Whether somebody records this trace. */
  get sampled(): boolean {
    return this.#head.traceparent?.endsWith('1') === true;
  }

  get protocol(): Protocol {
    return this.#head.protocol;
  }

  get outputs(): readonly string[] | undefined {
    return this.infer?.outputs?.map(({ name }) => name);
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    return this.#head.url;
  }

  get contentType(): string | undefined {
    return this.#head.contentType;
  }

  get query(): URLSearchParams {
    const at = this.url.indexOf('?');
    return (this.#query ??= new URLSearchParams(at < 0 ? '' : this.url.slice(at + 1)));
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers();
      const pairs = this.#headerPairs();
      for (let index = 0; index + 1 < pairs.length; index += 2) this.#headers.append(pairs[index] ?? '', pairs[index + 1] ?? '');
    }
    return this.#headers;
  }

  /** One header, without making all of them. @param name in lower case */
  header(name: string): string | undefined {
    const pairs = this.#headerPairs();
    const at = pairs.findIndex((key, index) => index % 2 === 0 && key.length === name.length && key.toLowerCase() === name);
    return at < 0 ? undefined : pairs[at + 1];
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.#cancelled = new DOMException('The client has left or the deadline has passed', 'AbortError');
    this.#controller?.abort(this.#cancelled);
  }

  /** The same request in the web's own form. */
  toWebRequest(body: Buffer): Request {
    const withoutBody = this.method === 'GET' || this.method === 'HEAD';
    const init: RequestInit = { method: this.method, headers: this.headers, signal: this.signal };
    if (!withoutBody) init.body = new Uint8Array(body);
    return new Request(this.#absoluteUrl(), init);
  }

  #headerPairs(): string[] {
    return JSON.parse(this.#headerBytes.toString()) as string[];
  }

  #absoluteUrl(): string {
    const path = this.url.replace(/^\/+/, '/');
    const absolute = `http://${this.headers.get('host') ?? 'localhost'}${path}`;
    return URL.canParse(absolute) ? absolute : `http://localhost${path}`;
  }
}
