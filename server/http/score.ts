import type { Config } from '../config/config.ts';
import type { Protocol } from '../entry-script.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { bodyTooLarge, contentEncoding, contentLength, readBody } from './body.ts';
import { htmlHeaders } from './browser-headers.ts';
import type { HttpExchange } from './exchange.ts';
import type { Hold } from './hold.ts';
import { Upload } from './upload.ts';

/** `/score`, every method: docs/http-api.md. */
export class ScoreRoute {
  readonly #scorer: Scorer;
  readonly #bodyLimit: number;
  readonly #hold: Hold | undefined;

  /** @param hold undefined: a request that comes before the workers are ready gets 503 */
  constructor(scorer: Scorer, config: Pick<Config, 'bodyLimitBytes'>, hold?: Hold) {
    this.#scorer = scorer;
    this.#bodyLimit = config.bodyLimitBytes;
    this.#hold = hold;
  }

  handle(exchange: HttpExchange): void {
    if (this.#hold?.waits === true) return this.#hold.add(exchange, () => this.handle(exchange));
    const raw = this.#scorer.served?.rawHttp === true;
    switch (exchange.method) {
      case 'POST':
      case 'GET':
        return this.score(exchange, 'score');
      case 'OPTIONS':
        if (raw && !exchange.isOpenPreflight) return this.score(exchange, 'score');
        return exchange.answer(200, [...htmlHeaders(), 'x-ms-run-function-failed', 'False'], '');
      case 'HEAD':
        if (raw) return this.score(exchange, 'score');
        return exchange.refuseMethod(['GET', 'POST', 'OPTIONS'], 'Method not allowed');
      default:
        return exchange.refuseMethod(raw ? ['GET', 'HEAD', 'POST', 'OPTIONS'] : ['GET', 'POST', 'OPTIONS']);
    }
  }

  /**
   * Admits the request, reads its body and scores it.
   * @throws ServerError if the request is refused before its body is read
   */
  score(exchange: HttpExchange, protocol: Protocol): void {
    if (this.#hold?.waits === true) return this.#hold.add(exchange, () => this.score(exchange, protocol));
    const { request } = exchange;
    exchange.collect();
    exchange.capture?.received(exchange.contentType, exchange.rawHeaders, undefined, 0);
    const length = contentLength(request);
    if (length === 0) {
      exchange.admit();
      return exchange.score(protocol, [], 0);
    }
    const encoding = contentEncoding(request);
    if (length !== undefined && length > this.#bodyLimit) throw bodyTooLarge(this.#bodyLimit);
    // The declared length of a compressed body does not limit the bytes that it will need.
    const declared = encoding === 'identity' ? (length ?? 0) : 0;
    exchange.admit(declared);
    const upload = new Upload(this.#scorer, declared);
    exchange.startReading(upload);
    if (request.headers.expect !== undefined) exchange.response.writeContinue();
    readBody(exchange, encoding, this.#bodyLimit, upload, (error) => {
      if (error !== undefined) return exchange.fail(error);
      const { bytes } = upload.pieces;
      exchange.guard(() => exchange.score(protocol, upload.pieces.take(), bytes, upload));
    });
  }
}
