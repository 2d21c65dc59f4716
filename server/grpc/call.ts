import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Capture } from '../collection/host/capture.ts';
import { answerable, ServerError } from '../errors.ts';
import type { FailureLog } from '../request/failure-log.ts';
import type { LargeBuffers } from '../system/large-buffers.ts';
import { readIds, type RequestIds, type Sampler } from '../request/request-ids.ts';
import type { ScoreReply, Scorer, Scoring } from '../scoring/scorer-types.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import { AnswerStream } from './answer-stream.ts';
import { inflate } from './inflate.ts';
import type { GrpcLimits } from './limits.ts';
import { type Message, MessageReader } from './message.ts';
import { metadataOf, timeoutOf } from './metadata.ts';
import { Room } from './room.ts';
import { status, statusOf, statusOfFailure } from './status.ts';

/** What every call of one server shares. */
export interface Shared {
  readonly failureLog: FailureLog;
  readonly accessLog: AccessLog;
  readonly buffers: LargeBuffers;
  readonly sampler: Sampler;
  readonly scorer: Scorer;
  readonly limits: GrpcLimits;
}

export interface Route {
  /** Label in logs and metrics. */
  readonly path: string;
  /** False for probes: neither logged nor counted. */
  readonly counted: boolean;
  readonly scores?: boolean;
  /** Longest message, in bytes, inflated too. */
  readonly limit: number;
  /** Ends the call, now or later, or throws. */
  readonly handle: (call: Call, message: Message) => void | Promise<void>;
}

/** Path of the one method that scores. */
export const INFER_PATH = '/inference.GRPCInferenceService/ModelInfer';

/** Bytes of a message that need no room at the scorer, but where they are scored: probes never wait. */
const FREE_BYTES = 4 * 1024;

/** One call and its answer. It ends with `answer`, `refuse`, `fail` or `end`; whatever comes after that is ignored. */
export class Call {
  readonly route: Route;
  readonly method = 'POST';
  readonly ids: RequestIds;
  readonly startedAt = performance.now();
  /** Metadata as name, value, name, value, ... */
  readonly rawHeaders: readonly string[];
  /** As HTTP/2 has it, for telemetry. */
  readonly url: string;
  /** What is cancelled when the client cancels, leaves, or its own deadline passes. It ends the call, now or later. */
  work: { cancel(): void } | undefined;
  status = 200;
  failure: ServerError | undefined;
  reply: ScoreReply | undefined;
  scoring: Scoring | undefined;
  /** Protobuf has no text. */
  readonly input = undefined;
  /** Set where the call is collected. */
  capture: Capture | undefined;
  worker: number | undefined;
  bytesIn = 0;
  bytesOut = 0;
  readonly #shared: Shared;
  readonly #stream: AnswerStream;
  readonly #headers: IncomingHttpHeaders;
  /** Where what has arrived of the message counts. */
  readonly #room: Room;
  readonly #reader: MessageReader;
  #uploaded = false;
  /** When the upload was last looked at, and what had arrived by then. */
  #window = { from: this.startedAt, bytes: 0 };
  #deadline: NodeJS.Timeout | undefined;
  #over = false;

  constructor(shared: Shared, route: Route, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.#shared = shared;
    this.route = route;
    this.#headers = headers;
    this.#room = new Room(shared.scorer, route.scores === true ? 0 : FREE_BYTES);
    this.#reader = new MessageReader(route.limit, this.#room);
    this.rawHeaders = metadataOf(rawHeaders);
    this.ids = readIds(headers, shared.sampler);
    this.#stream = new AnswerStream(stream, this.ids.headers, shared.scorer.answers);
    this.url = `http://${headers[':authority'] ?? headers.host ?? ''}${headers[':path'] ?? ''}`;
    stream.on('data', (data: Buffer) => this.#arrived(data));
    stream.on('end', () => this.#whole());
    stream.on('close', () => {
      this.#left();
      // The answer is held until here.
      shared.buffers.used(this.#room.taken + this.bytesOut);
    });
    this.#guarded(() => this.#begin());
  }

  answer(message: Buffer): void {
    if (this.#over) return;
    this.push(message);
    this.end();
  }

  /** One message of an answer that has several. `end` ends it. */
  push(message: Buffer): void {
    if (this.#over) return;
    this.bytesOut += message.length;
    this.#stream.push(message);
  }

  /** True where the client has taken all that was pushed. */
  get taken(): boolean {
    return this.#stream.taken;
  }

  end(): void {
    if (this.#over) return;
    this.#stream.end(status.OK, '');
    this.#close();
  }

  /** An error that a script answered itself. @param httpStatus 400 to 599 */
  refuse(httpStatus: number, text: string): void {
    this.#refuse(httpStatus, statusOf(httpStatus), text);
  }

  /** The exit of failures, by the table in errors.ts. */
  fail(thrown: unknown): void {
    if (this.#over) return;
    const error =
      thrown instanceof RangeError ? new ServerError('invalid_input', `the message cannot be read: ${thrown.message}`) : answerable(thrown);
    this.failure = error;
    this.capture?.answered('text/plain', [], Buffer.from(error.clientMessage));
    this.#shared.failureLog.write(error, this.ids, this.worker);
    this.#refuse(error.failure.status ?? 500, statusOfFailure(error), error.clientMessage);
  }

  /** Ends the call where its client is too slow. @param now `performance.now()` */
  checkPace(now: number): void {
    const { answerIdleMs, uploadWindowMs, uploadWindowBytes } = this.#shared.limits;
    if (this.#over) return this.#stream.checkPace(now, answerIdleMs);
    if (this.#uploaded || now - this.#window.from < uploadWindowMs) return;
    if (this.bytesIn - this.#window.bytes >= uploadWindowBytes) this.#window = { from: now, bytes: this.bytesIn };
    else {
      const expected = `at least ${uploadWindowBytes / 1024} KiB in ${uploadWindowMs / 1000} s`;
      this.fail(new ServerError('request_timeout', `The message arrives too slowly: expected ${expected}`));
    }
  }

  #begin(): void {
    if (this.ids.refusal !== undefined) throw this.ids.refusal;
    const timeoutMs = timeoutOf(this.#headers['grpc-timeout']);
    if (timeoutMs !== undefined) this.#deadline = setTimeout(() => this.#deadlinePassed(), timeoutMs);
    // Whom it cannot take is told before the message is read.
    if (this.route.scores === true) this.#shared.scorer.admit(0);
  }

  #arrived(data: Buffer): void {
    if (this.#over) return;
    this.bytesIn += data.length;
    this.#guarded(() => this.#reader.take(data));
  }

  #whole(): void {
    if (this.#over) return;
    this.#uploaded = true;
    this.#handle().catch((thrown: unknown) => this.fail(thrown));
  }

  async #handle(): Promise<void> {
    let message = this.#reader.end();
    const { limit } = this.route;
    if (this.#reader.compressed) message = await inflate(message, String(this.#headers['grpc-encoding'] ?? 'identity'), limit, this.#room);
    if (this.#over) return;
    this.bytesIn = message.bytes;
    if (this.route.scores === true) this.#room.handOver();
    await this.route.handle(this, message);
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #deadlinePassed(): void {
    if (this.#over) return;
    this.#stream.end(status.DEADLINE_EXCEEDED, 'Deadline exceeded');
    this.#left();
  }

  /** The client has left, or waits no more. */
  #left(): void {
    if (this.#over) return;
    if (this.work === undefined) this.fail(new ServerError('client_gone', 'The client left before the answer.'));
    else this.work.cancel();
  }

  #refuse(httpStatus: number, code: number, text: string): void {
    if (this.#over) return;
    this.status = httpStatus;
    this.#stream.end(code, text);
    this.#close();
  }

  #close(): void {
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#room.close();
    if (this.route.counted) this.#shared.accessLog.write(this);
    this.capture?.end({ method: this.method, url: INFER_PATH, status: this.status });
  }
}
