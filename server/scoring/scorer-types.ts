import type { Readable } from 'node:stream';
import type { ServerError } from '../errors.ts';
import type { ScoringTimes } from '../telemetry/spans.ts';
import type { ScoreHead } from '../ipc/score-head.ts';
import type { ScriptSchemas } from '../ipc/script-schemas.ts';
import type { InputSizes, ServedModel } from '../ipc/worker-messages.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { BodySize } from './queue.ts';

export type { ServedModel };

/** One scoring request as it leaves a front door: bytes, ids and content type. */
export interface ScoreRequest extends ScoreHead {
  /** Name, value, name, value, ... as Node parsed them. */
  readonly rawHeaders: readonly string[];
  /**
   * The body, inflated, in the pieces in which it arrived. Its bytes were admitted with
   * `Scorer.admit`.
   */
  readonly body: readonly Buffer[];
  readonly bodyBytes: number;
  /** The client's own; undefined if it has none. Whoever has set it cancels the scoring. */
  readonly deadline?: { readonly passed: boolean; readonly error: ServerError } | undefined;
}

export interface ScoreReply {
  readonly status: number;
  /** Header pairs of the answer, content type included. A name may occur more than once. */
  readonly headers: readonly (readonly [string, string])[];
  /**
   * A Readable streams: it pauses the worker's iterator when not read; destroying it cancels the
   * run.
   */
  readonly body: Buffer | Readable;
  /** Milliseconds of `run()`; undefined when it did not return but threw its answer. */
  readonly runMs: number | undefined;
  /** Milliseconds between admission and dispatch to a worker. */
  readonly queueMs: number;
  readonly runFailed: boolean;
  /** Number of the worker that answered. */
  readonly worker: number;
}

/** A scoring request under way. */
export interface Scoring {
  /**
   * Rejects with a ServerError and nothing else. What a script throws as ScoringError is a reply
   * like any other.
   */
  readonly reply: Promise<ScoreReply>;
  /** Number of the worker that has, or had, the request. */
  readonly workerNumber: number | undefined;
  /** A worker has its run, also after the answer. */
  readonly held?: boolean;
  /** The times of its steps so far. */
  readonly times?: ScoringTimes;
  /**
   * The client has left: takes the request from the queue, or cancels its run. No effect once it is
   * over.
   */
  cancel(): void;
  /** Its time is over, as at its deadline: its worker ends where the run does not. */
  expire?(): void;
}

/** Facts that workers report when they become ready. */
export interface Served {
  readonly entryScript: string;
  readonly rawHttp: boolean;
  /** A body of JSON is parsed before `run()`. */
  readonly parsesJson: boolean;
  /** The script exports a hook that redacts collected bodies. */
  readonly redacts: boolean;
  readonly concurrency: number;
  /** The models opened before the worker was ready. */
  readonly models: readonly ServedModel[];
  /** Body of a request that a worker took, or would take. */
  readonly example?: string | undefined;
  /** In place of a longer example: sizes of inputs that the model took as zeros. */
  readonly zeros?: readonly InputSizes[] | undefined;
  /** Absent: the script declares nothing of its data. */
  readonly schemas?: ScriptSchemas | undefined;
  /** Workers have a sample for the deep check. */
  readonly checks?: boolean | undefined;
  /** True when the built-in script serves the model without code. */
  readonly noCode: boolean;
}

/** Takes requests from a front door to the workers, and answers back. */
export interface Scorer {
  /**
   * Checks that a request can be taken, and reserves `bytes` of its body, before the body is read.
   * @param declared bytes that will come: refused where there is no room for them now, but not
   * reserved
   * @throws ServerError not_ready, stopping, queue_full
   */
  admit(bytes: number, declared?: number): void;
  /**
   * Reserves room for more bytes of an admitted body.
   * @param size which room it may take; without it, all of it
   * @param held bytes that this request has reserved
   * @throws ServerError queue_full
   */
  grow(bytes: number, size?: BodySize, held?: number): void;
  /** Gives back the bytes of a body that will not be scored after all. */
  release(bytes: number): void;
  /** Queues an admitted request. Its bytes are released once a worker's pipe has taken them. */
  score(request: ScoreRequest): Scoring;
  /** Counts the bytes of answers that clients have not taken. */
  readonly answers: AnswerMemory;
  /** Undefined until the first worker is ready. */
  readonly served: Served | undefined;
  /** `run()` calls that all workers take at a time; 0 until one is ready. */
  readonly concurrency: number;
  /** A worker can take requests now. */
  readonly ready: boolean;
  /**
   * As `ready`, and also for 60 s while the only worker is being replaced: `/` is Azure's liveness
   * probe too.
   */
  readonly healthy: boolean;
}
