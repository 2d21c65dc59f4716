import { bufferFrom, parse, stringify } from '../../guards/built-ins.ts';
import { stackOfThrown } from '../../guards/thrown.ts';
import type { RedactInfo } from '../../entry-script.ts';
import { type BareNumbers, bareNumbers } from '../../tensors/bare-numbers.ts';
import { MOST_COLLECTED_BYTES } from '../../ipc/limits.ts';
import type { RedactedBody, RedactHead } from '../../ipc/redaction.ts';
import type { ToHost } from '../../ipc/to-host.ts';

type Hook = (body: unknown, info: RedactInfo) => unknown;

/** Milliseconds for one body. Why a limit: host and worker hold its memory until the hook ends. */
const LIMIT_MS = 10_000;

/** Runs a script's redaction hook on bodies of requests that are over. */
export class RedactionHook {
  readonly #hook: Hook | undefined;
  readonly #toHost: ToHost;
  readonly #warn: (text: string) => void;
  readonly #limitMs: number;
  #warned = false;

  constructor(hook: Hook | undefined, toHost: ToHost, warn: (text: string) => void, limitMs = LIMIT_MS) {
    this.#hook = hook;
    this.#toHost = toHost;
    this.#warn = warn;
    this.#limitMs = limitMs;
  }

  /** @param number of the redaction @param bodies those that the head lists */
  async redact(number: number, { id, sides }: RedactHead, bodies: readonly Buffer[]): Promise<void> {
    const results: RedactedBody[] = [];
    for (const [at, { collection, contentType }] of sides.entries()) {
      const body = bodies[at];
      if (body !== undefined) results.push(await this.#one(body, { collection, contentType, id }));
    }
    this.#toHost.redacted(number, results);
  }

  /** Redacts one body. A failure keeps the body from being collected. */
  async #one(bytes: Buffer, info: RedactInfo): Promise<RedactedBody> {
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), this.#limitMs);
    try {
      const redacted = await Promise.race([this.#hook?.(decode(bytes, info.contentType), info), late.promise]);
      if (redacted === LATE) {
        this.#warnOnce(`redact() did not end within ${this.#limitMs} ms`);
        return 'hook_timeout';
      }
      if (redacted === undefined) return undefined;
      const [contentType, body] =
        redacted instanceof Uint8Array ? [info.contentType, bufferFrom(redacted)] : ['application/json', bufferFrom(stringify(redacted))];
      if (body.length > MOST_COLLECTED_BYTES)
        throw new RangeError(`expected at most ${MOST_COLLECTED_BYTES} bytes, got a body of ${body.length}`);
      return { contentType, body };
    } catch (thrown) {
      this.#warnOnce(`redact() failed: ${stackOfThrown(thrown)}`);
      return 'hook_failed';
    } finally {
      clearTimeout(timer);
    }
  }

  #warnOnce(problem: string): void {
    if (!this.#warned) this.#warn(`bodies that redact() fails on are not collected (logged once): ${problem}`);
    this.#warned = true;
  }
}

const LATE = Symbol('late');

/**
 * Parsed JSON where the body is JSON, also with Python's bare NaN, text where its content type is
 * text, else bytes.
 */
function decode(bytes: Buffer, contentType: string): unknown {
  const text = bytes.toString();
  try {
    return parse(text);
  } catch {
    const bare = bareNumbers(text);
    const value = bare && parsed(bare);
    if (value !== undefined) return value;
    return /^text\/|json|xml|urlencoded/i.test(contentType) ? text : bytes;
  }
}

function parsed({ json, restore }: BareNumbers): unknown {
  try {
    return restore(parse(json));
  } catch {
    return undefined;
  }
}
