import { FrameError } from '../ipc/frames.ts';
import type { MetricsMessage } from '../ipc/metric-series.ts';
import type { RunTimes } from '../ipc/run-times.ts';
import type { FailureMessage, LogMessage, NotCollected, ReadyMessage, ServedModel } from '../ipc/protocol.ts';
import { Kind } from '../ipc/protocol.ts';
import { readHead, type ReplyHead } from '../ipc/reply-head.ts';
import type { OutputEvents } from './worker-output.ts';
import { checkCollect, messages } from '../ipc/worker-messages.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why there was no process at all. */
  readonly notStarted?: string;
}

/** What a worker says of the requests that it was given. */
export interface AnswerEvents {
  reply(id: number, head: ReplyHead, body: Buffer): void;
  failure(id: number, message: FailureMessage): void;
  stream(id: number, head: ReplyHead): void;
  chunk(id: number, bytes: Buffer): void;
  end(id: number): void;
  broken(id: number, message: FailureMessage): void;
  /** When a traced run was; its answer follows. */
  times(id: number, times: RunTimes): void;
  /** A cancel was read: the worker's thread is not stuck. */
  cancelled(id: number): void;
  /** Rows of a script's collector, as the frame has them. */
  collect(payload: Buffer): void;
  notCollected(all: readonly NotCollected[]): void;
  redacted(id: number, payload: Buffer): void;
}

/** What a worker says, in the order in which it says it. */
export interface WorkerEvents extends AnswerEvents, OutputEvents {
  ready(message: ReadyMessage): void;
  startFailed(message: FailureMessage): void;
  loaded(model: ServedModel): void;
  metrics(message: MetricsMessage): void;
  /** What came over the pipe is not the protocol: nothing more is read, and the process has to be ended. */
  broke(why: string): void;
  exit(exit: Exit): void;
}

/** `WorkerEvents` as frames tell them. */
export interface FrameEvents extends Omit<WorkerEvents, 'log' | 'exit'> {
  /** @param bytes of the frame */
  log(message: LogMessage, bytes: number): void;
}

/**
 * Tells of one frame of a worker.
 * @throws FrameError when it is not one that workers send, or not what its kind says
 */
export function tell(events: FrameEvents, id: number, kind: number, payload: Buffer): void {
  switch (kind) {
    case Kind.reply: {
      const { head, end } = readHead(payload);
      return events.reply(id, head, payload.subarray(end));
    }
    case Kind.failure:
      return events.failure(id, messages.failure(payload));
    case Kind.stream:
      return events.stream(id, readHead(payload).head);
    case Kind.chunk:
      return events.chunk(id, payload);
    case Kind.end:
      return events.end(id);
    case Kind.broken:
      return events.broken(id, messages.failure(payload));
    case Kind.log:
      return events.log(messages.log(payload), payload.length);
    case Kind.times:
      return events.times(id, messages.times(payload));
    case Kind.metrics:
      return events.metrics(messages.metrics(payload));
    case Kind.ready:
      return events.ready(messages.ready(payload));
    case Kind.loaded:
      return events.loaded(messages.loaded(payload));
    case Kind.startFailed:
      return events.startFailed(messages.failure(payload));
    case Kind.cancelled:
      return events.cancelled(id);
    case Kind.collect:
      checkCollect(payload);
      return events.collect(payload);
    case Kind.notCollected:
      return events.notCollected(messages.notCollected(payload));
    case Kind.redacted:
      return events.redacted(id, payload);
    default:
      throw new FrameError(`a frame of kind ${kind}, which workers do not send`);
  }
}
