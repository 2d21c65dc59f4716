import { ServerError } from '../errors.ts';

/**
 * Refuses an answer, or a chunk of a stream, above the limit.
 * @throws ServerError answer_too_large
 */
export function checkSize(parts: readonly (string | ArrayBufferView)[], limitBytes = Infinity): void {
  let most = 0;
  for (const part of parts) most += typeof part === 'string' ? part.length * 3 : part.byteLength;
  if (most <= limitBytes) return;
  let bytes = 0;
  for (const part of parts) bytes += typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength;
  if (bytes > limitBytes) throw tooLarge(limitBytes);
}

export function tooLarge(limitBytes: number): ServerError {
  return new ServerError(
    'answer_too_large',
    `the answer has more than ${limitBytes} bytes (ANSWER_LIMIT_BYTES): answer less, or stream it in smaller chunks`,
  );
}
