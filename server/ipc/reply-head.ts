import { FrameError, readUint32 } from './frames.ts';
import { isStatus, type HeaderPairs, wrongHeaders } from './header-fields.ts';
import { readPairText, ReplyFlag, REPLY_HEAD_BYTES } from './protocol.ts';

/** Status, headers and run time of an answer. */
export interface ReplyHead {
  readonly status: number;
  readonly runFailed: boolean;
  /** Milliseconds of `run()`; undefined when it threw its answer, or its script has replaced the clock. */
  readonly runMs: number | undefined;
  readonly headers: HeaderPairs;
}

/** Of JSON that the worker's encoder has written; no other answer has this object. */
export const JSON_HEADERS: ReplyHead['headers'] = [['content-type', 'application/json']];

/**
 * Reads the fixed part and the headers of a `reply` or `stream` frame: ipc/protocol.ts.
 * @throws FrameError when it is too short, or says what HTTP cannot carry
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
