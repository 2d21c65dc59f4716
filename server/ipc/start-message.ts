import type { Execution } from '../config/execution-provider.ts';
import { count, either, finite, flag, listOf, oneOf, optional, positive, recordOf, shape, text, type Check } from '../guards/checks.ts';
import { PROTOCOL_VERSION } from './kinds.ts';
import { versionedReader } from './message-reader.ts';

/** The first frame on a worker's pipe: everything that the worker needs to begin. */
export interface StartMessage {
  readonly entryScript: string;
  readonly noCode: boolean;
  readonly modelFile: string | undefined;
  readonly modelDir: string | undefined;
  /** Name of the served model in the Open Inference Protocol. */
  readonly modelName: string;
  /** Folders in which modules are found by name, besides node_modules. */
  readonly importPath: readonly string[];
  readonly concurrency: number;
  /** Nobody has set it: a script that blocks its thread may take 1. */
  readonly concurrencyIsDefault?: boolean | undefined;
  /** File that configures Python's logging; absent: there is none. */
  readonly loggingConfig?: string | undefined;
  readonly initTimeoutMs: number;
  /**
   * Decided once by the host: a replacement opens models as the first worker did, or not at all.
   */
  readonly execution: Execution;
  readonly intraOpThreads: number;
  readonly maxBatchSize: number | 'auto';
  readonly maxBatchDelayMs: number;
  /**
   * Whether models run before the first request. `failed`: not on made-up inputs, because a worker
   * ended on them.
   */
  readonly warmUp: 'on' | 'off' | 'failed';
  readonly nonFinite: 'string' | 'null' | 'error';
  /** Python's bare NaN and infinities in JSON bodies. */
  readonly jsonNan: 'accept' | 'refuse';
  /** Sizes of one symbolic name in a model's inputs. */
  readonly sharedSizes: 'check' | 'ignore';
  /** Largest answer, or chunk of a stream, in bytes. */
  readonly answerLimitBytes: number;
  readonly logLevel: string;
  /** Whether requests with a sampled `traceparent` are timed. */
  readonly tracing: boolean;
  /** Whether the worker keeps a sample for the deep check. */
  readonly deepCheck?: boolean | undefined;
  /** Undefined: nothing is collected. */
  readonly collection?: CollectionStart | undefined;
}

/** Settings of a script's collectors. */
export interface CollectionStart {
  /**
   * Share of the ids that are kept, by collection; `others` for those that are not named. 0: not
   * collected.
   */
  readonly rates: Readonly<Record<string, number>>;
  readonly others: number;
  /** Identity of v1 records. */
  readonly workspace: string;
  readonly endpoint: string;
  readonly modelVersions: Readonly<Record<string, string>>;
}

const collection = shape<CollectionStart>({
  rates: recordOf(finite),
  others: finite,
  workspace: text,
  endpoint: text,
  modelVersions: recordOf(text),
});

const start: Check<StartMessage> = shape<StartMessage>({
  entryScript: text,
  noCode: flag,
  modelFile: optional(text),
  modelDir: optional(text),
  modelName: text,
  importPath: listOf(text),
  concurrency: positive,
  concurrencyIsDefault: optional(flag),
  loggingConfig: optional(text),
  initTimeoutMs: count,
  execution: shape<Execution>({ provider: oneOf('cpu', 'cuda', 'tensorrt'), strict: flag }),
  intraOpThreads: count,
  maxBatchSize: either(oneOf('auto'), count),
  maxBatchDelayMs: finite,
  warmUp: oneOf('on', 'off', 'failed'),
  nonFinite: oneOf('string', 'null', 'error'),
  jsonNan: oneOf('accept', 'refuse'),
  sharedSizes: oneOf('check', 'ignore'),
  answerLimitBytes: count,
  logLevel: text,
  tracing: flag,
  deepCheck: optional(flag),
  collection: optional(collection),
});

/** The payload of a `start` frame. */
export function startText(message: StartMessage): string {
  return JSON.stringify({ version: PROTOCOL_VERSION, ...message });
}

/**
 * Reads it.
 * @returns an error where the host is of another version
 * @throws FrameError where the message has another form
 */
export const readStart = versionedReader('start', start);
