import type { ServerError } from '../errors.ts';

/** Status, headers and body of a failure. */
export interface ErrorAnswer {
  readonly status: number;
  /** Name, value, name, value, ... */
  readonly headers: string[];
  readonly body: string;
}

/** Member of the JSON that holds the text of an error: `error` in the Open Inference Protocol. */
export type ErrorMember = 'message' | 'error';

/** The answer of a failure by the table in errors.ts. */
export function errorAnswer(error: ServerError, member: ErrorMember = 'message'): ErrorAnswer {
  const { status = 500, runFailed } = error.failure;
  const { retryAfter } = error;
  const headers = ['Content-Type', 'application/json', 'x-ms-run-function-failed', runFailed ? 'True' : 'False'];
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (error.code === 'unsupported_encoding') headers.push('Accept-Encoding', 'gzip, deflate');
  return { status, headers, body: messageBody(error.clientMessage, member) };
}

/**
 * `{"message": "..."}`, with the spacing of the Python server: docs/http-api.md quotes its
 * Content-Length.
 */
export function messageBody(message: string, member: ErrorMember = 'message'): string {
  return `{"${member}": ${JSON.stringify(message)}}`;
}
