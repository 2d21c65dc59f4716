/**
 * Every failure of the server, one row each: docs/failures.md. The table is the only place that
 * knows statuses and exit codes. The Azure contract prescribes some of them: docs/http-api.md.
 */

import { describeThrown, shownBriefly } from './guards/thrown.ts';

export { bounded, describeThrown, stackOfThrown } from './guards/thrown.ts';

/**
 * Whose fault a failure is. It decides the text that the client may read, and the level of the log
 * line.
 */
export type Fault = 'client' | 'user' | 'operator' | 'server';

interface Failure {
  /** HTTP status of the answer, where the failure can reach a client. */
  readonly status?: number;
  /** Exit code of the process, where the failure ends it. */
  readonly exitCode?: number;
  readonly fault: Fault;
  /** Fixed text for the client; absent where the error's own message is written for clients. */
  readonly clientMessage?: string;
  /** Value of `x-ms-run-function-failed`. */
  readonly runFailed?: true;
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number;
  /** Its meaning, for the documentation. */
  readonly doc: string;
}

const SCRIPT_FAILED = 'An unexpected error occurred in scoring script. Check the logs for more info.';
const MODEL_FAILED = 'The model failed on this input. Check the logs for more info.';
const INTERNAL = 'An unexpected internal error occurred. Check the logs for more info.';

const table = {
  bad_request: { status: 400, fault: 'client', doc: 'the request is not valid HTTP' },
  bad_json: { status: 400, fault: 'client', doc: 'the body is not JSON; the message gives the position' },
  bad_text: { status: 400, fault: 'client', doc: 'the body is not UTF-8' },
  bad_encoding: { status: 400, fault: 'client', doc: 'the body cannot be inflated' },
  invalid_input: {
    status: 400,
    fault: 'client',
    doc: 'the input does not fit the model, or the schema of a script; the message names the tensor or the reason',
  },
  input_refused: {
    status: 400,
    fault: 'client',
    doc: 'ONNX Runtime refused values or sizes of the input during the run; the message quotes it (models without code)',
  },
  unauthorized: {
    status: 401,
    fault: 'client',
    clientMessage: 'Access denied: send a valid key or token, as Authorization: Bearer <key> or as api-key.',
    doc: 'no key or token, or one that does not count',
  },
  forbidden: {
    status: 403,
    fault: 'client',
    clientMessage: 'Access denied: the token does not have the required claims.',
    doc: 'a valid token without the claims of `JWT_CLAIMS`',
  },
  not_found: {
    status: 404,
    fault: 'client',
    clientMessage:
      'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
    doc: 'no such route',
  },
  model_unknown: { status: 404, fault: 'client', doc: 'no model of that name and version is served' },
  swagger_version: { status: 404, fault: 'client', doc: 'no swagger document of that version' },
  method_not_allowed: { status: 405, fault: 'client', doc: 'the route does not take this method' },
  request_timeout: { status: 408, fault: 'client', doc: 'the client took too long to send the request' },
  body_too_large: { status: 413, fault: 'client', doc: 'the body, inflated, is above `BODY_LIMIT_BYTES`' },
  unsupported_encoding: { status: 415, fault: 'client', doc: '`Content-Encoding` is not gzip, deflate or identity' },
  unsupported_content_type: {
    status: 415,
    fault: 'client',
    doc: 'a script that declares its input (`@input_schema`) got a body that is not JSON by its `Content-Type`',
  },
  queue_full: {
    status: 429,
    fault: 'operator',
    retryAfter: 1,
    doc: 'the queue holds `QUEUE_MAX_REQUESTS` requests or `QUEUE_MAX_BYTES` bytes',
  },
  rate_limited: {
    status: 429,
    fault: 'client',
    retryAfter: 1,
    doc: 'the client sends more than `RATE_LIMIT_PER_SECOND`',
  },
  id_too_long: { status: 431, fault: 'client', doc: 'an id header has more than 100 characters' },
  headers_too_large: { status: 431, fault: 'client', doc: 'the header section is above 16 KiB' },
  client_gone: { status: 499, fault: 'client', doc: 'the client left before the answer (in logs and metrics only)' },
  run_failed: { status: 500, fault: 'user', clientMessage: SCRIPT_FAILED, runFailed: true, doc: '`run()` threw' },
  model_failed: {
    status: 500,
    fault: 'user',
    clientMessage: MODEL_FAILED,
    runFailed: true,
    doc: 'the model failed during the run; the log quotes ONNX Runtime (models without code)',
  },
  result_not_json: {
    status: 500,
    fault: 'user',
    clientMessage: INTERNAL,
    doc: '`run()` returned something that has no JSON form; the log names it',
  },
  answer_too_large: {
    status: 500,
    fault: 'user',
    clientMessage: INTERNAL,
    doc: 'the answer, or a chunk of a stream, is above `ANSWER_LIMIT_BYTES`',
  },
  result_not_http: {
    status: 500,
    fault: 'user',
    clientMessage: INTERNAL,
    doc: '`run()` answered a status or a header that HTTP cannot carry; the log names it',
  },
  internal: { status: 500, fault: 'server', clientMessage: INTERNAL, doc: 'a fault of the server itself' },
  not_ready: { status: 503, fault: 'operator', retryAfter: 1, doc: 'the workers have not finished `init()` yet' },
  stopping: { status: 503, fault: 'operator', retryAfter: 1, doc: 'the server has stopped taking requests' },
  keys_unavailable: {
    status: 503,
    fault: 'operator',
    clientMessage: 'The token cannot be verified now, because the keys of its issuer are not available. Retry later.',
    retryAfter: 5,
    doc: 'a token that cannot be verified, because `JWT_JWKS_URL` does not answer with keys',
  },
  queue_timeout: {
    status: 503,
    fault: 'operator',
    retryAfter: 1,
    doc: 'the request waited longer than `QUEUE_WAIT_TIMEOUT_MS` for a worker',
  },
  worker_lost: {
    status: 503,
    fault: 'user',
    runFailed: true,
    retryAfter: 1,
    doc: 'the worker that held the request ended; it is replaced',
  },
  deadline_exceeded: {
    status: 504,
    fault: 'user',
    runFailed: true,
    doc: 'no answer within `SCORING_TIMEOUT_MS`, or a stream without a chunk for `STREAM_IDLE_TIMEOUT_MS`',
  },
  client_deadline: {
    status: 504,
    fault: 'client',
    doc: "no answer within the client's own limit: `x-request-timeout-ms`, `grpc-timeout`",
  },
  version_mismatch: {
    exitCode: 1,
    fault: 'server',
    doc: 'host and worker come from different installations: one of them changed while the server ran',
  },
  batch_failed: {
    exitCode: 1,
    fault: 'operator',
    doc: 'a batch is cut off: by a signal, an input or output that fails, or more errors than `--error-threshold`',
  },
  usage: { exitCode: 2, fault: 'operator', doc: 'a flag, an environment variable or config.json is wrong' },
  listen_failed: { exitCode: 2, fault: 'operator', doc: 'the port cannot be opened' },
  script_missing: { exitCode: 3, fault: 'operator', doc: 'the entry script does not exist, or may not be read' },
  script_broken: { exitCode: 3, fault: 'user', doc: 'the entry script cannot be imported, or lacks `init` or `run`' },
  init_failed: { exitCode: 3, fault: 'user', doc: '`init()` threw, or the worker ended during it' },
  init_timeout: { exitCode: 3, fault: 'user', doc: '`init()` took longer than `INIT_TIMEOUT_MS`' },
  model_missing: {
    exitCode: 3,
    fault: 'operator',
    doc: 'the model does not exist or may not be read, several do and none is named, or there is nothing to serve',
  },
  model_refused: { exitCode: 3, fault: 'user', doc: 'the model cannot be loaded or served' },
  provider_unavailable: {
    exitCode: 4,
    fault: 'operator',
    doc: 'the requested execution provider cannot be used; the message names the missing driver, library or device',
  },
} satisfies Record<string, Failure>;

export type ErrorCode = keyof typeof table;

/** The table, read-only. */
export const failures: Readonly<Record<ErrorCode, Failure>> = table;

interface FailureOptions extends ErrorOptions {
  /** Seconds for `Retry-After`, in place of the table's. */
  readonly retryAfter?: number;
}

/** A failure of the server, with a row in the table. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ErrorCode;
  readonly #retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, options?: FailureOptions) {
    super(message, options);
    this.code = code;
    this.#retryAfter = options?.retryAfter;
  }

  /** Seconds after which a client may retry; undefined if that does not help. */
  get retryAfter(): number | undefined {
    return this.#retryAfter ?? this.failure.retryAfter;
  }

  get failure(): Failure {
    return failures[this.code];
  }

  /** The text that a client may read. */
  get clientMessage(): string {
    return this.failure.clientMessage ?? this.message;
  }
}

/**
 * Anything thrown, as a ServerError: itself if it is one, else one of `code` with the thrown value
 * as the cause. Never throws.
 */
export function toServerError(thrown: unknown, code: ErrorCode = 'internal'): ServerError {
  return asServerError(thrown) ?? new ServerError(code, describeThrown(thrown), { cause: thrown });
}

/**
 * A thrown ServerError; undefined for anything else, and where a script has changed its code. Never
 * throws.
 */
export function asServerError(thrown: unknown): ServerError | undefined {
  try {
    return thrown instanceof ServerError && isErrorCode(thrown.code) ? thrown : undefined;
  } catch {
    return undefined;
  }
}

/** @param code of any type */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(table, code);
}

/** True for failures that a client should retry later. */
export function isRefusal({ code }: Pick<ServerError, 'code'>): boolean {
  const { fault, retryAfter } = failures[code];
  return fault === 'operator' && retryAfter !== undefined;
}

/** Codes of the failures that a request can end with. */
export const requestFailures: readonly ErrorCode[] = Object.keys(table)
  .filter(isErrorCode)
  .filter((code) => failures[code].status !== undefined);

/** The failure of a request. A code without a status is a fault of the server. */
export function answerable(thrown: unknown): ServerError {
  const error = toServerError(thrown);
  return error.failure.status === undefined ? new ServerError('internal', error.message, { cause: error }) : error;
}

/** As `ErrorOptions`, which the compiler lacks for targets before ES2022. */
interface ErrorCause {
  readonly cause?: unknown;
}

/**
 * Thrown by an entry script to answer with a status and a message or a body of its own.
 * `throw new ScoringError(422, 'age must be positive')` answers 422 and
 * `{"message": "age must be positive"}`. `throw new ScoringError(422, { field: 'age' })` answers
 * 422 and `{"field": "age"}`. A `cause` is logged, and stays out of the answer.
 */
export class ScoringError extends Error {
  override readonly name = 'ScoringError';
  readonly status: number;
  /** The body of the answer; absent where the message is. */
  declare readonly body?: object;

  /**
   * @param status HTTP status, 400 to 599
   * @param message the text that the client reads
   * @throws RangeError when the status is not an integer from 400 to 599
   */
  constructor(status: number, message: string, options?: ErrorCause);
  /**
   * @param status HTTP status, 400 to 599
   * @param body an object or array that is answered as JSON, as a result of `run()` is
   * @throws RangeError when the status is not an integer from 400 to 599
   */
  constructor(status: number, body: object, options?: ErrorCause);
  constructor(status: number, answer: string | object, options?: ErrorCause) {
    super(typeof answer === 'object' ? shownBriefly(answer) : answer, options);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`ScoringError: expected a status from 400 to 599, got ${status}`);
    }
    this.status = status;
    if (typeof answer === 'object') this.body = answer;
  }
}
