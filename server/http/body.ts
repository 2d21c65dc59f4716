import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ServerError, toServerError } from '../errors.ts';
import type { HttpExchange } from './exchange.ts';
import type { PacedUpload } from './pacing.ts';
import { Pieces } from './pieces.ts';
import type { Upload } from './upload.ts';

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

/** Length that the request declares, or undefined if the body is chunked. 0 if there is no body. */
export function contentLength(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}

export function bodyTooLarge(limit: number): ServerError {
  return new ServerError('body_too_large', `The request body must not exceed ${limit} bytes`);
}

/**
 * Reads the body of a request, inflated, into the pieces of its upload. Each chunk is read as it
 * arrives, because Node keeps an object for each chunk that waits. `done` is called once, or never
 * if the client leaves.
 */
export function readBody(
  exchange: HttpExchange,
  encoding: Encoding,
  limit: number,
  upload: Upload,
  done: (error?: ServerError) => void,
): void {
  const { request } = exchange;
  const { pieces } = upload;
  const pace = exchange.pace();
  let finished = false;
  // A client may leave after its last byte, while its body is still being inflated: the rest is not
  // needed.
  const over = (): boolean => finished || !upload.open;
  const finish = (error?: ServerError): void => {
    if (over()) return;
    finished = true;
    done(error);
  };
  const cover = (waiting: number): void => {
    try {
      upload.cover(request, waiting);
    } catch (thrown) {
      finish(toServerError(thrown));
    }
  };
  const take = (piece: Buffer, waiting = 0): void => {
    if (over()) return;
    if (pieces.bytes + piece.length > limit) return finish(bodyTooLarge(limit));
    pieces.add(piece);
    exchange.bytesIn = pieces.bytes;
    cover(waiting);
  };
  // Only parser-errors.ts makes a request emit an error.
  request.on('error', (error) => finish(toServerError(error, 'bad_request')));
  process.nextTick(watchRate, upload, request, finish);
  if (encoding === 'identity') {
    request.on('readable', () => readAll(request, pace, take));
    request.on('end', () => finish());
  } else inflate(request, encoding, { take, cover, over, finish, pace });
}

function watchRate(upload: Upload, request: IncomingMessage, failed: (error: ServerError) => void): void {
  upload.watchRate(request, failed);
}

/** Takes all bytes that have arrived. */
function readAll(request: IncomingMessage, pace: PacedUpload, take: (piece: Buffer) => void): void {
  for (;;) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a request without setEncoding() and object mode reads Buffers
    const piece = request.read() as Buffer | null;
    if (piece === null) return;
    pace.took(piece.length);
    take(piece);
  }
}

interface Inflated {
  /** @param waiting bytes that are held beside the inflated ones */
  readonly take: (piece: Buffer, waiting: number) => void;
  readonly cover: (waiting: number) => void;
  readonly over: () => boolean;
  readonly finish: (error?: ServerError) => void;
  readonly pace: PacedUpload;
}

/**
 * Inflates without a pipe, which would give each chunk to a thread of its own. Chunks that arrive
 * while the inflater works are joined, and count as held. A bomb stops at the limit: nothing is
 * inflated once it is over.
 */
function inflate(request: IncomingMessage, encoding: 'gzip' | 'deflate', { take, cover, over, finish, pace }: Inflated): void {
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
    readAll(request, pace, (piece) => void (over() || waiting.add(piece)));
    cover(waiting.held + writing);
    pump();
  });
  request.on('end', pump);
  request.on('close', () => !request.complete && inflater?.destroy());
}

/**
 * RFC 9110 means the zlib format by "deflate"; some clients send the bare stream. The first byte
 * shows which one it is.
 */
function createInflater(encoding: 'gzip' | 'deflate', first: number): Transform {
  if (encoding === 'gzip') return createGunzip();
  return (first & 0x0f) === ZLIB ? createInflate() : createInflateRaw();
}
