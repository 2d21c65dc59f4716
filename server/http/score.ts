import type { Readable } from 'node:stream';
import type { HostCollector } from '../collection/host/collector.ts';
import type { Config } from '../config/config.ts';
import type { Protocol } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { JSON_HEADERS } from '../ipc/reply-head.ts';
import type { Scorer, ScoreReply } from '../scoring/scorer-types.ts';
import { bodyText } from '../telemetry/request-exports.ts';
import { bodyTooLarge, contentEncoding, contentLength, readBody } from './body.ts';
import { compress, compressible } from './compression.ts';
import type { Exchange } from './exchange.ts';
import { methodNotAllowed } from './methods.ts';
import { Reservation } from './reservation.ts';

/** What a script cannot set: the server's own headers, and those that belong to the connection. */
const RESERVED = /^(?:x-request-id|x-ms-.*|traceid|connection|keep-alive|transfer-encoding|content-length|trailer|upgrade)$/i;
/** What most answers are. */
const PLAIN_JSON = { contentType: 'application/json', encoded: false };
/** A smaller body is not worth counting while it is compressed. */
const LARGE = 64 * 1024;
const CORS_ORIGIN = 'access-control-allow-origin';

/** Who wants to know what requests carry. */
interface Tells {
  /** Telemetry sends inputs. */
  readonly sendsInput: boolean;
  /** Undefined: nothing is collected. */
  readonly collector: HostCollector | undefined;
}

/** `/score`, every method: reference/azureml-contract.md, section 1.4. */
export class ScoreRoute {
  readonly #scorer: Scorer;
  readonly #collector: HostCollector | undefined;
  readonly #bodyLimit: number;
  readonly #corsEnabled: boolean;
  readonly #sendsInput: boolean;

  constructor(scorer: Scorer, config: Config, { sendsInput, collector }: Tells) {
    this.#scorer = scorer;
    this.#collector = collector;
    this.#bodyLimit = config.bodyLimitBytes;
    this.#sendsInput = sendsInput;
    this.#corsEnabled = config.corsOrigins.length > 0;
  }

  handle(exchange: Exchange): void {
    const raw = this.#scorer.served?.rawHttp === true;
    switch (exchange.method) {
      case 'POST':
      case 'GET':
        return this.score(exchange, 'score');
      case 'OPTIONS':
        if (raw) return this.score(exchange, 'score');
        return exchange.answer(200, ['Content-Type', 'text/html; charset=utf-8', 'x-ms-run-function-failed', 'False'], '');
      case 'HEAD':
        if (raw) return this.score(exchange, 'score');
        return methodNotAllowed(exchange, ['GET', 'POST', 'OPTIONS'], 'Method not allowed');
      default:
        return methodNotAllowed(exchange, raw ? ['GET', 'HEAD', 'POST', 'OPTIONS'] : ['GET', 'POST', 'OPTIONS']);
    }
  }

  /** Reads the body, has it scored, and answers. @throws ServerError where the request is refused before that */
  score(exchange: Exchange, protocol: Protocol): void {
    const { request } = exchange;
    exchange.capture = this.#collector?.capture(exchange.ids.id);
    exchange.capture?.received(request.headers['content-type'], request.rawHeaders, undefined, 0);
    const length = contentLength(request);
    if (length === 0) {
      this.#scorer.admit(0);
      return this.#score(exchange, protocol, [], 0);
    }
    const encoding = contentEncoding(request);
    if (length !== undefined && length > this.#bodyLimit) throw bodyTooLarge(this.#bodyLimit);
    // The declared length of a compressed body says nothing about the bytes that it will need.
    const reservation = new Reservation(this.#scorer, encoding === 'identity' ? (length ?? 0) : 0);
    exchange.work = reservation;
    if (request.headers.expect !== undefined) exchange.response.writeContinue();
    readBody(request, encoding, this.#bodyLimit, reservation, (error) => {
      const { bytes } = reservation.pieces;
      exchange.bytesIn = bytes;
      if (error === undefined) return exchange.guard(() => this.#score(exchange, protocol, reservation.handOver(), bytes));
      reservation.cancel();
      exchange.fail(error);
    });
  }

  #score(exchange: Exchange, protocol: Protocol, body: readonly Buffer[], bodyBytes: number): void {
    const { request, ids } = exchange;
    if (this.#sendsInput) exchange.input = inputText(request, body);
    exchange.capture?.received(request.headers['content-type'], request.rawHeaders, body, bodyBytes, this.#parses(protocol));
    const scoring = this.#scorer.score({
      protocol,
      method: exchange.method,
      url: request.url ?? '/',
      contentType: request.headers['content-type'],
      id: ids.id,
      clientRequestId: ids.clientRequestId,
      traceId: ids.traceId,
      traceparent: ids.traceparent,
      rawHeaders: request.rawHeaders,
      body,
      bodyBytes,
    });
    exchange.work = scoring;
    exchange.scoring = scoring;
    scoring.reply
      .then((reply) => this.#answer(exchange, reply))
      .catch((thrown: unknown) => {
        exchange.worker = scoring.workerNumber;
        exchange.fail(thrown);
      });
  }

  /** True where a body of JSON is parsed before `run()` answers. */
  #parses(protocol: Protocol): boolean {
    return protocol === 'score' && this.#scorer.served?.parsesJson === true;
  }

  #answer(exchange: Exchange, reply: ScoreReply): void {
    exchange.reply = reply;
    const { body, status } = reply;
    const headers = ['x-ms-run-function-failed', reply.runFailed ? 'True' : 'False'];
    if (reply.runMs !== undefined) headers.push('x-ms-run-fn-exec-ms', reply.runMs.toFixed(3));
    const { contentType, encoded } = this.#appendHeaders(headers, reply);
    exchange.capture?.answered(
      contentType,
      reply.headers,
      Buffer.isBuffer(body) ? body : undefined,
      reply.headers === JSON_HEADERS && reply.status === 200,
    );
    if (!Buffer.isBuffer(body)) return this.#stream(exchange, status, headers, body);
    if (encoded || !compressible(contentType, body)) return exchange.answer(status, headers, body);
    const held = body.length < LARGE ? undefined : exchange.hold(body.length);
    compress(exchange.request.headers['accept-encoding'], headers, body, (smaller) => {
      held?.release();
      exchange.guard(() => exchange.answer(status, headers, smaller));
    });
  }

  /** Appends what the script may set, to name, value, name, value, ... */
  #appendHeaders(headers: string[], reply: ScoreReply): { contentType: string; encoded: boolean } {
    if (reply.headers === JSON_HEADERS) {
      headers.push('content-type', 'application/json');
      return PLAIN_JSON;
    }
    let contentType = '';
    let encoded = false;
    for (const [name, value] of reply.headers) {
      const key = name.toLowerCase();
      if (RESERVED.test(key) || (this.#corsEnabled && key === CORS_ORIGIN)) continue;
      if (key === 'content-type') contentType = value;
      else if (key === 'content-encoding') encoded = true;
      headers.push(name, value);
    }
    return { contentType, encoded };
  }

  #stream(exchange: Exchange, status: number, headers: string[], body: Readable): void {
    const { response } = exchange;
    const cancel = (): void => void body.destroy();
    if (response.destroyed) return cancel();
    if (exchange.method === 'HEAD' || status === 204 || status === 304) {
      cancel();
      return exchange.answer(status, headers, '');
    }
    exchange.head(status, headers);
    response.flushHeaders();
    exchange.work = { cancel };
    const held = exchange.holdUnsent();
    response.on('drain', () => held.resize(response.writableLength));
    body.on('data', (piece: Buffer) => {
      held.resize(response.writableLength + piece.length);
      exchange.bytesOut += piece.length;
      exchange.guard(() => exchange.capture?.piece(piece));
    });
    body.on('error', (error) => exchange.fail(error));
    // Ended by neither data nor an error: the client must not take what it has for the whole.
    body.on('close', () => body.readableEnded || exchange.fail(new ServerError('client_gone', 'the stream was cancelled')));
    body.pipe(response);
  }
}

/** What a request asks for, for telemetry: its body, or its query. */
function inputText(request: Exchange['request'], body: readonly Buffer[]): string {
  if (body.length > 0) return bodyText(body, request.headers['content-type'] ?? 'application/json');
  const { url = '' } = request;
  const at = url.indexOf('?');
  return at < 0 ? '{}' : JSON.stringify(Object.fromEntries(new URLSearchParams(url.slice(at + 1))));
}
