/**
 * Bodies on their way to a script's redaction hook and back.
 *
 *   redact   = u32 length, JSON RedactHead | the bodies, one after the other
 *   redacted = u32 length, JSON array of Redaction | the bodies that are left
 */
import { byteLength, subarray } from '../guards/built-ins.ts';
import { count, either, listOf, oneOf, shape, text, type Check } from '../guards/checks.ts';
import { FrameError, writeUint32 } from './frames.ts';
import { lengthPrefixedEnd, messageReader } from './message-reader.ts';
import { jsonText } from './message-text.ts';

/** The bodies of one request. */
export interface RedactHead {
  /** The `x-request-id` of the request. */
  readonly id: string;
  readonly sides: readonly RedactSide[];
}

interface RedactSide {
  readonly collection: 'request' | 'response';
  readonly contentType: string;
  readonly bytes: number;
}

interface KeptBody {
  readonly contentType: string;
  readonly bytes: number;
}

/** A body of a request that is over, before a script's hook redacts it. */
export interface RedactableBody {
  readonly collection: 'request' | 'response';
  readonly contentType: string;
  readonly body: readonly Buffer[];
}

/**
 * Why a body was not redacted, and so is not collected. `worker_lost`: twice while the hook had it.
 * `stopped`: the server stops.
 */
export const redactionFailures = ['hook_failed', 'hook_timeout', 'worker_lost', 'stopped'] as const;
export type RedactionFailure = (typeof redactionFailures)[number];

/** Result of a hook for one body, on the wire; null: nothing of the body may be kept. */
export type Redaction = KeptBody | RedactionFailure | null;

/** Result of a hook for one body; undefined: nothing of the body may be kept. */
export type RedactedBody = { readonly contentType: string; readonly body: Buffer } | RedactionFailure | undefined;

type Parts = (string | Uint8Array)[];

const side = shape<RedactSide>({ collection: oneOf('request', 'response'), contentType: text, bytes: count });
const readRedactHead = messageReader('redact', shape<RedactHead>({ id: text, sides: listOf(side) }));
const nothing: Check<null> = (value) => value === null;
const kept = shape<KeptBody>({ contentType: text, bytes: count });
const readRedactions = messageReader('redacted', listOf<Redaction>(either(nothing, oneOf('hook_failed', 'hook_timeout'), kept)));

/**
 * The parts of a `redact` frame. Bodies stay in the pieces that they came in. Why: to join 32 MiB
 * would stall the host.
 */
export function redactParts(head: RedactHead, bodies: readonly Uint8Array[]): Parts {
  return prefixed(JSON.stringify(head), bodies);
}

/**
 * Reads a `redact` frame.
 * @throws FrameError when the bodies are not those that the head announces
 */
export function readRedact(payload: Buffer): { readonly head: RedactHead; readonly bodies: readonly Buffer[] } {
  const bodiesAt = lengthPrefixedEnd(payload, 0, 'redact');
  const head = readRedactHead(subarray.call(payload, 4, bodiesAt));
  let at = bodiesAt;
  const bodies = head.sides.map(({ bytes }) => subarray.call(payload, at, (at += bytes)));
  if (at !== payload.length) throw new FrameError(`a message 'redact' of ${payload.length} bytes: expected ${at}`);
  return { head, bodies };
}

/** The parts of a `redacted` frame. */
export function redactedParts(results: readonly RedactedBody[]): Parts {
  const heads = results.map((result): Redaction =>
    typeof result === 'object' ? { contentType: result.contentType, bytes: result.body.length } : (result ?? null),
  );
  const bodies = results.flatMap((result) => (typeof result === 'object' ? [result.body] : []));
  return prefixed(jsonText(heads), bodies);
}

/**
 * Reads a `redacted` frame.
 * @param sides bodies that were asked for
 * @throws FrameError when others came
 */
export function readRedacted(payload: Buffer, sides: number): { readonly heads: readonly Redaction[]; readonly bodiesAt: number } {
  const bodiesAt = lengthPrefixedEnd(payload, 0, 'redacted');
  const heads = readRedactions(payload.subarray(4, bodiesAt));
  const bytes = heads.reduce((sum, head) => sum + (typeof head === 'object' && head !== null ? head.bytes : 0), bodiesAt);
  if (heads.length !== sides || bytes !== payload.length)
    throw new FrameError(`a message 'redacted' of ${heads.length} bodies and ${payload.length} bytes: expected ${sides} and ${bytes}`);
  return { heads, bodiesAt };
}

function prefixed(head: string, bodies: readonly Uint8Array[]): Parts {
  const length = new Uint8Array(4);
  writeUint32(length, 0, byteLength(head));
  return [length, head, ...bodies];
}
