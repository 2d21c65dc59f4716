import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ServerError } from '../errors.ts';
import type { FailureLog } from '../request/failure-log.ts';
import { errorAnswer } from './error-reply.ts';
import { STATUS_CODES } from './node-http.ts';

const LINGER_MS = 2000;

/** What Node keeps on a socket while a request of it is unanswered; its own default handler reads it too. */
export type HttpSocket = Socket & { _httpMessage?: ServerResponse | null };

/**
 * Answers what Node's parser refuses, in JSON, with an id of its own since the request's cannot be read.
 * The listener of a server's `clientError`.
 */
export function parserErrorListener(failureLog: FailureLog): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket: HttpSocket) => {
    const failure = failureOf(error);
    if (failure === undefined) {
      socket.destroy(error);
      return;
    }
    const { _httpMessage: open } = socket;
    if (open !== null && open !== undefined) {
      // Its body is being read: the reader answers, with the request's own ids. A request that is being scored gets its answer first.
      if (!open.req.complete && open.req.listenerCount('error') > 0) open.req.emit('error', failure);
      return;
    }
    if (!socket.writable) return;
    const ids = { id: randomUUID(), traceId: randomUUID().replaceAll('-', '') };
    failureLog.write(failure, ids);
    endWith(socket, rawAnswer(failure, ids.id));
  };
}

/** The last words to a client without a request. Its connection is closed after a while, not at once: unread bytes would reset it before they are seen. */
export function endWith(socket: Socket, answer: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  // Read to its end, so that a client that closes or resets is noticed.
  socket
    .on('close', () => clearTimeout(timer))
    .resume()
    .end(answer);
}

/** A whole HTTP/1.1 answer for a socket without a request. */
export function rawAnswer(failure: ServerError, id: string): string {
  const { status, headers, body } = errorAnswer(failure);
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  const all = [
    ...headers,
    'x-request-id',
    id,
    'x-ms-request-id',
    id,
    'Connection',
    'close',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ];
  for (let i = 0; i < all.length; i += 2) text += `${all[i]}: ${all[i + 1]}\r\n`;
  return `${text}\r\n${body}`;
}

/** Undefined: the connection broke, or the client left in the middle of a request; there is nobody to answer. */
function failureOf(error: NodeJS.ErrnoException): ServerError | undefined {
  const { code = '' } = error;
  if (code === 'HPE_INVALID_EOF_STATE') return undefined;
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ServerError('headers_too_large', 'The header section must not exceed 16 KiB', { cause: error });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ServerError('request_timeout', 'The request took too long to arrive', { cause: error });
  if (code.startsWith('HPE_')) return new ServerError('bad_request', 'The request is not valid HTTP', { cause: error });
  return undefined;
}
