import type * as JsoncParser from 'jsonc-parser';
import { createRequire } from 'node:module';

/** Bad JSON; the message says what is wrong and where: `...: line 1 column 2 (char 1)`. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** The original: the worker wraps the global one to give authors a hint. */
const parse = JSON.parse;
/**
 * JSON.parse with positions in its errors.
 * @param exactIntegers whole numbers that a double cannot hold become bigint; several times slower, so ask hasLongInteger first
 * @throws JsonSyntaxError
 */
export function parseJson(text: string, exactIntegers: boolean): unknown {
  try {
    return exactIntegers ? parse(text, keepExact) : parse(text);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new JsonSyntaxError(`${withoutPosition(thrown.message)}: ${describePosition(text, positionOfError(text))}`);
  }
}

/**
 * True when there may be a whole number that a double does not hold. The digits of fractions, which most models send, must not lead
 * to the slow way. A loop over bytes: over the characters of a text, or with a regular expression, it takes several times as long.
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
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/** V8 gives a position for some errors and an excerpt of the text for others; ours is the same for all. */
function withoutPosition(message: string): string {
  return message
    .replace(/ \(line \d+ column \d+\)$/, '')
    .replace(/ in JSON at position \d+$| after JSON at position \d+$/, '')
    .replace(/, (?:\.\.\.)?".*" is not valid JSON$/s, '');
}

function positionOfError(text: string): number {
  // Loaded here: only bad input needs it. It finds the first error's offset, which V8 does not always tell.
  const { visit } = createRequire(import.meta.url)('jsonc-parser') as typeof JsoncParser;
  let position = text.length;
  visit(text, { onError: (_code, offset) => (position = Math.min(position, offset)) }, { disallowComments: true });
  return position;
}

function describePosition(text: string, position: number): string {
  const before = text.slice(0, position);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return `line ${line} column ${position - lineStart + 1} (char ${position})`;
}
