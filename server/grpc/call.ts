import { Metadata, type handleUnaryCall, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Capture } from '../collection/capture.ts';
import { answerable, ServerError } from '../errors.ts';
import type { FailureLog } from '../failure-log.ts';
import type { LargeBuffers } from '../large-buffers.ts';
import { readIds, type RequestIds, type Sampler } from '../request-ids.ts';
import type { ScoreReply, Scoring } from '../scoring/scorer-types.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import { statusOf } from './status.ts';

/** What every call of one server shares. */
export interface Shared {
  readonly failureLog: FailureLog;
  readonly accessLog: AccessLog;
  readonly buffers: LargeBuffers;
  readonly sampler: Sampler;
}

interface Route {
  /** Label in logs and metrics. */
  readonly path: string;
  /** False for probes: neither logged nor counted. */
  readonly counted: boolean;
  readonly scores?: boolean;
}

/** Path of the one method that scores. */
export const INFER_PATH = '/inference.GRPCInferenceService/ModelInfer';

/** Longest text of an error: it travels as a header. */
const LONGEST_TEXT = 1000;

/** One unary call and its answer. It ends with `answer`, `refuse` or `fail`; whatever comes after that is ignored. */
export class Call {
  readonly message: Buffer;
  readonly route: Route;
  readonly method = 'POST';
  readonly ids: RequestIds;
  readonly startedAt = performance.now();
  /** Metadata as name, value, name, value, ... */
  readonly rawHeaders: readonly string[];
  /** What is cancelled when the client cancels, leaves, or its own deadline passes. */
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
  readonly bytesIn: number;
  bytesOut = 0;
  readonly #shared: Shared;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  readonly #done: sendUnaryData<Buffer>;
  #over = false;

  constructor(shared: Shared, route: Route, call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
    this.#shared = shared;
    this.#call = call;
    this.#done = done;
    this.route = route;
    this.message = call.request;
    this.bytesIn = call.request.length;
    const texts = Object.entries(call.metadata.getMap()).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    this.rawHeaders = texts.flat();
    this.ids = readIds(Object.fromEntries(texts), shared.sampler);
    call.on('cancelled', () => this.work?.cancel());
  }

  /** As HTTP/2 has it, for telemetry. */
  get url(): string {
    return `http://${this.#call.getHost()}${this.#call.getPath()}`;
  }

  answer(message: Buffer): void {
    this.bytesOut = message.length;
    this.#end(() => this.#done(null, message));
  }

  /** An error that a script answered itself. @param httpStatus 400 to 599 */
  refuse(httpStatus: number, text: string): void {
    this.status = httpStatus;
    this.#end(() => this.#done({ code: statusOf(httpStatus), details: text.slice(0, LONGEST_TEXT) }));
  }

  /** The exit of failures, by the table in errors.ts. */
  fail(thrown: unknown): void {
    if (this.#over) return;
    const error =
      thrown instanceof RangeError ? new ServerError('invalid_input', `the message cannot be read: ${thrown.message}`) : answerable(thrown);
    this.failure = error;
    this.capture?.answered('text/plain', [], Buffer.from(error.clientMessage));
    this.#shared.failureLog.write(error, this.ids, this.worker);
    this.refuse(error.failure.status ?? 500, error.clientMessage);
  }

  #end(send: () => void): void {
    if (this.#over) return;
    this.#over = true;
    const metadata = new Metadata();
    for (let at = 0; at + 1 < this.ids.headers.length; at += 2) metadata.set(this.ids.headers[at] ?? '', this.ids.headers[at + 1] ?? '');
    this.#call.sendMetadata(metadata);
    send();
    if (this.route.counted) this.#shared.accessLog.write(this);
    this.#shared.buffers.used(this.bytesIn + this.bytesOut);
    this.capture?.end({ method: this.method, url: INFER_PATH, status: this.status });
  }
}

/** A unary RPC. @param handle ends the call, now or later, or throws */
export function unary(shared: Shared, route: Route, handle: (call: Call) => void | Promise<void>): handleUnaryCall<Buffer, Buffer> {
  return (raw, done) => {
    const call = new Call(shared, route, raw, done);
    const run = async (): Promise<void> => {
      if (call.ids.refusal !== undefined) throw call.ids.refusal;
      await handle(call);
    };
    run().catch((thrown: unknown) => call.fail(thrown));
  };
}
