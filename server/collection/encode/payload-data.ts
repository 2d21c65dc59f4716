import { isUtf8 } from 'node:buffer';
import { textType } from '../../request/content-types.ts';
import { queryJson } from '../../request/query.ts';
import { decodeText, textCharset, wholeCharacters } from '../../request/text.ts';
import { Body, type BodyState } from '../records.ts';
import { isJson } from '../../guards/json-check.ts';
import { LARGEST_DATA } from './place-data.ts';

/**
 * A body as data of a record: JSON in one line, as text or as the received bytes, or bytes that are
 * no text. The JSON is empty where it would have more than LARGEST_DATA bytes.
 */
export type Data = { readonly json: Buffer | string; readonly bytes: number } | { readonly binary: Buffer };

/** Up to this length, one loop takes less time than the calls that search bytes. */
const SHORT = 1024;

const LF = 10;
const CR = 13;
/** `\u0000`. */
const LONGEST_ESCAPE = 6;
/** Control characters with an escape of two characters. */
const SHORT_ESCAPES = new Set(Buffer.from('\b\t\n\f\r'));

/**
 * Reads a body by its content type: JSON as it is, text as a JSON string, anything else as bytes.
 * Text is decoded as a worker does, so that a byte-order mark is no part of it.
 */
export function readData(contentType: string, body: Buffer, state: BodyState): Data {
  const plainJson = contentType === 'application/json';
  // JSON that this server writes is UTF-8 without line ends.
  if (plainJson && state === Body.written) return { json: body, bytes: body.length };
  if (plainJson && state === Body.parsed && body.length <= SHORT && isPlain(body)) return { json: body, bytes: body.length };
  if (contentType !== '' && textType(contentType) === undefined) return { binary: body };
  const charset = plainJson ? undefined : textCharset(contentType);
  if (charset !== undefined) return readText(body, charset);
  const utf8 = withoutMark(state === Body.partial ? wholeCharacters(body) : body);
  if (!isUtf8(utf8)) return { binary: body };
  const oneLine = !utf8.includes(LF) && !utf8.includes(CR);
  if (state === Body.parsed && plainJson && oneLine && !mayHaveBareNumbers(utf8)) return { json: utf8, bytes: utf8.length };
  if (isJson(utf8)) return { json: oneLine ? utf8 : inOneLine(Buffer.from(utf8)), bytes: utf8.length };
  return asString(utf8);
}

/** True for ASCII in one line, without the letters that Python's bare numbers begin with. */
function isPlain(body: Buffer): boolean {
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0;
    if (byte >= 0x80 || byte === LF || byte === CR || byte === 0x49 || byte === 0x4e) return false;
  }
  return true;
}

/** Text of another charset than UTF-8; bytes where it is none. */
function readText(body: Buffer, charset: string): Data {
  let utf8: Buffer;
  try {
    utf8 = Buffer.from(decodeText(body, charset));
  } catch {
    return { binary: body };
  }
  return isJson(utf8) ? { json: inOneLine(utf8), bytes: utf8.length } : asString(utf8);
}

const asJson = (json: string): Data => ({ json, bytes: Buffer.byteLength(json) });

/** Why bounded: control characters take six times their size. */
function asString(utf8: Buffer): Data {
  if (utf8.length * LONGEST_ESCAPE > LARGEST_DATA) {
    const bytes = quotedBytes(utf8);
    if (bytes > LARGEST_DATA) return { json: '', bytes };
  }
  return asJson(JSON.stringify(utf8.toString()));
}

/** Bytes of a text of UTF-8 as a string of JSON. */
function quotedBytes(utf8: Buffer): number {
  let bytes = 2 + utf8.length;
  for (const byte of utf8) {
    if (byte < 0x20) bytes += SHORT_ESCAPES.has(byte) ? 1 : LONGEST_ESCAPE - 1;
    else if (byte === 0x22 || byte === 0x5c) bytes++;
  }
  return bytes;
}

/**
 * Changes line ends of JSON to spaces, in place. They stand between tokens, because a string cannot
 * have them.
 */
function inOneLine(json: Buffer): Buffer {
  for (let at = 0; at < json.length; at++) if (json[at] === LF || json[at] === CR) json[at] = 0x20;
  return json;
}

/** A body of UTF-8 without its byte-order mark. */
const withoutMark = (body: Buffer): Buffer => (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body);

/**
 * The query of a request without a body, as an object. Names that may be keys are left out. Answers
 * undefined where there is no query.
 */
export function readQuery(url: string): Data | undefined {
  const json = queryJson(url);
  return json === undefined ? undefined : asJson(json);
}

/** True if the body may have Python's bare NaN or infinities, which workers take (JSON_NAN). */
function mayHaveBareNumbers(body: Buffer): boolean {
  return body.includes('NaN') || body.includes('Infinity');
}
