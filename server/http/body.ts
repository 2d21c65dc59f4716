import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ServerError, toServerError } from '../errors.ts';
import type { Scorer } from '../scoring/scorer-types.ts';

type Encoding = 'identity' | 'gzip' | 'deflate';

/** Longest pause of an upload, then 408: an idle client must not hold a reservation. */
const UPLOAD_IDLE_MS = 30_000;

/** Names the encoding of a body. @throws ServerError unsupported_encoding */
export function contentEncoding(request: IncomingMessage): Encoding {
  const name = request.headers['content-encoding'];
  if (name === undefined || name === '') return 'identity';
  switch (name.toLowerCase()) {
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    default:
      throw new ServerError('unsupported_encoding', `Content-Encoding: expected gzip, deflate or identity, got ${name}`);
  }
}

/** Length that the request declares; undefined: chunked. 0: it has no body. */
export function contentLength(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}

export function bodyTooLarge(limit: number): ServerError {
  return new ServerError('body_too_large', `The request body must not exceed ${limit} bytes`);
}

/** The room of one request at the scorer: what was reserved is given back once, or handed over with the request. */
export class Reservation {
  readonly #scorer: Scorer;
  #bytes: number;
  #open = true;

  /** @throws ServerError what `Scorer.admit` throws */
  constructor(scorer: Scorer, bytes: number) {
    scorer.admit(bytes);
    this.#scorer = scorer;
    this.#bytes = bytes;
  }

  /** Reserves what `total` bytes need beyond what was admitted. @throws ServerError queue_full */
  cover(total: number): void {
    if (!this.#open || total <= this.#bytes) return;
    this.#scorer.grow(total - this.#bytes);
    this.#bytes = total;
  }

  /** False once it was given back or handed over. */
  get open(): boolean {
    return this.#open;
  }

  /** Gives back what is still reserved. */
  cancel(): void {
    if (this.#open) this.#scorer.release(this.#bytes);
    this.#open = false;
  }

  /** From now on the bytes are the scorer's to give back. */
  handOver(): void {
    this.#open = false;
  }
}

/**
 * Reads the body of a request, inflated, in the pieces in which it arrives.
 * `done` is called once, or never when the client leaves.
 */
export function readBody(
  request: IncomingMessage,
  encoding: Encoding,
  limit: number,
  reservation: Reservation,
  done: (error: ServerError | undefined, pieces: readonly Buffer[], bytes: number) => void,
): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  // A client may leave after its last byte, while its body is still being inflated: nobody wants the rest.
  const over = (): boolean => finished || !reservation.open;
  const finish = (error?: ServerError): void => {
    if (over()) return;
    finished = true;
    if (request.listenerCount('timeout') > 0) request.setTimeout(0);
    done(error, pieces, bytes);
  };
  const take = (piece: Buffer): void => {
    if (over()) return;
    bytes += piece.length;
    try {
      if (bytes > limit) throw bodyTooLarge(limit);
      reservation.cover(bytes);
      pieces.push(piece);
    } catch (thrown) {
      finish(toServerError(thrown));
    }
  };
  // Nothing but parser-errors.ts makes a request emit an error.
  request.on('error', (error) => finish(toServerError(error, 'bad_request')));
  process.nextTick(limitPauses, request, finish);
  if (encoding === 'identity') {
    request.on('data', take).on('end', finish);
    return;
  }
  inflate(request, encoding, (inflater) => {
    // A bomb stops at the limit: nothing is inflated once it is over.
    const stop = (): void => {
      if (!over()) return;
      request.unpipe(inflater).resume();
      inflater.destroy();
    };
    inflater.on('data', (piece: Buffer) => {
      take(piece);
      stop();
    });
    inflater.on('end', () => finish());
    inflater.on('error', (error) => finish(new ServerError('bad_encoding', `The request body is not valid ${encoding}`, { cause: error })));
  });
}

/** A body that came with its head needs no timer; most do. */
function limitPauses(request: IncomingMessage, finish: (error: ServerError) => void): void {
  if (request.complete || request.destroyed) return;
  request.setTimeout(UPLOAD_IDLE_MS, () =>
    finish(new ServerError('request_timeout', `No part of the request body arrived for ${UPLOAD_IDLE_MS / 1000} s`)),
  );
}

function inflate(request: IncomingMessage, encoding: 'gzip' | 'deflate', use: (inflater: Transform) => void): void {
  const start = (inflater: Transform): void => {
    // The client left: pipe() does not tell.
    request.on('close', () => !request.complete && inflater.destroy());
    use(request.pipe(inflater));
  };
  if (encoding === 'gzip') return start(createGunzip());
  // RFC 9110 means the zlib format by "deflate"; some clients send the bare stream. The first byte tells.
  request.once('readable', () => {
    const first = request.read() as Buffer | null;
    if (first !== null) request.unshift(first);
    start(first === null || ((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw());
  });
}
