import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ServerError } from '../errors.ts';
import type { FailureLog } from '../exchange/failure-log.ts';
import { BrowserHeaders } from './browser-headers.ts';
import { errorAnswer } from './error-reply.ts';
import { STATUS_CODES } from './node-http.ts';

const LINGER_MS = 2000;

/**
 * Node keeps the open answer of a socket here; its own default handler of parser errors reads it
 * too.
 */
export type HttpSocket = Socket & { _httpMessage?: ServerResponse | null };

/**
 * Makes the listener of a server's `clientError`, which answers requests that Node's parser
 * refuses. The answer is JSON and has an id of its own, because the request's id cannot be read.
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
      // While the body is read, its reader answers, with the request's own ids. A request that is
      // being scored gets its answer first.
      if (!open.req.complete && open.req.listenerCount('error') > 0) open.req.emit('error', failure);
      return;
    }
    if (!socket.writable) return;
    const ids = { id: randomUUID(), traceId: randomUUID().replaceAll('-', '') };
    failureLog.write(failure, ids);
    endWith(socket, rawAnswer(failure, ids.id));
  };
}

/**
 * Sends an answer without a request, and ends the connection after a while. Why not at once: unread
 * bytes would reset it before the client has read the answer.
 */
export function endWith(socket: Socket, answer: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  // Only a socket that is read reports that its client has closed or reset it.
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
    ...BrowserHeaders.own,
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

/**
 * Undefined if the connection broke, or the client left in the middle of a request: no client reads
 * an answer.
 */
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
