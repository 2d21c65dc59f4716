import { ServerError } from '../../errors.ts';
import { decodeText } from '../../request/text.ts';
import { hasLongInteger, type JsonNan, JsonSyntaxError, parseJson } from './json.ts';

/**
 * The values of a body that has one a line. Empty lines count for nothing.
 * @throws ServerError bad_json that names the line; bad_text, body_too_large
 */
export function readJsonLines(body: Buffer, exactIntegers: boolean, jsonNan?: JsonNan): unknown[] {
  const text = decodeText(body);
  const exact = exactIntegers && hasLongInteger(body);
  const values: unknown[] = [];
  for (let from = 0, line = 1; from < text.length; line++) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    const json = text.slice(from, to).trim();
    if (json !== '') values.push(valueOf(json, line, exact, jsonNan));
    from = to + 1;
  }
  if (values.length === 0) throw new ServerError('bad_json', 'POST body is empty. Expecting JSON lines.');
  return values;
}

/** The lines of a text that are not empty. */
export function countLines(text: string): number {
  let count = 0;
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    if (to - from > 1 || /\S/.test(text.slice(from, to))) count++;
    from = to + 1;
  }
  return count;
}

function valueOf(json: string, line: number, exact: boolean, jsonNan: JsonNan | undefined): unknown {
  try {
    return parseJson(json, exact, jsonNan);
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown;
    const column = thrown.message.replace(/line 1 (column \d+) \(char \d+\)$/, `line ${line} $1`);
    throw new ServerError('bad_json', `POST body could not be decoded as JSON lines: ${column}`);
  }
}
