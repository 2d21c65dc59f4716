import type { FrameWriter } from './frames.ts';
import { collectParts } from './collected-rows.ts';
import type { HeaderPairs } from './header-fields.ts';
import { WorkerKind, type WorkerKindName } from './kinds.ts';
import { jsonText, logText, metricTexts } from './message-text.ts';
import type { MetricsMessage } from './metric-series.ts';
import { redactedParts, type RedactedBody } from './redaction.ts';
import { pairText, REPLY_HEAD_BYTES, writeReplyHead } from './reply-head.ts';
import {
  readyText,
  type FailureMessage,
  type LogMessage,
  type NotCollected,
  type ReadyMessage,
  type RunTimes,
  type ServedModel,
  type TryingMessage,
} from './worker-messages.ts';

/** Writes the frames of a worker: a method a kind. */
export class ToHost implements Readonly<Record<WorkerKindName, (...args: never[]) => unknown>> {
  readonly #frames: FrameWriter;
  /** Fixed part of `reply` and `stream` frames, which is copied at once. */
  readonly #head = Buffer.alloc(REPLY_HEAD_BYTES);

  constructor(frames: FrameWriter) {
    this.#frames = frames;
  }

  ready(message: ReadyMessage): void {
    this.#frames.write(0, WorkerKind.ready, [readyText(message)]);
  }

  startFailed(message: FailureMessage): void {
    this.#frames.write(0, WorkerKind.startFailed, [jsonText(message)]);
  }

  /** @param runMs negative: `run()` threw its answer @param headers undefined: JSON */
  reply(id: number, status: number, runMs: number, headers: HeaderPairs | undefined, body: readonly (string | Uint8Array)[]): void {
    const text = headers && pairText(headers);
    writeReplyHead(this.#head, status, runMs, text);
    this.#frames.write(id, WorkerKind.reply, [this.#head, text ?? '', ...body]);
  }

  failure(id: number, message: FailureMessage): void {
    this.#frames.write(id, WorkerKind.failure, [jsonText(message)]);
  }

  /** @param runMs as in `reply` */
  stream(id: number, status: number, runMs: number, headers: HeaderPairs): void {
    const text = pairText(headers);
    writeReplyHead(this.#head, status, runMs, text);
    this.#frames.write(id, WorkerKind.stream, [this.#head, text]);
  }

  chunk(id: number, bytes: Uint8Array): void {
    this.#frames.write(id, WorkerKind.chunk, [bytes]);
  }

  end(id: number): void {
    this.#frames.write(id, WorkerKind.end, []);
  }

  broken(id: number, message: FailureMessage): void {
    this.#frames.write(id, WorkerKind.broken, [jsonText(message)]);
  }

  /**
   * @param written called once the kernel has the line, with its length in characters.
   * @returns that length
   */
  log(message: LogMessage, written?: (characters: number) => void): number {
    const text = logText(message);
    this.#frames.write(0, WorkerKind.log, [text], written && (() => written(text.length)));
    return text.length;
  }

  cancelled(id: number): void {
    this.#frames.write(id, WorkerKind.cancelled, []);
  }

  returned(id: number): void {
    this.#frames.write(id, WorkerKind.returned, []);
  }

  /** In several frames where one would be too long. */
  metrics(message: MetricsMessage): void {
    for (const text of metricTexts(message)) this.#frames.write(0, WorkerKind.metrics, [text]);
  }

  times(id: number, times: RunTimes): void {
    this.#frames.write(id, WorkerKind.times, [jsonText(times)]);
  }

  /** @param head JSON text of a CollectHead @param rows JSON text */
  collect(collection: string, head: string, rows: string): void {
    this.#frames.write(0, WorkerKind.collect, collectParts(collection, head, rows));
  }

  notCollected(all: readonly NotCollected[]): void {
    this.#frames.write(0, WorkerKind.notCollected, [jsonText(all)]);
  }

  redacted(id: number, results: readonly RedactedBody[]): void {
    this.#frames.write(id, WorkerKind.redacted, redactedParts(results));
  }

  loaded(model: ServedModel): void {
    this.#frames.write(0, WorkerKind.loaded, [jsonText(model)]);
  }

  trying(message: TryingMessage): void {
    this.#frames.write(0, WorkerKind.trying, [jsonText(message)]);
  }
}
