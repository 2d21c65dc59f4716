/**
 * Messages of a worker whose payload is JSON: each type beside its check. Why they are checked: a
 * script shares the process with the worker's code, and may write to its pipe.
 */
import type { ClassLabels, TensorSpec } from '../entry-script.ts';
import { isErrorCode, type ErrorCode } from '../errors.ts';
import { isDtype } from '../tensors/dtypes.ts';
import {
  count,
  either,
  finite,
  flag,
  listOf,
  object,
  oneOf,
  optional,
  pattern,
  positive,
  shape,
  text,
  type Check,
} from '../guards/checks.ts';
import { PROTOCOL_VERSION } from './kinds.ts';
import { messageReader, versionedReader } from './message-reader.ts';
import { jsonText } from './message-text.ts';
import type { MetricDefinition, MetricsMessage, SeriesChange } from './metric-series.ts';
import { type ScriptSchemas, scriptSchemas } from './script-schemas.ts';

/** Whether concurrent calls of a model are merged, and why. */
export interface Batching {
  readonly merges: boolean;
  readonly reason: string;
  /** Node of the model's graph that decides. */
  readonly node?: string | undefined;
}

/** An output of a model's file that cannot be carried, and what it is in place of a tensor. */
export interface OmittedOutput {
  readonly name: string;
  readonly reason: string;
}

/** A model that a worker has opened. */
export interface ServedModel {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Execution provider that ONNX Runtime reports for the session. */
  readonly provider: string;
  readonly intraOpThreads: number;
  readonly ortVersion: string;
  readonly loadSeconds: number;
  /** Absent: none. */
  readonly omittedOutputs?: readonly OmittedOutput[] | undefined;
  readonly batching: Batching;
}

/** Sizes of an input. */
export interface InputSizes {
  readonly name: string;
  readonly dims: readonly number[];
}

/** `init()` and warm-up are done. */
export interface ReadyMessage {
  readonly rawHttp: boolean;
  /** A body of JSON is parsed before `run()`. */
  readonly parsesJson: boolean;
  /** The script exports a hook that redacts collected bodies. */
  readonly redacts: boolean;
  /** The script exports `close()`, so the worker may take longer to end. */
  readonly closes?: boolean | undefined;
  readonly concurrency: number;
  /**
   * Requests that may wait in its pipe besides those, while its runs are quick. Absent: none.
   */
  readonly ahead?: number | undefined;
  readonly models: readonly ServedModel[];
  /** Body of a request that this worker takes, for the description of the API and a terminal. */
  readonly example?: string | undefined;
  /** In place of a longer example: sizes of inputs that the model took as zeros. */
  readonly zeros?: readonly InputSizes[] | undefined;
  /** The worker has a sample for the deep check. */
  readonly checks?: boolean | undefined;
  /** Absent: the script declares nothing. */
  readonly schemas?: ScriptSchemas | undefined;
  /** The interpreter of the script, with its version; absent: that of the host. */
  readonly runtime?: string | undefined;
}

/** A worker begins to run a model on made-up inputs, or is done with that. */
export interface TryingMessage {
  /** Name of the model; absent: it is done. */
  readonly model?: string | undefined;
}

/** A failure by its code in the table of failures (errors.ts). */
export interface FailureMessage {
  readonly code: ErrorCode;
  readonly message: string;
}

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error';

/** A line for the log. */
export interface LogMessage {
  readonly level: LogLevelName;
  readonly msg: string;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** The line was longer. */
  readonly cut?: boolean | undefined;
  /**
   * Lines lost before this one, because they came too fast. An empty `msg` carries only this count.
   */
  readonly dropped?: number | undefined;
}

/** Times of a traced run and its inferences. */
export interface RunTimes {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  readonly inferences: readonly InferenceTimes[];
}

export interface InferenceTimes {
  readonly model: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  /** Rows of the whole inference, which may have served other requests, too. */
  readonly rows: number;
}

/** Calls of collectors that collected nothing. */
export interface NotCollected {
  readonly collection: string;
  readonly reason: 'sampled_out' | 'not_selected' | 'invalid_data' | 'too_many_collections';
  readonly count: number;
}

const metricName = pattern(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
const labelNames = listOf(pattern(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/));
/** Name of a collection. */
export const collectionName = pattern(/^[a-z0-9][a-z0-9_.-]{0,199}$/);
const ascending: Check<readonly number[]> = (value): value is readonly number[] =>
  listOf(finite)(value) && value.every((bound, at) => at === 0 || bound > (value[at - 1] ?? Infinity));
const labels = listOf(either(text, finite));
const classLabels: Check<ClassLabels> = either(labels, listOf(labels));
const tensors = listOf(
  shape<TensorSpec>({ name: text, type: isDtype, dims: listOf(either(text, finite)), classLabels: optional(classLabels) }),
);
const errorCode: Check<ErrorCode> = isErrorCode;

const failure = shape<FailureMessage>({ code: errorCode, message: text });
const log = shape<LogMessage>({
  level: oneOf('debug', 'info', 'warn', 'error'),
  msg: text,
  requestId: optional(text),
  traceId: optional(text),
  spanId: optional(text),
  fields: optional(object),
  cut: optional(flag),
  dropped: optional(count),
});
const inference = shape<InferenceTimes>({ model: text, at: finite, ms: finite, rows: finite });
const times = shape<RunTimes>({ at: finite, ms: finite, inferences: listOf(inference) });
const model = shape<ServedModel>({
  name: text,
  inputs: tensors,
  outputs: tensors,
  provider: text,
  intraOpThreads: finite,
  ortVersion: text,
  loadSeconds: finite,
  omittedOutputs: optional(listOf(shape<OmittedOutput>({ name: text, reason: text }))),
  batching: shape<Batching>({ merges: flag, reason: text, node: optional(text) }),
});
/** An example that is one line. */
export const exampleBody = pattern(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,8192}$/u);
const ready = shape<ReadyMessage>({
  rawHttp: flag,
  parsesJson: flag,
  redacts: flag,
  closes: optional(flag),
  concurrency: positive,
  ahead: optional(count),
  models: listOf(model),
  example: optional(exampleBody),
  zeros: optional(listOf(shape<InputSizes>({ name: text, dims: listOf(count) }))),
  checks: optional(flag),
  schemas: optional(scriptSchemas),
  runtime: optional(text),
});
const definition: Check<MetricDefinition> = either(
  shape<Omit<MetricDefinition, 'buckets'>>({ kind: oneOf('counter', 'gauge'), name: metricName, help: text, labels: labelNames }),
  shape<MetricDefinition>({ kind: oneOf('histogram'), name: metricName, help: text, labels: labelNames, buckets: ascending }),
);
const change = shape<SeriesChange>({ name: text, labels: listOf(text), value: finite, counts: optional(listOf(count)) });
const metrics = shape<MetricsMessage>({ defined: listOf(definition), changes: listOf(change) });
const notCollectedReason = oneOf('sampled_out', 'not_selected', 'invalid_data', 'too_many_collections');
const notCollected = listOf(shape<NotCollected>({ collection: collectionName, reason: notCollectedReason, count }));

/** The readers, by the form of the message. @throws FrameError that shows how the message begins */
export const messages = {
  failure: messageReader('failure', failure),
  log: messageReader('log', log),
  times: messageReader('times', times),
  metrics: messageReader('metrics', metrics),
  ready: versionedReader('ready', ready),
  loaded: messageReader('loaded', model),
  trying: messageReader('trying', shape<TryingMessage>({ model: optional(text) })),
  notCollected: messageReader('notCollected', notCollected),
};

/** The payload of a `ready` frame. */
export function readyText(message: ReadyMessage): string {
  return jsonText({ version: PROTOCOL_VERSION, ...message });
}
