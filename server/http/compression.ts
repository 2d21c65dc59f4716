import { negotiate } from '@fastify/accept-negotiator';
import { gzip } from 'node:zlib';
import { textType } from '../request/content-types.ts';

/** Bytes of the smallest body that is compressed. */
const SMALLEST = 1024;

/** Identity comes first: `*` alone does not ask for gzip, and `gzip;q=0, *` must not get it. */
const ENCODINGS = ['identity', 'gzip'];

/** True when an answer of this content type and size is worth compressing. */
export function compressible(contentType: string, body: Buffer): boolean {
  return body.length >= SMALLEST && textType(contentType)?.compressed === true;
}

/**
 * Compresses `body` if the client accepts gzip, and adds the headers of it.
 * @param headers name, value, name, value, ...
 */
export function compress(acceptEncoding: string | undefined, headers: string[], body: Buffer, done: (body: Buffer) => void): void {
  headers.push('Vary', 'Accept-Encoding');
  if (acceptEncoding === undefined || negotiate(acceptEncoding, ENCODINGS) !== 'gzip') return done(body);
  gzip(body, { level: 1 }, (error, compressed) => {
    if (error !== null) return done(body);
    headers.push('Content-Encoding', 'gzip');
    done(compressed);
  });
}
