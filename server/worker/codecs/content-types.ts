import { constants, isAscii, isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { stringify } from '../../guards/built-ins.ts';
import type { InputType } from '../../entry-script.ts';
import { describeThrown, ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { queryValues } from '../../request/query.ts';
import { withNumbers } from '../../tensors/json-numbers.ts';
import { parseNumbers } from '../../tensors/parse-numbers.ts';
import { hasLongInteger, type JsonNan, JsonSyntaxError, parseJson, readJson } from './json.ts';

/** How a body is decoded: one of the script's own choices, or JSON where the bytes are JSON. */
type Decoding = InputType | 'json or bytes';

interface MediaTypeRow {
  /**
   * Whole media types, in lower case; the empty one stands for a request without a content type.
   */
  readonly types?: readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
  readonly decoding: Decoding;
  readonly doc: string;
}

/**
 * Decoding by the body's media type: the first row that matches decides, and bytes are the rest. A
 * script's `inputType` overrules it.
 */
export const mediaTypes: readonly MediaTypeRow[] = [
  {
    types: ['application/json', 'text/json'],
    suffix: '+json',
    decoding: 'json',
    doc: '`application/json`, `text/json`, `*/*+json`',
  },
  { prefix: 'text/', decoding: 'text', doc: '`text/*`' },
  {
    types: ['application/x-www-form-urlencoded', ''],
    decoding: 'json or bytes',
    doc: '`application/x-www-form-urlencoded` (what `curl -d` sends), or none',
  },
  { prefix: '', decoding: 'bytes', doc: 'anything else' },
];

/**
 * Decodes a body for `run()`.
 * @param inputType the script's own choice, or undefined
 * @param jsonNan by default `refuse`
 * @throws ServerError bad_json, bad_text, body_too_large
 */
export function decodeBody(
  body: Buffer,
  contentType: string | undefined,
  inputType: InputType | undefined,
  exactIntegers: boolean,
  jsonNan?: JsonNan,
): unknown {
  const decoding = inputType ?? decodingOf(contentType);
  switch (decoding) {
    case 'bytes':
      return body;
    case 'text':
      // A script that asked for text gets the body as it is.
      return inputType === 'text' ? utf8(body) : decodeText(body, charsetOf(contentType));
    case 'json':
      return decodeJson(body, exactIntegers, jsonNan);
    case 'tensors':
      return parseNumbers(body) ?? withNumbers(decodeJson(body, exactIntegers, jsonNan));
    case 'json or bytes':
      return decodeAny(body, exactIntegers, jsonNan);
    default:
      return decoding satisfies never;
  }
}

/** JSON where the bytes are JSON, or text that begins like an object or array; else the bytes. */
function decodeAny(body: Buffer, exactIntegers: boolean, jsonNan: JsonNan | undefined): unknown {
  if (body.length === 0 || !isUtf8(body)) return body;
  if (isMeantAsJson(body)) return decodeJson(body, exactIntegers, jsonNan);
  try {
    return readJson(decodeText(body), exactIntegers && hasLongInteger(body));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return body;
    throw thrown;
  }
}

/**
 * True if the first character is that of an object or array, behind a byte-order mark and white
 * space.
 */
function isMeantAsJson(body: Buffer): boolean {
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (SPACES.has(body[at] ?? 0)) at++;
  return body[at] === 0x7b || body[at] === 0x5b;
}

/** White space of JSON. */
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Only the media type decides: parameters and case do not matter. */
function decodingOf(contentType: string | undefined): Decoding {
  if (contentType === 'application/json') return 'json';
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const matches = ({ types, prefix, suffix }: MediaTypeRow): boolean =>
    types?.includes(mediaType) === true ||
    (prefix !== undefined && mediaType.startsWith(prefix)) ||
    (suffix !== undefined && mediaType.endsWith(suffix));
  return mediaTypes.find(matches)?.decoding ?? 'bytes';
}

function charsetOf(contentType: string | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  return charset === 'utf-8' || charset === 'utf8' ? undefined : charset;
}

/**
 * A text by its charset; UTF-8 unless the content type names another. A byte-order mark is dropped.
 */
function decodeText(body: Buffer, charset?: string): string {
  if (charset !== undefined) return decodeCharset(body, charset);
  const text = utf8(body);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** A byte-order mark stays. */
function utf8(body: Buffer): string {
  if (body.length > constants.MAX_STRING_LENGTH)
    throw new ServerError('body_too_large', `Input cannot be decoded as text: it has more than ${constants.MAX_STRING_LENGTH} bytes`);
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw new ServerError('bad_text', `Input cannot be decoded as UTF-8: ${firstBadByte(body)}`);
  return body.toString('utf8');
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

function decodeJson(body: Buffer, exactIntegers: boolean, jsonNan: JsonNan | undefined): unknown {
  if (body.length === 0) throw new ServerError('bad_json', 'POST body is empty. Expecting JSON.');
  const text = decodeText(body);
  try {
    return parseJson(text, exactIntegers && hasLongInteger(body), jsonNan);
  } catch (thrown) {
    if (thrown instanceof JsonSyntaxError) throw new ServerError('bad_json', `POST body could not be decoded as JSON: ${thrown.message}`);
    throw thrown;
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

/**
 * The query as an object. Each value is JSON if it parses, else a string; a repeated key becomes a
 * list (docs/http-api.md).
 */
export function decodeQuery(url: string, exactIntegers: boolean): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, texts] of queryValues(url)) {
    const values = texts.map((text) => decodeQueryValue(text, exactIntegers));
    result[name] = values.length === 1 ? values[0] : values;
  }
  return result;
}

function decodeQueryValue(value: string, exactIntegers: boolean): unknown {
  try {
    return readJson(value, exactIntegers);
  } catch {
    return value;
  }
}

/**
 * Every failure while a body is decoded is the client's fault, because no script has seen the body
 * yet.
 */
export function unreadable(thrown: unknown): ServerError {
  if (thrown instanceof ServerError) return thrown;
  return new ServerError('invalid_input', `The request cannot be read: ${excerpt(describeThrown(thrown))}`, { cause: thrown });
}
