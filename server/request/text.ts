import { constants, isAscii, isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { stringify } from '../guards/built-ins.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';

/** The charset that a content type names, in lower case; undefined: UTF-8. */
export function charsetOf(contentType: string | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  return charset === 'utf-8' || charset === 'utf8' ? undefined : charset;
}

/** The charset of a body of any type, as a worker reads it: JSON is always UTF-8. */
export function textCharset(contentType: string): string | undefined {
  return /^\s*text\//i.test(contentType) ? charsetOf(contentType) : undefined;
}

/**
 * A text by its charset; UTF-8 unless the content type names another. A byte-order mark is dropped.
 * @throws ServerError bad_text, body_too_large
 */
export function decodeText(body: Buffer, charset?: string): string {
  if (charset !== undefined) return decodeCharset(body, charset);
  const text = utf8(body);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** A text of UTF-8. A byte-order mark stays. @throws ServerError bad_text, body_too_large */
export function utf8(body: Buffer): string {
  if (body.length > constants.MAX_STRING_LENGTH)
    throw new ServerError('body_too_large', `Input cannot be decoded as text: it has more than ${constants.MAX_STRING_LENGTH} bytes`);
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw new ServerError('bad_text', `Input cannot be decoded as UTF-8: ${firstBadByte(body)}`);
  return body.toString('utf8');
}

/** The beginning of a text of UTF-8, without a character that is cut. */
export function wholeCharacters(body: Buffer): Buffer {
  for (let left = 1; left <= 3 && left <= body.length; left++) {
    const byte = body[body.length - left] ?? 0;
    // A continuation: the first byte of the character is further left.
    if (byte >> 6 === 0b10) continue;
    const length = byte >> 5 === 0b110 ? 2 : byte >> 4 === 0b1110 ? 3 : byte >> 3 === 0b11110 ? 4 : 1;
    return length > left ? body.subarray(0, body.length - left) : body;
  }
  return body;
}

function decodeCharset(body: Buffer, charset: string): string {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw new ServerError(
      'bad_text',
      `Input cannot be decoded: expected a charset that this server knows, got ${stringify(excerpt(charset))}`,
      { cause },
    );
  }
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw new ServerError('bad_text', `Input cannot be decoded as ${charset}: it has bytes that this charset does not allow`, { cause });
  }
}

/** Finds the first replacement character that the client did not send: it stands for a bad byte. */
function firstBadByte(body: Buffer): string {
  const text = body.toString('utf8');
  let position = 0;
  let before = 0;
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', before)) {
    position += Buffer.byteLength(text.slice(before, at));
    if (body.readUIntBE(position, Math.min(3, body.length - position)) !== 0xefbfbd)
      return `can't decode byte 0x${body.readUInt8(position).toString(16).padStart(2, '0')} in position ${position}`;
    position += 3;
    before = at + 1;
  }
  return 'invalid bytes';
}
