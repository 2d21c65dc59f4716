import type { RedactInfo } from '../entry-script.ts';
import type { FrameWriter } from '../frames.ts';
import { Kind, type RedactHead, type RedactedBody } from './protocol.ts';

type Hook = (body: unknown, info: RedactInfo) => unknown;

/** Runs a script's redaction hook on bodies of requests that are over. */
export class RedactionHook {
  readonly #hook: Hook | undefined;
  readonly #frames: FrameWriter;
  readonly #warn: (text: string) => void;
  #told = false;

  constructor(hook: Hook | undefined, frames: FrameWriter, warn: (text: string) => void) {
    this.#hook = hook;
    this.#frames = frames;
    this.#warn = warn;
  }

  /** @param payload of a `redact` frame */
  async redact(number: number, payload: Buffer): Promise<void> {
    let at = 4 + payload.readUInt32LE(0);
    const { id, sides } = JSON.parse(payload.toString('utf8', 4, at)) as RedactHead;
    const results: ({ contentType: string; body: Buffer } | undefined)[] = [];
    for (const { collection, contentType, bytes } of sides) {
      results.push(await this.#one(payload.subarray(at, at + bytes), { collection, contentType, id }));
      at += bytes;
    }
    const heads = results.map((result): RedactedBody | null =>
      result === undefined ? null : { contentType: result.contentType, bytes: result.body.length },
    );
    const head = JSON.stringify(heads);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(head));
    this.#frames.write(number, Kind.redacted, [length, head, ...results.flatMap((result) => (result === undefined ? [] : [result.body]))]);
  }

  /** What cannot be redacted is not collected. */
  async #one(bytes: Buffer, info: RedactInfo): Promise<{ contentType: string; body: Buffer } | undefined> {
    try {
      const redacted = await this.#hook?.(decode(bytes, info.contentType), info);
      if (redacted === undefined) return undefined;
      if (redacted instanceof Uint8Array) return { contentType: info.contentType, body: Buffer.from(redacted) };
      return { contentType: 'application/json', body: Buffer.from(JSON.stringify(redacted)) };
    } catch (thrown) {
      if (!this.#told) this.#warn(`redact() failed, and what it was given is not collected (told once): ${stackOf(thrown)}`);
      this.#told = true;
      return undefined;
    }
  }
}

/** JSON where it is JSON, text where it is text, else bytes. */
function decode(bytes: Buffer, contentType: string): unknown {
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch {
    return /^text\/|json|xml|urlencoded/i.test(contentType) ? text : bytes;
  }
}

const stackOf = (thrown: unknown): string => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
