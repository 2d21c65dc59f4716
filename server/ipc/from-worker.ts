import { ServerError } from '../errors.ts';
import { checkCollect } from './collected-rows.ts';
import { FrameError } from './frames.ts';
import { WorkerKind } from './kinds.ts';
import type { MetricsMessage } from './metric-series.ts';
import { readHead, type ReplyHead } from './reply-head.ts';
import {
  messages,
  type FailureMessage,
  type LogMessage,
  type NotCollected,
  type ReadyMessage,
  type RunTimes,
  type ServedModel,
  type TryingMessage,
} from './worker-messages.ts';

/** Receives the frames of a worker in their order: a method a kind. */
export interface FromWorker {
  ready(message: ReadyMessage): void;
  /** The worker cannot serve, or is of another version. */
  startFailed(message: FailureMessage): void;
  loaded(model: ServedModel): void;
  /** From here on, or until here, the worker runs a model on made-up inputs. */
  trying(message: TryingMessage): void;
  reply(id: number, head: ReplyHead, body: Buffer): void;
  failure(id: number, message: FailureMessage): void;
  stream(id: number, head: ReplyHead): void;
  chunk(id: number, bytes: Buffer): void;
  end(id: number): void;
  broken(id: number, message: FailureMessage): void;
  /** Times of a traced run; its answer follows. */
  times(id: number, times: RunTimes): void;
  /** A cancel was read: the worker's thread is not stuck. */
  cancelled(id: number): void;
  /** A request that it has not begun, because another one takes long. */
  returned(id: number): void;
  /** @param bytes of the payload */
  log(message: LogMessage, bytes: number): void;
  metrics(message: MetricsMessage): void;
  /** Rows of a script's collector. @param payload checked: collected-rows.ts */
  collect(payload: Buffer): void;
  notCollected(all: readonly NotCollected[]): void;
  /**
   * @param payload not checked yet: `readRedacted` compares it with the bodies that were asked for
   */
  redacted(id: number, payload: Buffer): void;
}

type Read = (to: FromWorker, id: number, payload: Buffer) => void;

const readers: Readonly<Record<WorkerKind, Read>> = {
  [WorkerKind.ready]: (to, _id, payload) => {
    const message = messages.ready(payload);
    if (message instanceof ServerError) to.startFailed(message);
    else to.ready(message);
  },
  [WorkerKind.startFailed]: (to, _id, payload) => to.startFailed(messages.failure(payload)),
  [WorkerKind.reply]: (to, id, payload) => {
    const { head, end } = readHead(payload);
    to.reply(id, head, payload.subarray(end));
  },
  [WorkerKind.failure]: (to, id, payload) => to.failure(id, messages.failure(payload)),
  [WorkerKind.stream]: (to, id, payload) => to.stream(id, readHead(payload).head),
  [WorkerKind.chunk]: (to, id, payload) => to.chunk(id, payload),
  [WorkerKind.end]: (to, id) => to.end(id),
  [WorkerKind.broken]: (to, id, payload) => to.broken(id, messages.failure(payload)),
  [WorkerKind.log]: (to, _id, payload) => to.log(messages.log(payload), payload.length),
  [WorkerKind.cancelled]: (to, id) => to.cancelled(id),
  [WorkerKind.returned]: (to, id) => to.returned(id),
  [WorkerKind.metrics]: (to, _id, payload) => to.metrics(messages.metrics(payload)),
  [WorkerKind.times]: (to, id, payload) => to.times(id, messages.times(payload)),
  [WorkerKind.collect]: (to, _id, payload) => {
    checkCollect(payload);
    to.collect(payload);
  },
  [WorkerKind.notCollected]: (to, _id, payload) => to.notCollected(messages.notCollected(payload)),
  [WorkerKind.redacted]: (to, id, payload) => to.redacted(id, payload),
  [WorkerKind.loaded]: (to, _id, payload) => to.loaded(messages.loaded(payload)),
  [WorkerKind.trying]: (to, _id, payload) => to.trying(messages.trying(payload)),
};
const byNumber: Readonly<Record<number, Read | undefined>> = readers;

/**
 * Reads one frame of a worker.
 * @throws FrameError when workers send no such kind, or the payload is not one of its kind
 */
export function readFromWorker(to: FromWorker, id: number, kind: number, payload: Buffer): void {
  const read = byNumber[kind];
  if (read === undefined) throw new FrameError(`a frame of kind ${kind}, which workers do not send`);
  read(to, id, payload);
}
