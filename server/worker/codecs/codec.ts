import type { InputType, TensorSpec } from '../../entry-script.ts';
import type { WorkerRequest } from '../request-context.ts';
import type { NonFinite } from './encode-result.ts';
import type { JsonNan } from './json.ts';

/** An encoded answer. */
export interface Encoded {
  /** Headers of the answer, or undefined for application/json alone. */
  readonly headers: readonly (readonly [string, string])[] | undefined;
  readonly parts: readonly (string | Uint8Array)[];
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
