import { ScoringError, ServerError, toServerError } from '../errors.ts';
import type { FrameWriter } from '../frames.ts';
import { InFlight } from '../in-flight.ts';
import type { RunTimes } from '../run-times.ts';
import type { ScriptLog } from './console.ts';
import type { Codec, Serving } from './codec.ts';
import { checkSize } from './answer-limit.ts';
import { Codecs, decode } from './codecs.ts';
import { encodeJson } from './encode-result.ts';
import type { LoadedScript } from './load-entry-script.ts';
import { Kind, pairText, protocols, ReplyFlag, type FailureMessage } from './protocol.ts';
import { WorkerRequest } from './request-context.ts';
import { isIterator, isResponse, responseParts, StreamSender, type Outcome } from './stream-result.ts';

/** In place of the milliseconds of `run()`, which are told only when it returned (contract 1.2). */
const THREW = -1;

interface Active {
  readonly request: WorkerRequest;
  codec: Codec | undefined;
  stream: StreamSender | undefined;
}

/** Stop 5: decodes a request, awaits the script's `run()`, encodes what it answers. Many runs interleave. */
export class Runner {
  readonly #script: LoadedScript;
  readonly #frames: FrameWriter;
  readonly #log: ScriptLog;
  readonly #serving: Serving;
  readonly #codecs: Codecs;
  readonly #active = new InFlight<Active>();
  /** Fixed part of `reply` and `stream` frames, which is copied at once. */
  readonly #replyHead = Buffer.alloc(15);
  #warnedOfDoubleEncoding = false;

  constructor(script: LoadedScript, frames: FrameWriter, log: ScriptLog, serving: Serving) {
    this.#script = script;
    this.#frames = frames;
    this.#log = log;
    this.#serving = serving;
    this.#codecs = new Codecs(script, serving);
  }

  /** @param payload of a `score` frame */
  score(id: number, payload: Buffer): void {
    const headEnd = 5 + payload.readUInt32LE(1);
    const request = new WorkerRequest(protocols[payload.readUInt8(0)] ?? 'score', payload.toString('utf8', 5, headEnd));
    const active: Active = { request, codec: this.#codecs.get(request.protocol), stream: undefined };
    this.#active.add(id, active);
    // Settles every outcome itself; a rejection would be a fault of this server and ends the worker.
    void this.#run(id, active, payload.subarray(headEnd));
  }

  /** Nobody waits for this answer any more; the acknowledgement shows the host that this thread is not stuck. */
  cancel(id: number): void {
    this.#frames.write(id, Kind.cancelled, []);
    const active = this.#active.get(id);
    active?.request.cancel();
    active?.stream?.cancel();
  }

  credit(id: number, bytes: number): void {
    this.#active.get(id)?.stream?.credit(bytes);
  }

  async #run(id: number, active: Active, body: Buffer): Promise<void> {
    const { request } = active;
    let began = performance.now();
    try {
      const codec = (active.codec ??= await this.#codecs.load(request.protocol));
      const data = decode(codec, request, body);
      began = performance.now();
      const result = await this.#timed(id, request, began, data);
      await this.#answer(id, active, codec, result, performance.now() - began);
    } catch (thrown) {
      await this.#fail(id, active, thrown);
    } finally {
      this.#active.take(id);
    }
  }

  /** Runs the script, and tells of the time before the answer, where the request is traced. */
  #timed(id: number, request: WorkerRequest, began: number, data: unknown): unknown {
    const run = (): unknown => this.#log.within(request, () => this.#script.run(data, request));
    if (this.#serving.tracing !== true || !request.sampled) return run();
    request.inferences = [];
    const tell = (): void => {
      const times: RunTimes = { at: performance.timeOrigin + began, ms: performance.now() - began, inferences: request.inferences ?? [] };
      this.#frames.write(id, Kind.times, [JSON.stringify(times)]);
    };
    return (async () => run())().finally(tell);
  }

  async #answer(id: number, active: Active, codec: Codec, result: unknown, runMs: number): Promise<void> {
    if (isResponse(result)) {
      await this.#answerParts(id, active, await responseParts(result), runMs);
    } else if (isIterator(result)) {
      await this.#stream(id, active, { status: 200, headers: undefined, chunks: result }, runMs);
    } else {
      this.#warnOfDoubleEncoding(result);
      const { headers, parts } = codec.encode(active.request, result);
      checkSize(parts, this.#serving.answerLimitBytes);
      this.#reply(id, 200, runMs, headers && pairText(headers), parts);
    }
  }

  async #answerParts(id: number, active: Active, parts: Outcome, runMs: number): Promise<void> {
    if (parts.chunks !== undefined) return this.#stream(id, active, parts, runMs);
    checkSize([parts.body ?? ''], this.#serving.answerLimitBytes);
    this.#reply(id, parts.status, runMs, pairText(parts.headers ?? []), [parts.body ?? '']);
  }

  async #stream(id: number, active: Active, outcome: Outcome, runMs: number): Promise<void> {
    const { nonFinite, answerLimitBytes } = this.#serving;
    const sender = new StreamSender(this.#frames, id, (chunk) => encodeJson(chunk, nonFinite, answerLimitBytes), answerLimitBytes);
    active.stream = sender;
    if (active.request.cancelled) sender.cancel();
    await this.#log.within(active.request, () => sender.send(outcome, (headers) => this.#head(outcome.status, runMs, headers)));
  }

  async #fail(id: number, active: Active, thrown: unknown): Promise<void> {
    if (active.stream?.started === true) {
      this.#send(id, Kind.broken, failureOf(thrown));
    } else if (thrown instanceof ScoringError) {
      this.#reply(id, thrown.status, THREW, undefined, [active.codec?.failure(thrown.message) ?? thrown.message]);
    } else if (isResponse(thrown)) {
      try {
        await this.#answerParts(id, active, await responseParts(thrown), THREW);
      } catch (broken) {
        this.#send(id, Kind.failure, failureOf(broken));
      }
    } else {
      this.#send(id, Kind.failure, failureOf(thrown));
    }
  }

  /** @param headers undefined: JSON */
  #reply(id: number, status: number, runMs: number, headers: string | undefined, body: readonly (string | Uint8Array)[]): void {
    this.#frames.write(id, Kind.reply, [this.#head(status, runMs, headers), headers ?? '', ...body]);
  }

  /** Fixed part of a `reply` or `stream` frame, up to the texts of its headers. */
  #head(status: number, runMs: number, headers: string | undefined): Buffer {
    const head = this.#replyHead;
    head.writeUInt16LE(status, 0);
    head[2] = (status >= 500 ? ReplyFlag.runFailed : 0) | (headers === undefined ? ReplyFlag.json : 0);
    head.writeDoubleLE(runMs, 3);
    head.writeUInt32LE(headers === undefined ? 0 : Buffer.byteLength(headers), 11);
    return head;
  }

  #send(id: number, kind: typeof Kind.failure | typeof Kind.broken, message: FailureMessage): void {
    this.#frames.write(id, kind, [JSON.stringify(message)]);
  }

  #warnOfDoubleEncoding(result: unknown): void {
    if (this.#warnedOfDoubleEncoding || typeof result !== 'string' || !/^\s*[[{]/.test(result)) return;
    try {
      JSON.parse(result);
    } catch {
      return;
    }
    this.#warnedOfDoubleEncoding = true;
    this.#log.warn(
      'run() returned a string that is itself JSON: it is answered as a JSON string. Return the object, or a Response with a content type',
    );
  }
}

/** What the host needs to answer and to log: the client never sees the text of `run_failed`. */
function failureOf(thrown: unknown): FailureMessage {
  const error = toServerError(thrown, 'run_failed');
  if (thrown instanceof ServerError && error.code !== 'run_failed') return { code: error.code, message: error.message };
  const cause = thrown instanceof ServerError ? thrown.cause : thrown;
  return { code: 'run_failed', message: cause instanceof Error ? (cause.stack ?? error.message) : error.message };
}
