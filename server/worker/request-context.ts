import { randomBytes } from 'node:crypto';
import type { Protocol, RequestContext, RequestParameters } from '../entry-script.ts';
import { HeadLine, headText, type ScoredProtocol } from '../ipc/score-head.ts';
import type { InferenceTimes } from '../ipc/worker-messages.ts';
import { type InferRequest, NO_PARAMETERS } from '../tensors/infer-request.ts';
import type { RunLines } from './run-lines.ts';
import { ScriptRequest } from './script-request.ts';

/** A request that another one carries. */
export interface StandIn {
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
}

/**
 * One request inside the worker. Lazy: headers, query and signal are made when the script reads
 * them.
 */
export class WorkerRequest implements RequestContext {
  readonly protocol: Protocol;
  #head: string;
  #lines: readonly string[] | undefined;
  #headers: Headers | undefined;
  #query: URLSearchParams | undefined;
  #traceparent: string | undefined;
  #controller: AbortController | undefined;
  #cancelled: Error | undefined;
  /** The request beside its data, of protocols with parameters: set when it is decoded. */
  infer: InferRequest | undefined;
  /** Number of instances, where the protocol has a list of them. */
  instances: number | undefined;
  /** Lines of its body that are a value each: set when it is decoded. Undefined: it has no such. */
  lines: number | undefined;
  /** Inferences so far, where they are timed. */
  inferences: InferenceTimes[] | undefined;
  /** Lines of the script so far, where the answer has them. */
  logged: RunLines | undefined;
  metadata: Readonly<Record<string, unknown>> | undefined;
  /** True once the answer has been sent. Code that the script has left running may go on. */
  over = false;
  /** A deep check, and no request of a client: its rows are not collected. */
  readonly ofSample: boolean;

  /** @param head text of `headText` */
  constructor(protocol: ScoredProtocol, head: string) {
    this.ofSample = protocol === 'sample';
    this.protocol = protocol === 'sample' ? 'score' : protocol;
    this.#head = head;
  }

  /** Shows the script the request that this one carries; the ids stay. */
  standFor({ method, url, contentType, headers }: StandIn): void {
    const { id, clientRequestId, traceId } = this;
    const traceparent = this.#line(HeadLine.traceparent);
    this.#head = headText({ protocol: this.protocol, method, url, contentType, id, clientRequestId, traceId, traceparent }, headers.flat());
    this.#lines = undefined;
  }

  get id(): string {
    return this.#line(HeadLine.id);
  }

  get clientRequestId(): string | undefined {
    return this.#line(HeadLine.clientRequestId) || undefined;
  }

  get traceId(): string {
    return this.#line(HeadLine.traceId);
  }

  get traceparent(): string {
    return (this.#traceparent ??= this.#line(HeadLine.traceparent) || `00-${this.traceId}-${randomBytes(8).toString('hex')}-00`);
  }

  /** What the script gets. */
  get forScript(): RequestContext {
    return ScriptRequest.of(this);
  }

  /** Span of the request on the host; undefined if the request belongs to no trace. */
  get spanId(): string | undefined {
    return this.#line(HeadLine.traceparent).slice(36, 52) || undefined;
  }

  /** Whether this trace is recorded. */
  get sampled(): boolean {
    return (Number(this.#line(HeadLine.traceparent).slice(-1)) & 1) === 1;
  }

  get outputs(): readonly string[] | undefined {
    return this.infer?.outputs?.map(({ name }) => name);
  }

  get parameters(): RequestParameters {
    return this.infer?.parameters ?? NO_PARAMETERS;
  }

  get inferenceId(): string | undefined {
    return this.infer?.id;
  }

  get method(): string {
    return this.#head.slice(0, this.#head.indexOf('\n'));
  }

  get url(): string {
    return this.#line(HeadLine.url);
  }

  get contentType(): string | undefined {
    return this.#line(HeadLine.contentType) || undefined;
  }

  get query(): URLSearchParams {
    const at = this.url.indexOf('?');
    return (this.#query ??= new URLSearchParams(at < 0 ? '' : this.url.slice(at + 1)));
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers();
      const lines = this.#allLines();
      for (let at: number = HeadLine.headers; at + 1 < lines.length; at += 2) this.#headers.append(lines[at] ?? '', lines[at + 1] ?? '');
    }
    return this.#headers;
  }

  /** One header, without making all of them. @param name in lower case */
  header(name: string): string | undefined {
    const lines = this.#allLines();
    for (let at: number = HeadLine.headers; at + 1 < lines.length; at += 2)
      if (lines[at]?.length === name.length && lines[at]?.toLowerCase() === name) return lines[at + 1];
    return undefined;
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

  /** Fires the signal: the client has left, or the deadline has passed. */
  cancel(): void {
    this.#cancelled = new DOMException('The client has left or the deadline has passed', 'AbortError');
    this.#controller?.abort(this.#cancelled);
  }

  #line(line: number): string {
    return this.#allLines()[line] ?? '';
  }

  #allLines(): readonly string[] {
    return (this.#lines ??= this.#head.split('\n'));
  }
}
