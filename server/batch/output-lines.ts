import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import { isJson } from '../guards/json-check.ts';
import { contentTypeOf } from '../request/content-types.ts';
import type { ScoreReply } from '../scoring/scorer-types.ts';

const [NEWLINE, RETURN, SPACE] = [0x0a, 0x0d, 0x20];
/** Of an error that a script answers. */
const LONGEST_MESSAGE = 4096;
/** The code of an answer of a script with a status from 400 on: it has no row in the table. */
const SCRIPT_ANSWER = 'script_answer';

/** The line of an input, with its newline. */
export interface OutputLine {
  readonly bytes: Buffer;
  readonly failed: boolean;
}

/** The line of an input that failed. */
export function errorLine(input: string, { code, clientMessage, failure }: ServerError): OutputLine {
  return failed(input, { code, message: clientMessage, status: failure.status });
}

/**
 * The line of an answer. Its bytes are checked and not parsed: JSON stays as it is.
 * @param limit bytes of the largest answer
 * @throws ServerError answer_too_large, and what breaks off a stream
 */
export async function answerLine(input: string, { status, headers, body }: ScoreReply, limit: number): Promise<OutputLine> {
  const bytes = body instanceof Readable ? await collected(body, limit) : body;
  if (status >= 400) return failed(input, { code: SCRIPT_ANSWER, message: messageOf(bytes), status });
  const type = contentTypeOf(headers) ?? '';
  const start = `{"input":${JSON.stringify(input)},"output":`;
  if (bytes.length === 0) return done(Buffer.from(`${start}null}\n`));
  if (/^application\/(?:[^;]+\+)?json\b/i.test(type) && isJson(bytes))
    return done(Buffer.concat([Buffer.from(start), onOneLine(bytes), Buffer.from('}\n')]));
  const isText = isUtf8(bytes);
  const value = JSON.stringify(bytes.toString(isText ? 'utf8' : 'base64'));
  const encoding = isText ? '' : ',"encoding":"base64"';
  return done(Buffer.from(`${start}${value},"contentType":${JSON.stringify(type)}${encoding}}\n`));
}

const done = (bytes: Buffer): OutputLine => ({ bytes, failed: false });

const failed = (input: string, error: Readonly<Record<string, unknown>>): OutputLine => ({
  bytes: Buffer.from(`${JSON.stringify({ input, error })}\n`),
  failed: true,
});

/** @throws ServerError answer_too_large */
async function collected(stream: Readable, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > limit) throw new ServerError('answer_too_large', `the answer has more than ${limit} bytes (ANSWER_LIMIT_BYTES)`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** JSON has line breaks only between its tokens. */
function onOneLine(json: Buffer): Buffer {
  if (!json.includes(NEWLINE) && !json.includes(RETURN)) return json;
  const line = Buffer.from(json);
  for (const [at, byte] of line.entries()) if (byte === NEWLINE || byte === RETURN) line[at] = SPACE;
  return line;
}

/** The `message` of a small answer, else the beginning of its text. */
function messageOf(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, Math.min(bytes.length, LONGEST_MESSAGE));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string') return value.message;
  } catch {
    // It is no JSON, or too long for one.
  }
  return excerpt(text, LONGEST_MESSAGE);
}
