import { byteLength, parse, subarray } from '../guards/built-ins.ts';
import { asServerError, bounded, ScoringError, ServerError, stackOfThrown } from '../errors.ts';
import { FrameError, readUint32, writeUint32, type FrameWriter } from '../ipc/frames.ts';
import { isStatus } from '../ipc/header-fields.ts';
import { InFlight } from '../ipc/in-flight.ts';
import type { RunTimes } from '../ipc/run-times.ts';
import type { ScriptLog } from './script/console.ts';
import type { Codec, Serving } from './codecs/codec.ts';
import { checkSize } from './answer-limit.ts';
import { decode, ProtocolCodecs } from './codecs/protocol-codecs.ts';
import { encodeJson } from './codecs/encode-result.ts';
import type { LoadedScript } from './script/load-entry-script.ts';
import { jsonText } from './message-text.ts';
import { Kind, pairText, protocols, ReplyFlag, REPLY_HEAD_BYTES, SCORE_HEAD_BYTES, type FailureMessage } from '../ipc/protocol.ts';
import { WorkerRequest } from './request-context.ts';
import { isIterator, isResponse, responseParts, StreamSender, type Outcome } from './stream-result.ts';

/** Of a run that was cancelled before it began. */
const NOT_BEGUN: FailureMessage = {
  code: 'client_gone',
  message: 'Nobody waited for the answer any more when the run was about to begin.',
};

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
  readonly #codecs: ProtocolCodecs;
  readonly #active = new InFlight<Active>();
  /** Fixed part of `reply` and `stream` frames, which is copied at once. */
  readonly #replyHead = Buffer.alloc(REPLY_HEAD_BYTES);
  #warnedOfDoubleEncoding = false;

  constructor(script: LoadedScript, frames: FrameWriter, log: ScriptLog, serving: Serving) {
    this.#script = script;
    this.#frames = frames;
    this.#log = log;
    this.#serving = serving;
    this.#codecs = new ProtocolCodecs(script, serving);
  }

  /** @param payload of a `score` frame @throws FrameError when it is not one */
  score(id: number, payload: Buffer): void {
    const headEnd = payload.length < SCORE_HEAD_BYTES ? Infinity : SCORE_HEAD_BYTES + readUint32(payload, 1);
    if (headEnd > payload.length) throw new FrameError(`a request that is too short: ${payload.length} bytes`);
    const protocol = protocols[payload[0] ?? -1];
    if (protocol === undefined) throw new FrameError(`a request of the unknown protocol ${payload[0]}`);
    const request = new WorkerRequest(protocol, payload.toString('utf8', SCORE_HEAD_BYTES, headEnd));
    const active: Active = { request, codec: this.#codecs.get(request.protocol), stream: undefined };
    this.#active.add(id, active);
    // Settles every outcome itself.
    void this.#run(id, active, subarray.call(payload, headEnd) as Buffer);
  }

  /**
   * Nobody waits for this answer any more; the acknowledgement shows the host that this thread is not stuck.
   * @param dropped the run had not begun, and never will
   */
  cancel(id: number, dropped: boolean): void {
    this.#frames.write(id, Kind.cancelled, []);
    if (dropped) return this.#send(id, Kind.failure, NOT_BEGUN);
    const active = this.#active.get(id);
    active?.request.cancel();
    active?.stream?.cancel();
    return undefined;
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
      this.#frames.write(id, Kind.times, [jsonText(times)]);
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

  /** Whatever was thrown gets its answer: to look at it may throw, too. */
  async #fail(id: number, active: Active, thrown: unknown): Promise<void> {
    try {
      if (active.stream?.started !== true && (await this.#answerThrown(id, active, thrown))) return;
    } catch (broken) {
      thrown = broken;
    }
    this.#send(id, active.stream?.started === true ? Kind.broken : Kind.failure, failureOf(thrown));
  }

  /** A thrown ScoringError or Response is an answer. False: it is neither. */
  async #answerThrown(id: number, active: Active, thrown: unknown): Promise<boolean> {
    if (thrown instanceof ScoringError) {
      this.#reply(id, thrown.status, THREW, undefined, [active.codec?.failure(thrown.message) ?? thrown.message]);
      return true;
    }
    if (!isResponse(thrown)) return false;
    await this.#answerParts(id, active, await responseParts(thrown), THREW);
    return true;
  }

  /** @param headers undefined: JSON */
  #reply(id: number, status: number, runMs: number, headers: string | undefined, body: readonly (string | Uint8Array)[]): void {
    this.#frames.write(id, Kind.reply, [this.#head(status, runMs, headers), headers ?? '', ...body]);
  }

  /** Fixed part of a `reply` or `stream` frame, up to the texts of its headers. */
  #head(status: number, runMs: number, headers: string | undefined): Buffer {
    if (!isStatus(status)) throw new ServerError('result_not_http', `the answer has the status ${bounded(status)}: expected 200 to 599`);
    const head = this.#replyHead;
    head[0] = status;
    head[1] = status >>> 8;
    head[2] = (status >= 500 ? ReplyFlag.runFailed : 0) | (headers === undefined ? ReplyFlag.json : 0);
    head.writeDoubleLE(runMs, 3);
    writeUint32(head, 11, headers === undefined ? 0 : byteLength(headers));
    return head;
  }

  #send(id: number, kind: typeof Kind.failure | typeof Kind.broken, message: FailureMessage): void {
    this.#frames.write(id, kind, [jsonText(message)]);
  }

  #warnOfDoubleEncoding(result: unknown): void {
    if (this.#warnedOfDoubleEncoding || typeof result !== 'string' || !/^\s*[[{]/.test(result)) return;
    try {
      parse(result);
    } catch {
      return;
    }
    this.#warnedOfDoubleEncoding = true;
    this.#log.warn(
      'run() returned a string that is itself JSON: it is answered as a JSON string. Return the object, or a Response with a content type',
    );
  }
}

/** What the host needs to answer and to log: the client never sees the text of `run_failed`. Never throws. */
function failureOf(thrown: unknown): FailureMessage {
  try {
    const own = asServerError(thrown);
    if (own !== undefined) return own.code === 'run_failed' ? { code: own.code, message: stackOfThrown(own.cause ?? own) } : messageOf(own);
  } catch {
    // Not even its message can be read.
  }
  return { code: 'run_failed', message: stackOfThrown(thrown) };
}

/** A failure of this server's own, whose text a script may have changed. */
export function messageOf({ code, message }: ServerError): FailureMessage {
  return { code, message: bounded(message) };
}
