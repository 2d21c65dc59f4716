import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Capture } from '../collection/host/capture.ts';
import { answerable, failures, type ServerError } from '../errors.ts';
import type { FailureLog } from '../request/failure-log.ts';
import type { LargeBuffers } from '../system/large-buffers.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { readIds, type RequestIds, type Sampler } from '../request/request-ids.ts';
import type { AnswerMemory, Held } from '../scoring/answer-memory.ts';
import type { ScoreReply, Scoring } from '../scoring/scorer-types.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { Cors } from './cors.ts';
import { errorAnswer, type ErrorMember } from './error-reply.ts';
import { holdUnsent } from './held-answer.ts';

/** What every exchange of one app shares. */
export interface Shared {
  readonly lifecycle: Lifecycle;
  /** Value of `x-ms-server-version`; undefined: not sent. */
  readonly serverVersion: string | undefined;
  readonly cors: Cors;
  readonly failureLog: FailureLog;
  readonly accessLog: AccessLog;
  readonly buffers: LargeBuffers;
  readonly sampler: Sampler;
  /** Longest time that a client may leave an answer unread. */
  readonly answerIdleMs: number;
  /** Where answers count that clients have not taken. */
  readonly answers: AnswerMemory;
}

export interface Route {
  /** Path, and the label in logs and metrics. */
  readonly path: string;
  /** False for probes and scrapes: neither logged nor counted. */
  readonly counted: boolean;
  readonly cors: boolean;
  /** True where a worker scores what comes this way. */
  readonly scores?: boolean;
  /** Member of an error's JSON that holds its message; `message` where nothing is said. */
  readonly errorMember?: ErrorMember;
}

/** Answers an exchange, or throws. */
export type Handler = (exchange: Exchange) => void;

/** A body that is longer is not read to its end only to keep the connection. */
const LONGEST_IGNORED_BODY = 64 * 1024;
const LINGER_MS = 2000;
/** A body up to here goes out as text behind its head, in one piece: two pieces cost more than the copy. Latin-1 keeps every byte. */
const ONE_PIECE = 8 * 1024;

/** One request and its answer. Everything that leaves the server over HTTP leaves through `head`, `answer` or `fail`. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  /** What the route's pattern found in the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly ids: RequestIds;
  readonly startedAt = performance.now();
  /**
   * What is cancelled when the client leaves before its answer has been written, and the bytes that it had received. An object, no function: where a new function is stored
   * in a field for each request, V8 (Node 24) keeps every request through the next scavenges (measured: a third of all garbage is promoted).
   */
  work: { cancel(): void; readonly bytes?: number } | undefined;
  /** For the access log and the metrics. */
  failure: ServerError | undefined;
  reply: ScoreReply | undefined;
  scoring: Scoring | undefined;
  /** Beginning of the body as text, where telemetry sends inputs. */
  input: string | undefined;
  /** Set where the request is collected. */
  capture: Capture | undefined;
  /** Number of the worker that had the request, where it failed. */
  worker: number | undefined;
  bytesIn = 0;
  bytesOut = 0;
  readonly #shared: Shared;

  constructor(
    shared: Shared,
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    parameters: Readonly<Record<string, string>> = {},
  ) {
    this.#shared = shared;
    this.route = route;
    this.request = request;
    this.response = response;
    this.parameters = parameters;
    this.ids = readIds(request.headers, shared.sampler);
    // A write to a client that has left: 'close' tells all there is to know.
    response.on('error', ignore);
    if (route.counted) response.on('close', () => this.#closed());
  }

  get method(): string {
    return this.request.method ?? '';
  }

  /** As the client sees it, for telemetry. TLS ends before this server. */
  get url(): string {
    const { headers, url = '/' } = this.request;
    return headers.host === undefined ? url : `http://${headers.host}${url}`;
  }

  /** The status of the answer, for the access log and the metrics. */
  get status(): number {
    const { response, failure } = this;
    return failure?.failure.status ?? (response.writableFinished ? response.statusCode : (failures.client_gone.status ?? 0));
  }

  /** Writes the head. @param headers name, value, name, value, ...: those of this answer, to which the common ones are added */
  head(status: number, headers: string[]): void {
    const { lifecycle, serverVersion, cors } = this.#shared;
    headers.push(...this.ids.headers);
    if (serverVersion !== undefined) headers.push('x-ms-server-version', serverVersion);
    if (this.route.cors) cors.append(this.request, headers);
    if (lifecycle.state === 'draining' || !lifecycle.live || this.#leavesLongBody) headers.push('Connection', 'close');
    this.response.writeHead(status, headers);
  }

  /** Answers with a whole body, which a HEAD request does not get. */
  answer(status: number, headers: string[], body: string | Buffer): void {
    if (this.response.destroyed) return;
    this.bytesOut = Buffer.byteLength(body);
    if (status >= 200 && status !== 204 && status !== 304) headers.push('Content-Length', String(this.bytesOut));
    this.head(status, headers);
    if (this.#leavesLongBody) this.#endLingering(body);
    else if (Buffer.isBuffer(body) && body.length <= ONE_PIECE) this.response.end(body.toString('latin1'), 'latin1');
    else this.response.end(body);
    if (this.response.writableLength > 0) this.holdUnsent();
  }

  /** Counts what the client has not taken of the answer, until it has, or is gone. One that never reads must not hold it for ever. */
  holdUnsent(): Held {
    this.response.setTimeout(this.#shared.answerIdleMs);
    return holdUnsent(this.#shared.answers, this.request, this.response);
  }

  /** Counts bytes of an answer that is not written yet, until they are released. */
  hold(bytes: number): Held {
    return this.#shared.answers.hold(bytes);
  }

  /** The exit of failures, which itself never throws. After the head was sent the client can only be told by a truncated answer. */
  fail(thrown: unknown, headers: readonly string[] = []): void {
    if (this.failure !== undefined) return;
    try {
      this.#answerFailure(answerable(thrown), headers);
    } catch (second) {
      this.#logFault(second);
      this.response.destroy();
    }
  }

  /** Runs a callback of this exchange: what it throws is the failure of the exchange, and of nothing else. */
  guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #answerFailure(error: ServerError, headers: readonly string[]): void {
    this.failure = error;
    this.#shared.failureLog.write(error, this.ids, this.worker);
    const answer = errorAnswer(error, this.route.errorMember);
    if (this.response.headersSent) this.response.destroy();
    else this.capture?.answered('application/json', [], Buffer.from(answer.body));
    if (this.response.destroyed) return;
    this.answer(answer.status, [...answer.headers, ...headers], answer.body);
  }

  /** True when the answer comes before the end of a long upload. */
  get #leavesLongBody(): boolean {
    const { request } = this;
    if (request.complete) return false;
    return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > LONGEST_IGNORED_BODY;
  }

  /** To close at once, with bytes unread, would reset the connection, and the client might never see the answer. */
  #endLingering(body: string | Buffer): void {
    const { request, response } = this;
    const end = (): void => void response.end();
    const timer = setTimeout(end, LINGER_MS);
    response.on('close', () => clearTimeout(timer));
    response.write(body);
    request.on('end', end).resume();
  }

  /** Each step is done, whatever the others throw. */
  #closed(): void {
    try {
      try {
        if (!this.response.writableFinished) this.work?.cancel();
      } finally {
        this.bytesIn ||= this.work?.bytes ?? 0;
        try {
          this.#shared.accessLog.write(this);
        } finally {
          this.#shared.buffers.used(this.bytesIn + this.bytesOut);
          this.capture?.end({ method: this.method, url: this.request.url ?? '', status: this.status });
        }
      }
    } catch (thrown) {
      this.#logFault(thrown);
    }
  }

  /** Of an exchange that cannot be answered any more. */
  #logFault(thrown: unknown): void {
    this.#shared.failureLog.write(answerable(thrown), this.ids, this.worker);
  }
}

function ignore(): void {}
