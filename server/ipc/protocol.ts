/**
 * What host and worker say to each other over the socketpair on fd 3. Both sides import this file and nothing else of
 * each other. Numbers are little-endian; lengths are bytes; texts are UTF-8; nothing is specific to JavaScript.
 *
 * Framing (length, request id, kind, payload): ../frames.ts.
 *
 * The host checks each frame as it comes (ipc/worker-messages.ts): its length (an answer's limit and a head, for messages in
 * JSON `MOST_MESSAGE_BYTES`), its kind, its form. A frame that is wrong costs the worker that sent it: one line of the log says why,
 * the worker is killed and replaced, and what it held is answered with 503. A worker ends itself when a frame of the host is wrong.
 *
 * A worker handles the frames of one read in their order, but for `score`: a run begins after the read, so that a `cancel` behind it
 * is known. A run that was cancelled before it began is answered with `failure`, code `client_gone`.
 *
 * Fd 4 is a file of 8 bytes: an f64, the number of `score` frames that have begun, counted in the order of their arrival. The worker
 * writes it before it begins them. When a worker is lost, the host gives the frames beyond that number to another worker. A worker
 * that cannot write truncates the file: then any frame may have begun.
 */
import type { ErrorCode } from '../errors.ts';
import type { Protocol, TensorSpec } from '../entry-script.ts';
import type { Execution } from '../config/execution-provider.ts';

export const Kind = {
  /** host -> worker: JSON StartMessage, once. */
  start: 1,
  /** host -> worker: u8 index in `protocols` | u32 length, texts of `headText` | body. */
  score: 2,
  /** host -> worker: nobody waits for this answer any more. */
  cancel: 3,
  /** host -> worker: u32 bytes of a stream that the client's side has taken. */
  credit: 4,
  /** host -> worker: u32 length, JSON RedactHead | the bodies, one after the other. The id is the host's own. */
  redact: 5,
  /** worker -> host: JSON ReadyMessage: `init()` is done. */
  ready: 16,
  /** worker -> host: JSON FailureMessage: the worker cannot serve, and exits. */
  startFailed: 17,
  /** worker -> host: u16 status, 200 to 599 | u8 ReplyFlag | f64 milliseconds (negative: run() threw) | u32 length, texts of `pairText` | body. */
  reply: 18,
  /** worker -> host: JSON FailureMessage. */
  failure: 19,
  /** worker -> host: as `reply`, without a body: chunks follow. */
  stream: 20,
  chunk: 21,
  end: 22,
  /** worker -> host: the stream broke off. JSON FailureMessage. */
  broken: 23,
  /** worker -> host: JSON LogMessage. */
  log: 24,
  /** worker -> host: the cancel was read; the event loop is alive. */
  cancelled: 25,
  /** worker -> host: JSON MetricsMessage: what has been counted since the last one. */
  metrics: 26,
  /** worker -> host, before the answer of a request that is traced: JSON RunTimes. */
  times: 27,
  /** worker -> host: rows of a script's collector: u8 length, collection | u32 length, JSON CollectHead | JSON array of rows. */
  collect: 28,
  /** worker -> host: JSON array of NotCollected. */
  notCollected: 29,
  /** worker -> host: u32 length, JSON array of Redaction | the bodies. */
  redacted: 30,
  /** worker -> host: JSON ServedModel: a model was opened, before `ready` or later. */
  loaded: 31,
} as const;

export type Kind = (typeof Kind)[keyof typeof Kind];

/** `json`: the one header is the content type of JSON, and is not sent. */
export const ReplyFlag = { runFailed: 1, json: 2 } as const;

/** Longest payload that is JSON, both ways: metrics of a thousand series have some 100 KiB. Longer reports are sent in parts. */
export const MOST_MESSAGE_BYTES = 4 * 1024 * 1024;
/** What a frame may have besides an answer: its fixed part, and headers (../header-fields.ts). */
export const MOST_HEAD_BYTES = 1024 * 1024;
/** Longest rows of one call of a collector, and longest redacted body: what is longer is not collected. */
export const MOST_COLLECTED_BYTES = 32 * 1024 * 1024;
/** Fixed part of `reply` and `stream` frames. */
export const REPLY_HEAD_BYTES = 15;
/** Fixed part of `score` frames. */
export const SCORE_HEAD_BYTES = 5;

/** Bytes of a stream that may be under way before the worker waits for credit. */
export const STREAM_WINDOW = 256 * 1024;

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
  readonly initTimeoutMs: number;
  /** Decided once by the host: a replacement opens models as the first worker did, or not at all. */
  readonly execution: Execution;
  readonly intraOpThreads: number;
  readonly maxBatchSize: number | 'auto';
  readonly maxBatchDelayMs: number;
  readonly nonFinite: 'string' | 'null' | 'error';
  /** Largest answer, or chunk of a stream. */
  readonly answerLimitBytes: number;
  readonly logLevel: string;
  /** Whether requests with a sampled `traceparent` are timed. */
  readonly tracing: boolean;
  /** Undefined: nothing is collected. */
  readonly collection?: CollectionStart | undefined;
}

export const protocols: readonly Protocol[] = ['score', 'open-inference', 'open-inference-grpc'];

/** What a worker is told of a request, besides headers and body. */
export interface ScoreHead {
  readonly protocol: Protocol;
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly id: string;
  readonly clientRequestId: string | undefined;
  readonly traceId: string;
  /** Of the request's span, where it belongs to a trace. */
  readonly traceparent?: string | undefined;
}

/** Where the texts of a request stand in its head; names and values of its headers follow, in turn. */
export const HeadLine = { method: 0, url: 1, contentType: 2, id: 3, clientRequestId: 4, traceId: 5, traceparent: 6, headers: 7 } as const;

/** The head of a request, one text a line, empty where there is none. Neither HTTP/1.1 nor HTTP/2 allows line breaks in any of them. */
export function headText(head: ScoreHead, rawHeaders: readonly string[]): string {
  const { method, url, contentType = '', id, clientRequestId = '', traceId, traceparent = '' } = head;
  return `${method}\n${url}\n${contentType}\n${id}\n${clientRequestId}\n${traceId}\n${traceparent}\n${rawHeaders.join('\n')}`;
}

/** Headers of an answer, names and values in turn, one text a line. */
export function pairText(headers: readonly (readonly [string, string])[]): string {
  return headers.map(([name, value]) => `${name}\n${value}`).join('\n');
}

export function readPairText(text: string): [string, string][] {
  const lines = text.split('\n');
  return Array.from({ length: lines.length >> 1 }, (_, index) => [lines[2 * index] ?? '', lines[2 * index + 1] ?? '']);
}

/** A model that a worker has opened, as metadata and metrics tell it. */
export interface ServedModel {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** What really runs it. */
  readonly provider: string;
  readonly intraOpThreads: number;
  readonly ortVersion: string;
  readonly loadSeconds: number;
  /** Whether concurrent calls are merged, and why. */
  readonly batching: { readonly merges: boolean; readonly reason: string };
}

export interface ReadyMessage {
  readonly rawHttp: boolean;
  /** A body of JSON is parsed before `run()`. */
  readonly parsesJson: boolean;
  /** The script exports a hook that redacts what is collected. */
  readonly redacts: boolean;
  readonly concurrency: number;
  readonly models: readonly ServedModel[];
}

export interface FailureMessage {
  readonly code: ErrorCode;
  readonly message: string;
}

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error';

export interface LogMessage {
  readonly level: LogLevelName;
  readonly msg: string;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** The line was longer. */
  readonly cut?: boolean | undefined;
  /** Lines before this one that are lost: they came too fast. Where `msg` is empty this is all that is said. */
  readonly dropped?: number | undefined;
}

/** What a script's collectors need to know. */
export interface CollectionStart {
  /** Share of the ids that are kept, by collection; `others` for those that are not named. 0: not collected. */
  readonly rates: Readonly<Record<string, number>>;
  readonly others: number;
  /** Identity of v1 records. */
  readonly workspace: string;
  readonly endpoint: string;
  readonly modelVersions: Readonly<Record<string, string>>;
}

export interface NotCollected {
  readonly collection: string;
  readonly reason: 'sampled_out' | 'invalid_data';
  readonly count: number;
}

export interface RedactHead {
  readonly id: string;
  readonly sides: readonly { readonly collection: 'request' | 'response'; readonly contentType: string; readonly bytes: number }[];
}

interface RedactedBody {
  readonly contentType: string;
  readonly bytes: number;
}

/** Why a body was not redacted, and so is not collected: the hook threw, or did not end; its worker was lost twice, or the server stops. */
export type RedactionFailure = 'hook_failed' | 'hook_timeout' | 'worker_lost' | 'stopped';

/** What a hook made of a body; null: nothing of it may be kept. */
export type Redaction = RedactedBody | RedactionFailure | null;
