import { isUtf8 } from 'node:buffer';
import { textType } from '../../request/content-types.ts';
import { queryJson } from '../../request/query.ts';
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
 */
export function readData(contentType: string, body: Buffer, state: BodyState): Data {
  const plainJson = contentType === 'application/json';
  // JSON that this server writes is UTF-8 without line ends.
  if (plainJson && state === Body.written) return { json: body, bytes: body.length };
  const maybeText = contentType === '' || textType(contentType) !== undefined;
  if (!maybeText || !isUtf8(body)) return { binary: body };
  const oneLine = !body.includes(LF) && !body.includes(CR);
  if (state === Body.parsed && plainJson && oneLine && body[0] !== 0xef && !mayHaveBareNumbers(body))
    return { json: body, bytes: body.length };
  const text = body.toString();
  // A line end in JSON is space between tokens. Inside of a string it cannot be.
  if (isJson(text)) return { json: oneLine ? body : text.replaceAll(/[\r\n]/g, ' '), bytes: body.length };
  const quoted = JSON.stringify(text);
  return { json: quoted, bytes: Buffer.byteLength(quoted) };
}

/**
 * The query of a request without a body, as an object. Names that may be keys are left out. Answers
 * undefined where there is no query.
 */
export function readQuery(url: string): Data | undefined {
  const json = queryJson(url);
  return json === undefined ? undefined : { json, bytes: Buffer.byteLength(json) };
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
