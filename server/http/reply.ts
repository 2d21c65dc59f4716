import type { Readable } from 'node:stream';
import { ServerError } from '../errors.ts';
import { isReserved } from '../exchange/reserved-headers.ts';
import { JSON_HEADERS } from '../ipc/reply-head.ts';
import type { ScoreReply } from '../scoring/scorer-types.ts';
import { NOSNIFF } from './browser-headers.ts';
import { compress, compressible } from './compression.ts';
import type { Cors } from './cors.ts';
import type { HttpExchange } from './exchange.ts';

/** Most answers are like this. */
const PLAIN_JSON = { contentType: 'application/json', encoded: false };
/** Smallest body in bytes that is worth counting while it is compressed. */
const LARGE = 64 * 1024;
const CORS_ORIGIN = 'access-control-allow-origin';
const CONTENT_TYPE_OPTIONS = 'x-content-type-options';

/** Answers an exchange with a worker's reply: compressed, whole or as a stream. */
export function sendReply(exchange: HttpExchange, reply: ScoreReply, { enabled: corsEnabled }: Cors): void {
  const { body, status } = reply;
  const headers = ['x-ms-run-function-failed', reply.runFailed ? 'True' : 'False'];
  if (reply.runMs !== undefined) headers.push('x-ms-run-fn-exec-ms', reply.runMs.toFixed(3));
  const { contentType, encoded } = appendHeaders(headers, reply, corsEnabled);
  if (!Buffer.isBuffer(body)) return sendStream(exchange, status, headers, body);
  if (encoded || !compressible(contentType, body)) return exchange.send(status, headers, body);
  const held = body.length < LARGE ? undefined : exchange.hold(body.length);
  compress(exchange.request.headers['accept-encoding'], headers, body, (smaller) => {
    held?.release();
    exchange.guard(() => exchange.send(status, headers, smaller));
  });
}

/** Appends the headers that the script may set, as name, value, name, value, ... */
function appendHeaders(headers: string[], reply: ScoreReply, corsEnabled: boolean): { contentType: string; encoded: boolean } {
  if (reply.headers === JSON_HEADERS) {
    headers.push('content-type', 'application/json', ...NOSNIFF);
    return PLAIN_JSON;
  }
  let contentType = '';
  let encoded = false;
  let sniffing = false;
  for (const [name, value] of reply.headers) {
    const key = name.toLowerCase();
    if (isReserved(key) || (corsEnabled && key === CORS_ORIGIN)) continue;
    if (key === 'content-type') contentType = value;
    else if (key === 'content-encoding') encoded = true;
    else if (key === CONTENT_TYPE_OPTIONS) sniffing = true;
    headers.push(name, value);
  }
  if (!sniffing) headers.push(...NOSNIFF);
  return { contentType, encoded };
}

function sendStream(exchange: HttpExchange, status: number, headers: string[], body: Readable): void {
  const { response } = exchange;
  const cancel = (): void => void body.destroy();
  if (response.destroyed) return cancel();
  if (exchange.method === 'HEAD' || status === 204 || status === 304) {
    cancel();
    // By the protocol, this answer has no body.
    exchange.capture?.complete();
    return exchange.send(status, headers, '');
  }
  exchange.head(status, headers);
  response.flushHeaders();
  exchange.startAnswering({ cancel });
  const held = exchange.holdUnsent();
  response.on('drain', () => held.resize(response.writableLength));
  body.on('data', (piece: Buffer) => {
    held.resize(response.writableLength + piece.length);
    exchange.bytesOut += piece.length;
    exchange.guard(() => exchange.capture?.piece(piece));
  });
  body.on('end', () => exchange.guard(() => exchange.capture?.complete()));
  body.on('error', (error) => exchange.fail(error));
  // A stream that ends by neither data nor an error is not whole: the client must see that.
  body.on('close', () => body.readableEnded || exchange.fail(new ServerError('client_gone', 'the stream was cancelled')));
  body.pipe(response);
}
