import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ServerError, toServerError } from '../errors.ts';
import { Pieces } from './pieces.ts';
import type { Reservation } from './reservation.ts';
import { TOO_SLOW, UploadRate } from './upload-rate.ts';

type Encoding = 'identity' | 'gzip' | 'deflate';

/** Low bits of the first byte of the zlib format. */
const ZLIB = 8;

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

/**
 * Reads the body of a request, inflated, into the reservation's pieces. Each chunk is read as it arrives: what Node keeps has an object of its own for each.
 * `done` is called once, or never when the client leaves.
 */
export function readBody(
  request: IncomingMessage,
  encoding: Encoding,
  limit: number,
  reservation: Reservation,
  done: (error?: ServerError) => void,
): void {
  const { pieces } = reservation;
  let finished = false;
  // A client may leave after its last byte, while its body is still being inflated: nobody wants the rest.
  const over = (): boolean => finished || !reservation.open;
  const finish = (error?: ServerError): void => {
    if (over()) return;
    finished = true;
    if (error !== undefined) request.removeAllListeners('readable').resume();
    done(error);
  };
  const cover = (waiting: number): void => {
    try {
      reservation.cover(request, waiting);
    } catch (thrown) {
      finish(toServerError(thrown));
    }
  };
  const take = (piece: Buffer, waiting = 0): void => {
    if (over()) return;
    if (pieces.bytes + piece.length > limit) return finish(bodyTooLarge(limit));
    pieces.add(piece);
    cover(waiting);
  };
  // Nothing but parser-errors.ts makes a request emit an error.
  request.on('error', (error) => finish(toServerError(error, 'bad_request')));
  process.nextTick(watchRate, request, reservation, finish);
  if (encoding === 'identity') {
    request.on('readable', () => {
      for (let piece = read(request); piece !== null && !over(); piece = read(request)) take(piece);
    });
    request.on('end', () => finish());
  } else inflate(request, encoding, { take, cover, over, finish });
}

/** A body that came with its head needs no timer; most do. */
function watchRate(request: IncomingMessage, reservation: Reservation, finish: (error: ServerError) => void): void {
  if (request.complete || request.destroyed || !reservation.open) return;
  reservation.rate = new UploadRate(request, () => finish(new ServerError('request_timeout', TOO_SLOW)));
}

/** Everything that is there, in one piece. */
function read(request: IncomingMessage): Buffer | null {
  return request.read() as Buffer | null;
}

interface Inflated {
  /** @param waiting bytes that are held beside what is inflated */
  readonly take: (piece: Buffer, waiting: number) => void;
  readonly cover: (waiting: number) => void;
  readonly over: () => boolean;
  readonly finish: (error?: ServerError) => void;
}

/**
 * No pipe: it would hand each chunk to a thread of its own. What arrives while the inflater is at work is joined, and counts as held.
 * A bomb stops at the limit: nothing is inflated once it is over.
 */
function inflate(request: IncomingMessage, encoding: 'gzip' | 'deflate', { take, cover, over, finish }: Inflated): void {
  let inflater: Transform | undefined;
  let waiting = new Pieces();
  /** Bytes that the inflater has in hand. */
  let writing = 0;
  const open = (first: number): Transform => {
    const made = createInflater(encoding, first);
    made.on('data', (piece: Buffer) => {
      take(piece, waiting.held + writing);
      if (over()) made.destroy();
    });
    made.on('end', () => finish());
    made.on('error', (error) => finish(new ServerError('bad_encoding', `The request body is not valid ${encoding}`, { cause: error })));
    return made;
  };
  const pump = (): void => {
    if (over()) return void inflater?.destroy();
    if (writing > 0) return undefined;
    if (waiting.bytes > 0) {
      writing = waiting.held;
      const joined = waiting.take();
      waiting = new Pieces();
      inflater ??= open(joined[0]?.[0] ?? 0);
      for (const piece of joined) inflater.write(piece, piece === joined.at(-1) ? written : undefined);
    } else if (request.readableEnded) (inflater ??= open(ZLIB)).end();
    return undefined;
  };
  const written = (): void => {
    writing = 0;
    pump();
  };
  request.on('readable', () => {
    for (let piece = read(request); piece !== null && !over(); piece = read(request)) waiting.add(piece);
    cover(waiting.held + writing);
    pump();
  });
  request.on('end', pump);
  request.on('close', () => !request.complete && inflater?.destroy());
}

/** RFC 9110 means the zlib format by "deflate"; some clients send the bare stream. The first byte tells. */
function createInflater(encoding: 'gzip' | 'deflate', first: number): Transform {
  if (encoding === 'gzip') return createGunzip();
  return (first & 0x0f) === ZLIB ? createInflate() : createInflateRaw();
}
