import { constants, isAscii, isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { stringify } from '../../guards/built-ins.ts';
import type { InputType } from '../../entry-script.ts';
import { describeThrown, ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { withNumbers } from '../../tensors/json-numbers.ts';
import { parseNumbers } from '../../tensors/parse-numbers.ts';
import { hasLongInteger, JsonSyntaxError, parseJson, readJson } from './json.ts';

type Form = InputType | 'json or bytes';

/** What `run()` gets by the body's media type; the first row that matches decides. `inputType` in a script overrules it. */
export const forms: readonly { readonly mediaType: RegExp; readonly form: Form; readonly doc: string }[] = [
  { mediaType: /^(?:application|text)\/json$|\+json$/, form: 'json', doc: '`application/json`, `text/json`, `*/*+json`' },
  { mediaType: /^text\//, form: 'text', doc: '`text/*`' },
  {
    mediaType: /^application\/x-www-form-urlencoded$|^$/,
    form: 'json or bytes',
    doc: '`application/x-www-form-urlencoded` (what `curl -d` sends), or none',
  },
  { mediaType: /^/, form: 'bytes', doc: 'anything else' },
];

/**
 * The body as `run()` gets it.
 * @param inputType the script's own choice, if it made one
 * @throws ServerError bad_json, bad_text, body_too_large
 */
export function decodeBody(
  body: Buffer,
  contentType: string | undefined,
  inputType: InputType | undefined,
  exactIntegers: boolean,
): unknown {
  const form = inputType ?? formOf(contentType);
  if (form === 'bytes') return body;
  if (form === 'text') return decodeText(body, charsetOf(contentType));
  if (form === 'json') return decodeJson(body, exactIntegers);
  if (form === 'tensors') return parseNumbers(body) ?? withNumbers(decodeJson(body, exactIntegers));
  if (body.length === 0 || !isUtf8(body)) return body;
  try {
    return readJson(decodeText(body), exactIntegers && hasLongInteger(body));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return body;
    throw thrown;
  }
}

/** The media type alone decides; parameters and case do not matter. */
function formOf(contentType: string | undefined): Form {
  if (contentType === 'application/json') return 'json';
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return forms.find((row) => row.mediaType.test(mediaType))?.form ?? 'bytes';
}

function charsetOf(contentType: string | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  return charset === 'utf-8' || charset === 'utf8' ? undefined : charset;
}

/** A text by its charset; UTF-8 unless the content type names another. A byte-order mark is dropped. */
function decodeText(body: Buffer, charset?: string): string {
  if (charset !== undefined) return decodeCharset(body, charset);
  if (body.length > constants.MAX_STRING_LENGTH)
    throw new ServerError('body_too_large', `Input cannot be decoded as text: it has more than ${constants.MAX_STRING_LENGTH} bytes`);
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw new ServerError('bad_text', `Input cannot be decoded as UTF-8: ${firstBadByte(body)}`);
  const text = body.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
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

function decodeJson(body: Buffer, exactIntegers: boolean): unknown {
  if (body.length === 0) throw new ServerError('bad_json', 'POST body is empty. Expecting JSON.');
  const text = decodeText(body);
  try {
    return parseJson(text, exactIntegers && hasLongInteger(body));
  } catch (thrown) {
    if (thrown instanceof JsonSyntaxError) throw new ServerError('bad_json', `POST body could not be decoded as JSON: ${thrown.message}`);
    throw thrown;
  }
}

/** Every replacement character stands for a bad byte, but for those that the client sent. */
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

/** The query as an object: every value is JSON if it parses, else a string; a repeated key becomes a list (contract 1.5). */
export function decodeQuery(url: string, exactIntegers: boolean): Record<string, unknown> {
  const at = url.indexOf('?');
  const lists = Object.create(null) as Record<string, unknown[]>;
  if (at < 0) return lists;
  for (const [key, text] of new URLSearchParams(url.slice(at + 1))) {
    const value = decodeQueryValue(text, exactIntegers);
    const list = lists[key];
    if (list === undefined) lists[key] = [value];
    else list.push(value);
  }
  const result = lists as Record<string, unknown>;
  for (const key in lists) if (lists[key]?.length === 1) result[key] = lists[key][0];
  return result;
}

function decodeQueryValue(value: string, exactIntegers: boolean): unknown {
  try {
    return readJson(value, exactIntegers);
  } catch {
    return value;
  }
}

/** Whatever else goes wrong while a body is read is its own fault, too: no script has seen it yet. */
export function unreadable(thrown: unknown): ServerError {
  if (thrown instanceof ServerError) return thrown;
  return new ServerError('invalid_input', `The request cannot be read: ${excerpt(describeThrown(thrown))}`, { cause: thrown });
}
