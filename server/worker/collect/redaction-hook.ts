import { setImmediate as ownTurn } from 'node:timers/promises';
import { bufferFrom, parse, stringify } from '../../guards/built-ins.ts';
import { placeOfThrown } from '../../guards/thrown.ts';
import type { RedactInfo } from '../../entry-script.ts';
import { decodeText, textCharset, wholeCharacters } from '../../request/text.ts';
import { type BareNumbers, bareNumbers } from '../../tensors/bare-numbers.ts';
import { MOST_COLLECTED_BYTES, REDACT_LIMIT_MS } from '../../ipc/limits.ts';
import type { RedactedBody, RedactHead } from '../../ipc/redaction.ts';
import type { ToHost } from '../../ipc/to-host.ts';
import type { MarkRedaction } from './redaction-mark.ts';

type Hook = (body: unknown, info: RedactInfo) => unknown;

interface Surroundings {
  readonly toHost: ToHost;
  readonly warn: (text: string) => void;
  readonly mark: MarkRedaction;
}

/** Runs a script's redaction hook on bodies of requests that are over. */
export class RedactionHook {
  readonly #hook: Hook | undefined;
  readonly #around: Surroundings;
  readonly #limitMs: number;
  #begun = 0;
  #warned = false;

  /**
   * @param limitMs for the bodies of a request. The host has the same, for a hook that has the
   * thread
   */
  constructor(hook: Hook | undefined, around: Surroundings, limitMs = REDACT_LIMIT_MS) {
    this.#hook = hook;
    this.#around = around;
    this.#limitMs = limitMs;
  }

  /** @param number of the redaction @param bodies those that the head lists */
  async redact(number: number, { id, sides }: RedactHead, bodies: readonly Buffer[]): Promise<void> {
    const results: RedactedBody[] = [];
    await ownTurn();
    this.#begun++;
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), this.#limitMs);
    for (const [at, { collection, contentType }] of sides.entries()) {
      const body = bodies[at];
      if (at > 0) await ownTurn();
      if (body !== undefined) results.push(await this.#one(number, body, { collection, contentType, id }, late.promise));
    }
    clearTimeout(timer);
    this.#around.toHost.redacted(number, results);
  }

  /** Redacts one body. A failure keeps the body from being collected. */
  async #one(number: number, bytes: Buffer, info: RedactInfo, late: Promise<typeof LATE>): Promise<RedactedBody> {
    try {
      const body = decode(bytes, info.contentType);
      const returned = this.#marked(number, () => this.#hook?.(body, info));
      const redacted = await Promise.race([returned, late]);
      // Runs may wait for the same as the hook, and share the turn in which that came.
      if (returned !== redacted) await ownTurn();
      if (redacted !== LATE) return this.#marked(number, () => bodyOf(redacted, info.contentType));
      this.#warnOnce(`redact() did not end within ${this.#limitMs} ms`);
      return 'hook_timeout';
    } catch (thrown) {
      // The text of an error may quote the body, and lines of the log go further.
      this.#warnOnce(`redact() failed, the error's text is left out: ${placeOfThrown(thrown)}`);
      return 'hook_failed';
    }
  }

  /** Marks the time in which nothing but the script's code runs. */
  #marked<T>(number: number, call: () => T): T {
    const { mark } = this.#around;
    mark(this.#begun, number);
    try {
      return call();
    } finally {
      // Microtasks of the hook come first: it may await what is there already.
      queueMicrotask(() => process.nextTick(() => mark(this.#begun, 0)));
    }
  }

  #warnOnce(problem: string): void {
    if (!this.#warned) this.#around.warn(`bodies that redact() fails on are not collected (logged once): ${problem}`);
    this.#warned = true;
  }
}

const LATE = Symbol('late');

/**
 * What a hook has left of a body; undefined: nothing.
 * @throws what its own `toJSON()` throws; RangeError when it is too long
 */
function bodyOf(redacted: unknown, contentType: string): RedactedBody {
  if (redacted === undefined) return undefined;
  const bytes = redacted instanceof Uint8Array;
  const body = bufferFrom(bytes ? redacted : stringify(redacted));
  if (body.length > MOST_COLLECTED_BYTES)
    throw new RangeError(`expected at most ${MOST_COLLECTED_BYTES} bytes, got a body of ${body.length}`);
  return { contentType: bytes ? contentType : 'application/json', body };
}

/**
 * Parsed JSON where the body is JSON, also with Python's bare NaN, text where its content type is
 * text, else bytes. Text is decoded as for `run()`. Why: a hook that expects an object would take
 * the characters of a text for members.
 */
function decode(bytes: Buffer, contentType: string): unknown {
  const text = textOf(bytes, contentType);
  if (text === undefined) return bytes;
  try {
    return parse(text);
  } catch {
    const bare = bareNumbers(text);
    const value = bare && parsed(bare);
    if (value !== undefined) return value;
    return /^text\/|json|xml|urlencoded/i.test(contentType) ? text : bytes;
  }
}

/** Undefined: the bytes are no text. A stream may have ended within a character. */
function textOf(bytes: Buffer, contentType: string): string | undefined {
  const charset = textCharset(contentType);
  try {
    return decodeText(charset === undefined ? wholeCharacters(bytes) : bytes, charset);
  } catch {
    return undefined;
  }
}

function parsed({ json, restore }: BareNumbers): unknown {
  try {
    return restore(parse(json));
  } catch {
    return undefined;
  }
}
