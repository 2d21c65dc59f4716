import { bufferFrom, byteLength, parse, stringify } from '../../guards/built-ins.ts';
import type { RedactInfo } from '../../entry-script.ts';
import { FrameError, readUint32, writeUint32, type FrameWriter } from '../../ipc/frames.ts';
import { stackOfThrown } from '../../guards/thrown.ts';
import { jsonText } from '../message-text.ts';
import { Kind, MOST_COLLECTED_BYTES, type RedactHead, type Redaction, type RedactionFailure } from '../../ipc/protocol.ts';

type Hook = (body: unknown, info: RedactInfo) => unknown;
type Result = { readonly contentType: string; readonly body: Buffer } | RedactionFailure | undefined;

/** A hook that takes longer is given up: what it holds is memory of host and worker. */
const LIMIT_MS = 10_000;

/** Runs a script's redaction hook on bodies of requests that are over. */
export class RedactionHook {
  readonly #hook: Hook | undefined;
  readonly #frames: FrameWriter;
  readonly #warn: (text: string) => void;
  readonly #limitMs: number;
  #told = false;

  constructor(hook: Hook | undefined, frames: FrameWriter, warn: (text: string) => void, limitMs = LIMIT_MS) {
    this.#hook = hook;
    this.#frames = frames;
    this.#warn = warn;
    this.#limitMs = limitMs;
  }

  /** @param payload of a `redact` frame @throws FrameError when it is not one */
  async redact(number: number, payload: Buffer): Promise<void> {
    let at = payload.length < 4 ? Infinity : 4 + readUint32(payload, 0);
    if (at > payload.length) throw new FrameError(`bodies to redact that are too short: ${payload.length} bytes`);
    const { id, sides } = parse(payload.toString('utf8', 4, at)) as RedactHead;
    const results: Result[] = [];
    for (const { collection, contentType, bytes } of sides) {
      results.push(await this.#one(payload.subarray(at, at + bytes), { collection, contentType, id }));
      at += bytes;
    }
    const heads = results.map((result): Redaction =>
      typeof result === 'object' ? { contentType: result.contentType, bytes: result.body.length } : (result ?? null),
    );
    const head = jsonText(heads);
    const length = new Uint8Array(4);
    writeUint32(length, 0, byteLength(head));
    this.#frames.write(number, Kind.redacted, [
      length,
      head,
      ...results.flatMap((result) => (typeof result === 'object' ? [result.body] : [])),
    ]);
  }

  /** What cannot be redacted is not collected. */
  async #one(bytes: Buffer, info: RedactInfo): Promise<Result> {
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), this.#limitMs);
    try {
      const redacted = await Promise.race([this.#hook?.(decode(bytes, info.contentType), info), late.promise]);
      if (redacted === LATE) {
        this.#tell(`redact() did not end within ${this.#limitMs} ms`);
        return 'hook_timeout';
      }
      if (redacted === undefined) return undefined;
      const [contentType, body] =
        redacted instanceof Uint8Array ? [info.contentType, bufferFrom(redacted)] : ['application/json', bufferFrom(stringify(redacted))];
      if (body.length > MOST_COLLECTED_BYTES)
        throw new RangeError(`expected at most ${MOST_COLLECTED_BYTES} bytes, got a body of ${body.length}`);
      return { contentType, body };
    } catch (thrown) {
      this.#tell(`redact() failed: ${stackOfThrown(thrown)}`);
      return 'hook_failed';
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(problem: string): void {
    if (!this.#told) this.#warn(`what redact() was given is not collected (told once): ${problem}`);
    this.#told = true;
  }
}

const LATE = Symbol('late');

/** JSON where it is JSON, text where it is text, else bytes. */
function decode(bytes: Buffer, contentType: string): unknown {
  const text = bytes.toString();
  try {
    return parse(text);
  } catch {
    return /^text\/|json|xml|urlencoded/i.test(contentType) ? text : bytes;
  }
}
