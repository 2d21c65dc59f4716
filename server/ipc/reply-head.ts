/**
 * The head of `reply` and `stream` frames: u16 status | u8 flags | f64 milliseconds of `run()` |
 * u32 length, headers. Headers are text: names and values in turn, one a line.
 */
import { byteLength } from '../guards/built-ins.ts';
import { FrameError, readUint32, writeUint32 } from './frames.ts';
import { isStatus, type HeaderPairs, wrongHeaders } from './header-fields.ts';

/** Status, headers and run time of an answer. */
export interface ReplyHead {
  readonly status: number;
  readonly runFailed: boolean;
  /**
   * Milliseconds of `run()`; undefined when it threw its answer, or its script has replaced the
   * clock.
   */
  readonly runMs: number | undefined;
  readonly headers: HeaderPairs;
}

/** `json`: the only header is the content type of JSON, which is not sent. */
const ReplyFlag = { runFailed: 1, json: 2 } as const;

/** Fixed part, in bytes. */
export const REPLY_HEAD_BYTES = 15;

/** Headers of JSON that the worker's encoder has written; no other answer has this object. */
export const JSON_HEADERS: ReplyHead['headers'] = [['content-type', 'application/json']];

/** Text of the headers of an answer. */
export function pairText(headers: HeaderPairs): string {
  return headers.map(([name, value]) => `${name}\n${value}`).join('\n');
}

export function readPairText(text: string): [string, string][] {
  const lines = text.split('\n');
  return Array.from({ length: lines.length >> 1 }, (_, index) => [lines[2 * index] ?? '', lines[2 * index + 1] ?? '']);
}

/**
 * Writes the fixed part, which the frame's writer copies at once.
 * @param runMs negative: `run()` threw its answer
 * @param headers what `pairText` made; undefined: JSON
 */
export function writeReplyHead(into: Buffer, status: number, runMs: number, headers: string | undefined): void {
  into[0] = status;
  into[1] = status >>> 8;
  into[2] = (status >= 500 ? ReplyFlag.runFailed : 0) | (headers === undefined ? ReplyFlag.json : 0);
  into.writeDoubleLE(runMs, 3);
  writeUint32(into, 11, headers === undefined ? 0 : byteLength(headers));
}

/**
 * Reads a head.
 * @returns it, and where the body begins
 * @throws FrameError when the payload is too short, or HTTP cannot carry the status or a header
 */
export function readHead(payload: Buffer): { head: ReplyHead; end: number } {
  if (payload.length < REPLY_HEAD_BYTES) throw new FrameError(`a reply that is too short: ${payload.length} bytes`);
  const status = payload.readUInt16LE(0);
  if (!isStatus(status)) throw new FrameError(`a reply of status ${status}`);
  const flags = payload.readUInt8(2);
  const ms = payload.readDoubleLE(3);
  const end = REPLY_HEAD_BYTES + readUint32(payload, 11);
  if (end > payload.length) throw new FrameError(`a reply whose headers end beyond it: at ${end} of ${payload.length} bytes`);
  const headers = (flags & ReplyFlag.json) !== 0 ? JSON_HEADERS : readPairText(payload.toString('utf8', REPLY_HEAD_BYTES, end));
  const wrong = headers === JSON_HEADERS ? undefined : wrongHeaders(headers);
  if (wrong !== undefined) throw new FrameError(`a reply with ${wrong}`);
  return {
    head: { status, runFailed: (flags & ReplyFlag.runFailed) !== 0, runMs: ms >= 0 && ms < Infinity ? ms : undefined, headers },
    end,
  };
}
