import { createGunzip, createInflate } from 'node:zlib';
import { ServerError } from '../errors.ts';
import { type Message, messageTooLarge, SMALL } from './framing.ts';
import type { MessageAdmission } from './message-admission.ts';

/** Encodings of messages that this server reads, as a header lists them. */
export const ENCODINGS = 'identity,deflate,gzip';

/**
 * Inflates a message piece by piece and reserves the inflated bytes, so that a bomb ends at the
 * limit.
 * @throws ServerError body_too_large, queue_full, bad_encoding, unsupported_encoding; client_gone
 * once the admission is closed
 */
export async function inflate({ pieces, bytes }: Message, encoding: string, limit: number, admission: MessageAdmission): Promise<Message> {
  const inflater = inflaterOf(encoding);
  const inflated: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  inflater.on('data', (piece: Buffer) => {
    try {
      if (!admission.open) throw new ServerError('client_gone', 'The client left before its message was inflated.');
      length += piece.length;
      if (length > limit) throw messageTooLarge(limit);
      admission.grow(piece.length, length > SMALL ? 'large' : 'whole');
      inflated.push(piece);
    } catch (thrown) {
      inflater.destroy();
      reject(thrown);
    }
  });
  inflater.on('error', (cause) => reject(new ServerError('bad_encoding', `The message is not valid ${encoding}`, { cause })));
  inflater.on('end', resolve);
  for (const piece of pieces) inflater.write(piece);
  inflater.end();
  await promise;
  admission.shrink(bytes);
  return { pieces: inflated, bytes: length };
}

function inflaterOf(encoding: string): ReturnType<typeof createGunzip> {
  if (encoding === 'gzip') return createGunzip();
  if (encoding === 'deflate') return createInflate();
  if (encoding === 'identity')
    throw new ServerError('bad_encoding', 'The message is marked as compressed, but grpc-encoding names no encoding');
  throw new ServerError('unsupported_encoding', `grpc-encoding: expected one of ${ENCODINGS}, got ${encoding}`);
}
