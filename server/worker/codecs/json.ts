import type * as JsoncParser from 'jsonc-parser';
import { createRequire } from 'node:module';
import { parse } from '../../guards/built-ins.ts';
import { isDeeper, MOST_LEVELS } from '../../guards/nesting.ts';
import { ServerError } from '../../errors.ts';
import { bareNumbers } from '../../tensors/bare-numbers.ts';

/** Bad JSON. The message names the error and its place: `...: line 1 column 2 (char 1)`. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** Most digits of an exact whole number, because the conversion takes more than linear time. */
const MOST_DIGITS = 1000;
/** Thrown to end the search for the position of an error. */
const FOUND = new Error('position found');

/** Python's bare NaN, Infinity and -Infinity. */
export type JsonNan = 'accept' | 'refuse';

/**
 * `readJson` with positions in its errors.
 * @param jsonNan `accept`: NaN is the number, an infinity a text (tensors/bare-numbers.ts)
 * @throws JsonSyntaxError
 * @throws ServerError bad_json
 */
export function parseJson(text: string, exactIntegers: boolean, jsonNan: JsonNan = 'refuse'): unknown {
  try {
    return readJson(text, exactIntegers);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    const bare = jsonNan === 'accept' ? bareNumbers(text) : undefined;
    if (bare !== undefined) return bare.restore(parseJson(bare.json, exactIntegers));
    const position = positionOfError(text);
    throw new JsonSyntaxError(`${withoutPosition(thrown.message)}${hintAt(text, position)}: ${describePosition(text, position)}`);
  }
}

/**
 * JSON.parse with limits.
 * @param exactIntegers whole numbers that a double cannot hold become bigint; several times slower,
 * so call hasLongInteger first
 * @throws SyntaxError as JSON.parse does
 * @throws ServerError bad_json for JSON that is nested deeper than 1000 levels, or has an exact
 * integer of more than 1000 digits
 */
export function readJson(text: string, exactIntegers: boolean): unknown {
  let value: unknown;
  try {
    value = exactIntegers ? parse(text, keepExact) : parse(text);
  } catch (thrown) {
    // JSON.parse alone does not recurse, but its calls of a function for each value do.
    throw thrown instanceof RangeError ? tooDeep() : thrown;
  }
  // A level takes two characters: most bodies are too short for the check.
  if (text.length > 2 * MOST_LEVELS && typeof value === 'object' && isDeeper(value, MOST_LEVELS)) throw tooDeep();
  return value;
}

function tooDeep(): ServerError {
  return new ServerError('bad_json', `POST body could not be decoded as JSON: arrays and objects are nested more than ${MOST_LEVELS} deep`);
}

/**
 * True if the text may hold a whole number that a double cannot hold. Digits of fractions, which
 * most clients send, do not count. A loop over bytes, because characters of a text or a regular
 * expression take several times as long.
 */
export function hasLongInteger(json: Uint8Array): boolean {
  let digits = 0;
  let fraction = false;
  for (let index = 0; index < json.length; index++) {
    const code = json[index] ?? 0;
    if (code >= 0x30 && code <= 0x39) {
      if (!fraction && ++digits === 16) return true;
    } else {
      fraction = code === 0x2e;
      digits = 0;
    }
  }
  return false;
}

function keepExact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
  const { source } = context;
  if (!/^-?\d+$/.test(source)) return value;
  if (source.length <= MOST_DIGITS) return BigInt(source);
  throw new ServerError(
    'bad_json',
    `POST body could not be decoded as JSON: expected whole numbers of at most ${MOST_DIGITS} digits, got one of ${source.length}`,
  );
}

/** Mistakes of clients that write JSON by hand or with Python, by the text at an error. */
const mistakes: readonly (readonly [at: RegExp, hint: (found: string) => string])[] = [
  [/^-?(?:nan|inf(?:inity)?)\b/i, (found) => `JSON has no ${found}: send "NaN", "Infinity" or "-Infinity" as a string, or null`],
  [/^(?:True|False)\b/, (found) => `JSON writes ${found.toLowerCase()}`],
  [/^(?:None|undefined)\b/, () => 'JSON writes null'],
  [/^'/, () => 'JSON puts strings and names in double quotes'],
  [/^[\p{L}_$][\p{L}\d_$]*\s*:/u, () => 'JSON puts names in double quotes'],
  [/^(?:\/[/*]|#)/, () => 'JSON has no comments'],
];
/** Characters around an error that are looked at. */
const LOOK = 100;

/** What to send instead, where the mistake is sure; else nothing. */
function hintAt(text: string, position: number): string {
  // A sign is an error at the character behind it.
  const from = text[position - 1] === '-' ? position - 1 : position;
  const rest = text.slice(from, from + LOOK);
  for (const [at, hint] of mistakes) {
    const found = at.exec(rest)?.[0];
    if (found !== undefined) return ` (${hint(found)})`;
  }
  const isTrailing = /^[\]}]/.test(rest) && /,\s*$/.test(text.slice(Math.max(0, position - LOOK), position));
  return isTrailing ? ' (JSON has no comma behind the last item)' : '';
}

/** V8's message without its position or excerpt, which only some errors have. */
function withoutPosition(message: string): string {
  return message
    .replace(/ \(line \d+ column \d+\)$/, '')
    .replace(/ in JSON at position \d+$| after JSON at position \d+$/, '')
    .replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, '');
}

/**
 * Position of the first error, which V8 does not always report.
 * @throws ServerError bad_json for an error below the deepest level
 */
function positionOfError(text: string): number {
  // Loaded here, because only bad input needs it.
  const { visit }: typeof JsoncParser = createRequire(import.meta.url)('jsonc-parser');
  let position = text.length;
  let level = 0;
  const deeper = (): void => {
    // The parser recurses, so its depth has a limit.
    if (++level > MOST_LEVELS) throw tooDeep();
  };
  const back = (): void => void level--;
  const onError = (_code: number, offset: number): never => {
    position = offset;
    throw FOUND;
  };
  try {
    visit(text, { onError, onObjectBegin: deeper, onArrayBegin: deeper, onObjectEnd: back, onArrayEnd: back }, { disallowComments: true });
  } catch (thrown) {
    if (thrown !== FOUND) throw thrown;
  }
  return position;
}

function describePosition(text: string, position: number): string {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', lineStart)) {
    line++;
    lineStart = at + 1;
  }
  return `line ${line} column ${position - lineStart + 1} (char ${position})`;
}
