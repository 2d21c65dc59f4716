import type { InputType, TensorSpec } from '../../entry-script.ts';
import type { HeaderPairs } from '../../ipc/header-fields.ts';
import type { WorkerRequest } from '../request-context.ts';
import type { NonFinite } from './encode-result.ts';
import type { JsonNan } from './json.ts';

/** An encoded answer. */
export interface Encoded {
  /** Headers of the answer, or undefined for application/json alone. */
  readonly headers: readonly (readonly [string, string])[] | undefined;
  readonly parts: readonly (string | Uint8Array)[];
}

/** A whole answer of HTTP: of a Response, a stream or a failure of the client. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly body: string | Buffer;
}

/** An answer of HTTP in the protocol's own form. */
export interface WrappedAnswer extends Encoded {
  readonly status: number;
}

/** Translates between the bodies of one protocol and the arguments and results of `run()`. */
export interface Codec {
  /** @throws ServerError with the client's fault */
  decode(request: WorkerRequest, body: Buffer): unknown;
  /**
   * @throws ServerError result_not_json, answer_too_large; invalid_input for outputs that the
   * client cannot have
   */
  encode(request: WorkerRequest, result: unknown): Encoded;
  /**
   * The body of the answer to a ScoringError.
   * @param answer its message, or the object that it answers
   * @throws ServerError result_not_json
   */
  failure(answer: string | object): string;
  /**
   * Wraps an answer of HTTP, which then has to be whole. Absent: the protocol answers it as it is.
   */
  wrap?(request: WorkerRequest, answer: HttpAnswer): WrappedAnswer;
}

/** The exports of an entry script that choose the form of its data. */
export interface BodyChoices {
  readonly inputType: InputType | undefined;
  readonly rawHttp: boolean;
  readonly exactIntegers: boolean;
  readonly bytesInputs: boolean;
}

/** The facts of the server that codecs need. */
export interface Serving {
  readonly modelName: string;
  readonly nonFinite: NonFinite;
  /** Undefined: `refuse`. */
  readonly jsonNan?: JsonNan;
  /** Largest answer or chunk of a stream, or undefined for no limit. */
  readonly answerLimitBytes?: number;
  /** True if requests with a sampled `traceparent` are timed. */
  readonly tracing?: boolean;
  /** Data of the deep check; undefined: there is none. */
  readonly sample?: unknown;
  /**
   * The inputs of a model that is served without code, or undefined where a script takes the data.
   */
  readonly inputs: readonly TensorSpec[] | undefined;
}
