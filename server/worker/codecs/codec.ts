import type { TensorSpec } from '../../entry-script.ts';
import type { NonFinite } from './encode-result.ts';
import type { WorkerRequest } from '../request-context.ts';

/** A body on its way out. */
export interface Encoded {
  /** Undefined: application/json. */
  readonly headers: readonly (readonly [string, string])[] | undefined;
  readonly parts: readonly (string | Uint8Array)[];
}

/** How the bodies of one front door become what `run()` gets, and what it answers becomes a body. */
export interface Codec {
  /** @throws ServerError with the client's fault */
  decode(request: WorkerRequest, body: Buffer): unknown;
  /** @throws ServerError result_not_json, answer_too_large; invalid_input for outputs that the client cannot have */
  encode(request: WorkerRequest, result: unknown): Encoded;
  /** The body of a ScoringError. */
  failure(message: string): string;
}

/** What the codecs know of what is served. */
export interface Serving {
  readonly modelName: string;
  readonly nonFinite: NonFinite;
  /** Largest answer, or chunk of a stream; undefined: no limit. */
  readonly answerLimitBytes?: number;
  /** Whether requests with a sampled `traceparent` are timed. */
  readonly tracing?: boolean;
  /** The inputs of a model that is served without code; undefined: a script decides what it takes. */
  readonly inputs: readonly TensorSpec[] | undefined;
}
