import type { ServerError } from '../errors.ts';

/** The answer of a failure. */
export interface ErrorAnswer {
  readonly status: number;
  /** Name, value, name, value, ... */
  readonly headers: string[];
  readonly body: string;
}

/** Where a client looks for the text of an error: `error` is the Open Inference Protocol's. */
export type ErrorMember = 'message' | 'error';

/** The one exit of failures: status, text and headers by the table in errors.ts. */
export function errorAnswer(error: ServerError, member: ErrorMember = 'message'): ErrorAnswer {
  const { status = 500, runFailed, retryAfter } = error.failure;
  const headers = ['Content-Type', 'application/json', 'x-ms-run-function-failed', runFailed ? 'True' : 'False'];
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (error.code === 'unsupported_encoding') headers.push('Accept-Encoding', 'gzip, deflate');
  return { status, headers, body: messageBody(error.clientMessage, member) };
}

/** `{"message": "..."}`, with the spacing of the peer, whose Content-Length the contract quotes. */
export function messageBody(message: string, member: ErrorMember = 'message'): string {
  return `{"${member}": ${JSON.stringify(message)}}`;
}
