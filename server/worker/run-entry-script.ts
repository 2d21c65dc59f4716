import { withoutKeys } from '../guards/addresses.ts';
import { bufferFrom, subarray } from '../guards/built-ins.ts';
import { asServerError, bounded, ScoringError, ServerError, stackOfThrown } from '../errors.ts';
import type { Protocol } from '../entry-script.ts';
import { LARGE } from '../ipc/frames.ts';
import { isStatus, type HeaderPairs } from '../ipc/header-fields.ts';
import { InFlight } from '../ipc/in-flight.ts';
import { JSON_HEADERS } from '../ipc/reply-head.ts';
import { protocolOf, scoreHeadEnd, SCORE_HEAD_BYTES } from '../ipc/score-head.ts';
import type { ToHost } from '../ipc/to-host.ts';
import type { FailureMessage } from '../ipc/worker-messages.ts';
import type { Codec, HttpAnswer, Serving } from './codecs/codec.ts';
import { checkSize } from './answer-limit.ts';
import { type ChunkSource, isStreamed, sourceOf } from './chunk-source.ts';
import { httpAnswer, wholeAnswer } from './whole-answer.ts';
import { decode, ProtocolCodecs } from './codecs/protocol-codecs.ts';
import { encodeJson } from './codecs/encode-result.ts';
import { refusalOf } from './codecs/web-request.ts';
import { isResponse, responseParts } from './outcome.ts';
import { stackWithAdvice } from './refused-access.ts';
import { WorkerRequest } from './request-context.ts';
import { ResultWarnings } from './result-warnings.ts';
import { fresh } from './sample.ts';
import type { LoadedScript } from './script/load-entry-script.ts';
import type { ScriptLog } from './script/script-log.ts';
import { type Beginning, StreamSender } from './stream-sender.ts';

/** The answer of a run that was cancelled before it began. */
const NOT_BEGUN: FailureMessage = {
  code: 'client_gone',
  message: 'Nobody waited for the answer any more when the run was about to begin.',
};

/**
 * In place of the milliseconds of `run()`. Why: the contract has them only where it returned
 * (docs/http-api.md).
 */
const THREW = -1;

interface Active {
  readonly request: WorkerRequest;
  codec: Codec | undefined;
  stream: StreamSender | undefined;
}

/**
 * Stop 5: decodes a request, awaits the script's `run()`, encodes its answer. Many runs interleave.
 */
export class Runner {
  readonly #script: LoadedScript;
  readonly #toHost: ToHost;
  readonly #log: ScriptLog;
  readonly #serving: Serving;
  readonly #codecs: ProtocolCodecs;
  readonly #active = new InFlight<Active>();
  readonly #warnings: ResultWarnings;

  constructor(script: LoadedScript, toHost: ToHost, log: ScriptLog, serving: Serving) {
    this.#script = script;
    this.#toHost = toHost;
    this.#log = log;
    this.#serving = serving;
    this.#codecs = new ProtocolCodecs(script, serving);
    this.#warnings = new ResultWarnings(log);
  }

  /** @param payload of a `score` frame @throws FrameError when it is not one */
  score(id: number, payload: Buffer): void {
    const headEnd = scoreHeadEnd(payload);
    const request = new WorkerRequest(protocolOf(payload), payload.toString('utf8', SCORE_HEAD_BYTES, headEnd));
    const active: Active = { request, codec: this.#codecs.get(request.protocol), stream: undefined };
    this.#active.add(id, active);
    // Settles every outcome itself.
    void this.#run(id, active, subarray.call(payload, headEnd));
  }

  /**
   * Cancels a run whose answer has no reader any more. The acknowledgement shows the host that this
   * thread is not stuck.
   * @param dropped the run has not begun, and never will
   */
  cancel(id: number, dropped: boolean): void {
    this.#toHost.cancelled(id);
    if (dropped) return this.#toHost.failure(id, NOT_BEGUN);
    const active = this.#active.get(id);
    if (active !== undefined) this.#log.within(active.request, () => cancelRun(active));
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
      const data = request.ofSample ? this.#sample() : checked(this.#script, request, decode(codec, request, body));
      began = performance.now();
      const returned = this.#timed(id, request, began, data);
      // What run() returns without an await is encoded before the next run begins, because scripts
      // fill one object again and again.
      const result = isThenable(returned) ? await returned : returned;
      await this.#answer(id, active, codec, result, performance.now() - began);
    } catch (thrown) {
      await this.#fail(id, active, thrown);
    } finally {
      request.over = true;
      this.#active.take(id);
    }
  }

  /** @throws ServerError internal where the host has asked a worker that has none */
  #sample(): unknown {
    const { sample } = this.#serving;
    if (sample === undefined) throw new ServerError('internal', 'this worker has no sample for the deep check');
    return fresh(sample);
  }

  /** Runs the script. The times of a traced request are sent before its answer. */
  #timed(id: number, request: WorkerRequest, began: number, data: unknown): unknown {
    const run = (): unknown => this.#log.within(request, () => this.#script.run(data, request.forScript));
    if (this.#serving.tracing !== true || !request.sampled) return run();
    request.inferences = [];
    const sendTimes = (): void => {
      const ms = performance.now() - began;
      this.#toHost.times(id, { at: performance.timeOrigin + began, ms, inferences: request.inferences ?? [] });
      // Later ones, of a stream or an interval, would only be kept.
      request.inferences = undefined;
    };
    let waits = false;
    try {
      const returned = run();
      waits = isThenable(returned);
      return waits ? Promise.resolve(returned).finally(sendTimes) : returned;
    } finally {
      if (!waits) sendTimes();
    }
  }

  async #answer(id: number, active: Active, codec: Codec, result: unknown, runMs: number): Promise<void> {
    if (isResponse(result)) {
      await this.#answerResponse(id, active, result, runMs);
    } else if (codec.wrap !== undefined && isStreamed(result)) {
      await this.#answerWhole(id, active, result, runMs);
    } else if (isStreamed(result)) {
      const sender = this.#senderOf(id, active, sourceOf(result));
      await this.#log.within(active.request, () => sender.sendItems(this.#beginning(id, 200, runMs)));
    } else {
      this.#warnings.look(active.request, result);
      const { headers, parts } = codec.encode(active.request, result);
      checkSize(parts, this.#serving.answerLimitBytes);
      this.#reply(id, 200, runMs, headers, headers === undefined ? parts : parts.map(owned));
    }
  }

  async #answerResponse(id: number, active: Active, response: Response, runMs: number): Promise<void> {
    if (active.codec?.wrap !== undefined) return this.#answerWhole(id, active, response, runMs);
    const { status, headers, body } = responseParts(response);
    if (typeof body === 'string') return this.#reply(id, status, runMs, headers, [body]);
    const sender = this.#senderOf(id, active, body.source);
    await this.#log.within(active.request, () => sender.sendBody(this.#beginning(id, status, runMs), headers, body.encoding));
  }

  /** Of a Response or an iterator, in a protocol that wraps answers. */
  async #answerWhole(id: number, active: Active, result: unknown, runMs: number): Promise<void> {
    const { answerLimitBytes } = this.#serving;
    try {
      const whole = await this.#log.within(active.request, () =>
        wholeAnswer(result, answerLimitBytes, (source, pieces) => this.#senderOf(id, active, source, pieces)),
      );
      this.#wrapped(id, active, whole, runMs);
    } finally {
      // Nothing has left yet.
      active.stream = undefined;
    }
  }

  /** Answers in the protocol's form. False: it has no other, and nothing is answered. */
  #wrapped(id: number, { codec, request }: Active, answer: HttpAnswer, runMs: number, onlyOther = false): boolean {
    const wrapped = codec?.wrap?.(request, answer);
    if (wrapped === undefined || (onlyOther && wrapped.status === answer.status)) return false;
    checkSize(wrapped.parts, this.#serving.answerLimitBytes);
    this.#reply(id, wrapped.status, runMs, wrapped.headers, wrapped.parts);
    return true;
  }

  /** A sender that is cancelled with its request, now or later. */
  #senderOf(id: number, active: Active, source: ChunkSource, to: Pick<ToHost, 'chunk' | 'end'> = this.#toHost): StreamSender {
    const { nonFinite, answerLimitBytes: limitBytes } = this.#serving;
    const encode = (chunk: unknown): string => encodeJson(chunk, nonFinite, limitBytes);
    const sender = new StreamSender(to, id, source, { encode, limitBytes });
    active.stream = sender;
    if (active.request.cancelled) this.#log.within(active.request, () => cancelRun(active));
    return sender;
  }

  #beginning(id: number, status: number, runMs: number): Beginning {
    return {
      stream: (headers) => this.#toHost.stream(id, sendable(status), runMs, headers),
      whole: (headers, body) => this.#reply(id, status, runMs, headers, [body]),
    };
  }

  /** Answers with the failure. Reading a thrown value may throw, too. */
  async #fail(id: number, active: Active, thrown: unknown): Promise<void> {
    try {
      if (active.stream?.started !== true && (await this.#answerThrown(id, active, thrown))) return;
    } catch (broken) {
      thrown = broken;
    }
    const failure = failureOf(thrown, this.#serving.inputs !== undefined);
    if (active.stream?.started === true) this.#toHost.broken(id, failure);
    else this.#toHost.failure(id, failure);
  }

  /** Answers with a thrown ScoringError or Response, or as the protocol has it. False: not yet. */
  async #answerThrown(id: number, active: Active, thrown: unknown): Promise<boolean> {
    if (thrown instanceof ScoringError) {
      const answer = active.codec?.failure(thrown.body ?? thrown.message) ?? thrown.message;
      if (thrown.cause !== undefined) this.#logCause(active.request, thrown);
      if (!this.#wrapped(id, active, { status: thrown.status, headers: JSON_HEADERS, body: answer }, THREW, true))
        this.#reply(id, thrown.status, THREW, undefined, [answer]);
      return true;
    }
    if (!isResponse(thrown)) {
      const refused =
        active.codec?.wrap === undefined || active.request.cancelled ? undefined : failureOf(thrown, this.#serving.inputs !== undefined);
      return refused !== undefined && this.#wrapped(id, active, httpAnswer(refused), THREW, true);
    }
    await this.#answerResponse(id, active, thrown, THREW);
    return true;
  }

  /** Logs a ScoringError for its cause, which no client reads. */
  #logCause(request: WorkerRequest, thrown: ScoringError): void {
    this.#log.within(request, () => this.#log.warn(`run() answered ${thrown.status} for a cause: ${withoutKeys(stackOfThrown(thrown))}`));
  }

  /** @param headers undefined: JSON */
  #reply(id: number, status: number, runMs: number, headers: HeaderPairs | undefined, body: readonly (string | Uint8Array)[]): void {
    this.#toHost.reply(id, sendable(status), runMs, headers, body);
  }
}

/** Protocols whose data has the form that a script declares; the others have tensors by name. */
const DECLARED: Readonly<Record<Protocol, boolean>> = {
  score: true,
  instances: true,
  invocations: true,
  'azure-function': true,
  'open-inference': false,
  'open-inference-grpc': false,
};

/** Data that fits what the script declares. @throws ServerError invalid_input */
function checked({ schemas }: LoadedScript, { protocol }: WorkerRequest, data: unknown): unknown {
  if (schemas?.checkInput !== undefined && DECLARED[protocol]) schemas.checkInput(data);
  return data;
}

function isThenable(value: unknown): boolean {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && 'then' in value;
}

/**
 * A part that nobody changes before it is written: frames refer to large parts (ipc/frames.ts), and
 * scripts fill one tensor again and again.
 */
function owned(part: string | Uint8Array): string | Uint8Array {
  return typeof part === 'string' || part.byteLength < LARGE ? part : bufferFrom(part);
}

/** Fires the signal of the request first, so that its listeners run before the source ends. */
function cancelRun({ request, stream }: Active): void {
  if (!request.cancelled) request.cancel();
  stream?.cancel(request.signal.reason);
}

/**
 * @throws ServerError result_not_http for a status that a script has changed to one that HTTP
 * cannot carry
 */
function sendable(status: number): number {
  if (!isStatus(status)) throw new ServerError('result_not_http', `the answer has the status ${bounded(status)}: expected 200 to 599`);
  return status;
}

/**
 * The failure that the host answers and logs. A failure without a status is that of a call which
 * belongs to `init()`, such as `openModel()`: it is the script's. The client never sees the text of
 * `run_failed`. Never throws.
 * @param noCode a model is served without code: its failures are told as such
 */
function failureOf(thrown: unknown, noCode: boolean): FailureMessage {
  try {
    const own = asServerError(thrown) ?? refusalOf(thrown);
    const ofModel = own?.code === 'input_refused' || own?.code === 'model_failed';
    // A script has made the input of its models.
    if (own?.code === 'run_failed' || (own !== undefined && ofModel && !noCode))
      return { code: 'run_failed', message: stackWithAdvice(own.cause ?? own) };
    if (own?.failure.status !== undefined) return messageOf(own);
  } catch {
    // Its message cannot be read either.
  }
  return { code: noCode ? 'internal' : 'run_failed', message: stackWithAdvice(thrown) };
}

/** A failure of this server. Its text is bounded, because a script may have changed it. */
export function messageOf({ code, message }: ServerError): FailureMessage {
  return { code, message: bounded(message) };
}
