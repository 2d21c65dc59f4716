import { isUtf8 } from 'node:buffer';
import { textType } from '../../request/content-types.ts';
import { queryJson } from '../../request/query.ts';
import { decodeText, textCharset, wholeCharacters } from '../../request/text.ts';
import { Body, type BodyState } from '../records.ts';

/**
 * A body as data of a record: JSON in one line, as text or as the received bytes, or bytes that are
 * no text.
 */
export type Data = { readonly json: Buffer | string; readonly bytes: number } | { readonly binary: Buffer };

const LF = 10;
const CR = 13;

/**
 * Reads a body by its content type: JSON as it is, text as a JSON string, anything else as bytes.
 * Text is decoded as a worker does, so that a byte-order mark is no part of it.
 */
export function readData(contentType: string, body: Buffer, state: BodyState): Data {
  const plainJson = contentType === 'application/json';
  // JSON that this server writes is UTF-8 without line ends.
  if (plainJson && state === Body.written) return { json: body, bytes: body.length };
  if (contentType !== '' && textType(contentType) === undefined) return { binary: body };
  const charset = plainJson ? undefined : textCharset(contentType);
  if (charset !== undefined) return readText(body, charset);
  const utf8 = withoutMark(state === Body.partial ? wholeCharacters(body) : body);
  if (!isUtf8(utf8)) return { binary: body };
  const oneLine = !utf8.includes(LF) && !utf8.includes(CR);
  if (state === Body.parsed && plainJson && oneLine && !mayHaveBareNumbers(utf8)) return { json: utf8, bytes: utf8.length };
  const text = utf8.toString();
  // A line end in JSON is space between tokens. Inside of a string it cannot be.
  if (isJson(text)) return { json: oneLine ? utf8 : text.replaceAll(/[\r\n]/g, ' '), bytes: utf8.length };
  return asString(text);
}

/** Text of another charset than UTF-8; bytes where it is none. */
function readText(body: Buffer, charset: string): Data {
  try {
    const text = decodeText(body, charset);
    return isJson(text) ? asJson(text.replaceAll(/[\r\n]/g, ' ')) : asString(text);
  } catch {
    return { binary: body };
  }
}

const asJson = (json: string): Data => ({ json, bytes: Buffer.byteLength(json) });
const asString = (text: string): Data => asJson(JSON.stringify(text));

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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
