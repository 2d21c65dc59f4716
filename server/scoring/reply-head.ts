import { readPairText, ReplyFlag } from '../worker/protocol.ts';

/** Status, headers and run time of an answer. */
export interface ReplyHead {
  readonly status: number;
  readonly runFailed: boolean;
  /** Milliseconds of `run()`; undefined when it threw its answer. */
  readonly runMs: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
}

/** Of JSON that the worker's encoder has written; no other answer has this object. */
export const JSON_HEADERS: ReplyHead['headers'] = [['content-type', 'application/json']];

/** Reads the fixed part and the headers of a `reply` or `stream` frame: worker/protocol.ts. */
export function readHead(payload: Buffer): { head: ReplyHead; end: number } {
  const flags = payload.readUInt8(2);
  const ms = payload.readDoubleLE(3);
  const length = payload.readUInt32LE(11);
  const headers = (flags & ReplyFlag.json) !== 0 ? JSON_HEADERS : readPairText(payload.toString('utf8', 15, 15 + length));
  return {
    head: { status: payload.readUInt16LE(0), runFailed: (flags & ReplyFlag.runFailed) !== 0, runMs: ms < 0 ? undefined : ms, headers },
    end: 15 + length,
  };
}
