/**
 * The payload of a `score` frame: u8 number of the protocol | u32 length, head | body. The head is
 * text, one field a line.
 */
import type { Protocol } from '../entry-script.ts';
import { FrameError, readUint32, writeUint32 } from './frames.ts';

/** `sample`: the worker scores its own sample, as a request on /score without a body. */
export type ScoredProtocol = Protocol | 'sample';

/** Numbers of the protocols on the wire. */
const numbers = {
  score: 0,
  'open-inference': 1,
  'open-inference-grpc': 2,
  sample: 3,
  instances: 4,
  invocations: 5,
  'azure-function': 6,
} as const satisfies Record<ScoredProtocol, number>;
const byNumber: { readonly [Name in ScoredProtocol as (typeof numbers)[Name]]: Name } = {
  0: 'score',
  1: 'open-inference',
  2: 'open-inference-grpc',
  3: 'sample',
  4: 'instances',
  5: 'invocations',
  6: 'azure-function',
};
const protocols = new Map<number | undefined, ScoredProtocol>(Object.values(byNumber).map((name) => [numbers[name], name]));

/** Fixed part of a `score` frame, in bytes. */
export const SCORE_HEAD_BYTES = 5;

/** Fields of a request that a worker gets, besides its headers and body. */
export interface ScoreHead {
  readonly protocol: ScoredProtocol;
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly id: string;
  readonly clientRequestId: string | undefined;
  readonly traceId: string;
  /** Of the request's span; undefined where the request belongs to no trace. */
  readonly traceparent?: string | undefined;
}

/** Lines of the head. Names and values of the request's headers follow, in turn. */
export const HeadLine = { method: 0, url: 1, contentType: 2, id: 3, clientRequestId: 4, traceId: 5, traceparent: 6, headers: 7 } as const;

/**
 * The head; absent fields are empty lines. HTTP/1.1 and HTTP/2 allow no line break in any of them.
 */
export function headText(head: ScoreHead, rawHeaders: readonly string[]): string {
  const { method, url, contentType = '', id, clientRequestId = '', traceId, traceparent = '' } = head;
  return `${method}\n${url}\n${contentType}\n${id}\n${clientRequestId}\n${traceId}\n${traceparent}\n${rawHeaders.join('\n')}`;
}

/**
 * Writes the fixed part, which the frame's writer copies at once.
 * @param bytes of the head's text
 */
export function writeScoreHead(into: Uint8Array, protocol: ScoredProtocol, bytes: number): void {
  into[0] = numbers[protocol];
  writeUint32(into, 1, bytes);
}

/** @throws FrameError for a number without a protocol */
export function protocolOf(payload: Uint8Array): ScoredProtocol {
  const protocol = protocols.get(payload[0]);
  if (protocol === undefined) throw new FrameError(`a request of protocol ${payload[0]}: expected 0 to ${protocols.size - 1}`);
  return protocol;
}

/** Where the head ends and the body begins. @throws FrameError when the payload ends earlier */
export function scoreHeadEnd(payload: Uint8Array): number {
  const end = payload.length < SCORE_HEAD_BYTES ? Infinity : SCORE_HEAD_BYTES + readUint32(payload, 1);
  if (end > payload.length) throw new FrameError(`a request that is too short: ${payload.length} bytes`);
  return end;
}
