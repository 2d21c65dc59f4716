import type { IncomingHttpHeaders } from 'node:http';
import type { Caller, RouteAccess } from '../access/access.ts';
import type { Sender } from '../access/client-rates.ts';
import type { Capture } from '../collection/host/capture.ts';
import type { Protocol } from '../entry-script.ts';
import { answerable, type ServerError } from '../errors.ts';
import { JSON_HEADERS } from '../ipc/reply-head.ts';
import { contentTypeOf } from '../request/content-types.ts';
import { readIds, type RequestIds } from '../request/request-ids.ts';
import type { ScoreReply, Scoring, Served } from '../scoring/scorer-types.ts';
import type { Admission } from './admission.ts';
import { ClientDeadline, type ClientLimit } from './client-deadline.ts';
import type { ExchangeRoute, ExchangeServices } from './services.ts';

/**
 * Stages of a request: its body is read, a worker scores it, its answer is sent piece by piece. A
 * request that is not scored, or gets its answer as a whole, ends in an earlier stage.
 */
export type Stage = 'reading' | 'scoring' | 'answering';

/** The connection of a request, as the log shows it. */
interface Connection {
  readonly remoteAddress?: string | undefined;
}

/**
 * One request and its answer, over any protocol: ids, admission, scoring, capture, failure, log and
 * count. Each front door has a subclass, which reads a body and sends an answer by its protocol.
 */
export abstract class Exchange<Services extends ExchangeServices = ExchangeServices, Route extends ExchangeRoute = ExchangeRoute> {
  readonly route: Route;
  readonly ids: RequestIds;
  readonly startedAt = performance.now();
  /** Address of the other end, if the log or a rate needs it: one that has left has none. */
  readonly peer: string | undefined;
  /** Name of the client's certificate. Undefined if clients need none. */
  readonly certificate: string | undefined;
  failure: ServerError | undefined;
  reply: ScoreReply | undefined;
  scoring: Scoring | undefined;
  /** Undefined if the route is open, or everybody may call. */
  caller: Caller | undefined;
  /** False until the caller is known to be one who may call. */
  callerPassed = false;
  /** Beginning of the body as text, if telemetry sends inputs. */
  input: string | undefined;
  /** Undefined if the request is not collected. */
  capture: Capture | undefined;
  /** Number of the worker that had the request, if it failed there. */
  worker: number | undefined;
  bytesIn = 0;
  bytesOut = 0;
  protected readonly services: Services;
  #stage: Stage = 'reading';
  /** Undefined if the client has none. */
  #deadline: ClientDeadline | undefined;
  /**
   * The work of this stage. Why an object: with a new function in a field of each request, V8
   * (Node 24) keeps every request through the next scavenges. Measured: a third of all garbage was
   * promoted.
   */
  #work: { cancel(): void } | undefined;

  constructor(services: Services, route: Route, headers: IncomingHttpHeaders, connection: Connection | undefined) {
    this.services = services;
    this.route = route;
    this.peer = services.readsPeer ? connection?.remoteAddress : undefined;
    this.certificate = connection && services.clientCertificates?.nameOf(connection);
    this.ids = readIds(headers, services.sampler, services.idHeader);
    services.deprecations.check(headers, this.ids);
  }

  abstract readonly method: string;
  /** URL as the client sees it, for telemetry. */
  abstract readonly url: string;
  /** Path and query, for scripts and records. */
  abstract readonly target: string;
  /** Of HTTP. */
  abstract readonly protocolVersion: string;
  abstract readonly contentType: string | undefined;
  /** Name, value, name, value, ... as scripts and records get them: without credentials. */
  abstract readonly rawHeaders: readonly string[];
  /** Status of the answer in HTTP's numbers, for logs and metrics. */
  abstract readonly status: number;

  /** A header of the request that has one value. */
  abstract header(name: 'user-agent' | 'x-forwarded-for'): string | undefined;

  /**
   * How long the client waits for the answer; undefined if it does not say.
   * @throws ServerError bad_request
   */
  protected abstract clientLimit(): ClientLimit | undefined;
  /** Sends the reply of a worker. An error of it is the failure of the exchange. */
  protected abstract answerReply(reply: ScoreReply): void;
  /** Sends a failure, or breaks off an answer that has begun. */
  protected abstract answerFailure(error: ServerError): void;
  /** Breaks off the connection or stream. Never throws. */
  protected abstract abort(): void;
  /**
   * Text of the body, or of the query of a request without one, for telemetry. Undefined if the
   * protocol has no text.
   */
  protected abstract inputText(body: readonly Buffer[]): string | undefined;

  get stage(): Stage {
    return this.#stage;
  }

  /** What this request is asked for. */
  protected get access(): RouteAccess {
    return this.route.access;
  }

  /**
   * Checks a request on every route, before its route does, by its headers as they came.
   * @param next runs at once, or later if a token has to be verified first
   * @throws ServerError of the caller, the ids and the client's own limit, and what `next` throws
   */
  begin(sentHeaders: readonly string[], next: () => void): void {
    const caller = this.access === 'open' ? undefined : callerOf(this.services, sentHeaders, this.access, this);
    const verifies = caller instanceof Promise;
    this.callerPassed = !verifies;
    if (verifies) this.#verified(caller, next).catch((thrown: unknown) => this.fail(thrown));
    else this.caller = caller;
    if (this.ids.refusal !== undefined) throw this.ids.refusal;
    const limit = this.clientLimit();
    // The time until here counts, too.
    if (limit !== undefined) this.#deadline = new ClientDeadline(limit, this.startedAt, (error) => this.#expire(error));
    if (!verifies) next();
  }

  /**
   * Admits a request that is to be scored, before its body is read.
   * @param declared bytes that the body will have, as far as they are known
   * @throws ServerError not_ready, stopping, queue_full
   */
  admit(declared = 0): void {
    this.services.scorer.admit(0, declared);
  }

  /** Begins to collect the request, if it is sampled. */
  collect(): void {
    this.capture = this.services.collector?.capture(this.ids.id);
  }

  /**
   * The body is read from now on, or once the workers are ready.
   * @param work cancelled if the client leaves
   */
  startReading(work: { cancel(): void }): void {
    this.#work = work;
  }

  /**
   * Scores the body of an admitted request, and answers.
   * @param admission of the body; undefined if there is no body
   */
  score(protocol: Protocol, body: readonly Buffer[], bodyBytes: number, admission?: Admission): void {
    const { ids, services, contentType, rawHeaders } = this;
    if (services.sendsInput) this.input = this.inputText(body);
    this.capture?.received(contentType, rawHeaders, body, bodyBytes, parsesJson(protocol, services.scorer.served));
    admission?.handOver(bodyBytes);
    const scoring = services.scorer.score({
      protocol,
      method: this.method,
      url: this.target,
      contentType,
      id: ids.id,
      clientRequestId: ids.clientRequestId,
      traceId: ids.traceId,
      traceparent: ids.traceparent,
      rawHeaders: withTold(this.route, rawHeaders),
      body,
      bodyBytes,
      deadline: this.#deadline,
    });
    this.scoring = scoring;
    this.#work = scoring;
    this.#stage = 'scoring';
    scoring.reply
      .then((reply) => this.#replied(reply))
      .catch((thrown: unknown) => {
        this.worker = scoring.workerNumber;
        this.fail(thrown);
      });
  }

  /** The answer is sent piece by piece from now on. @param source cancelled if the client leaves */
  startAnswering(source: { cancel(): void }): void {
    this.#work = source;
    this.#stage = 'answering';
  }

  /** Runs a callback of this exchange. Its error is the failure of this exchange only. */
  guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** The exit of failures. The first one ends the reading of a body, and is sent. Never throws. */
  fail(thrown: unknown): void {
    if (this.failure !== undefined) return;
    this.endDeadline();
    try {
      const error = answerable(thrown);
      this.failure = error;
      this.services.failureLog.write(error, this.ids, this.worker);
      if (this.#stage === 'reading') this.cancel();
      this.answerFailure(error);
    } catch (second) {
      this.#logFault(second);
      this.abort();
    }
  }

  /** The client's own deadline ends: the answer has begun, or nobody waits for it any more. */
  protected endDeadline(): void {
    this.#deadline?.end();
  }

  /** Cancels the work of this stage. Never throws. */
  protected cancel(): void {
    try {
      this.#work?.cancel();
    } catch (thrown) {
      this.#logFault(thrown);
    }
  }

  /** Logs, counts and collects an ended exchange, each even if another throws. Never throws. */
  protected record(): void {
    this.endDeadline();
    try {
      try {
        if (this.route.counted) this.services.accessLog.write(this);
      } finally {
        this.capture?.end({ method: this.method, url: this.target, status: this.status });
      }
    } catch (thrown) {
      this.#logFault(thrown);
    }
  }

  async #verified(caller: Promise<Caller | undefined>, next: () => void): Promise<void> {
    this.caller = await caller;
    // The client may have left meanwhile.
    this.callerPassed = this.failure === undefined;
    if (this.callerPassed) next();
  }

  /** The client's own deadline has passed: it gets its answer, and its run is as if it had left. */
  #expire(error: ServerError): void {
    this.worker = this.scoring?.workerNumber;
    this.fail(error);
    this.cancel();
  }

  #replied(reply: ScoreReply): void {
    const { headers, body, status } = reply;
    // The client has its answer already.
    if (this.failure !== undefined) return Buffer.isBuffer(body) ? undefined : void body.destroy();
    this.endDeadline();
    this.reply = reply;
    this.capture?.answered(
      contentTypeOf(headers),
      headers,
      Buffer.isBuffer(body) ? body : undefined,
      headers === JSON_HEADERS && status === 200,
    );
    this.answerReply(reply);
  }

  /** Logs an error of an exchange that cannot be answered any more. */
  #logFault(thrown: unknown): void {
    this.services.failureLog.write(answerable(thrown), this.ids, this.worker);
  }
}

/** The headers that a worker gets. */
function withTold({ told }: ExchangeRoute, rawHeaders: readonly string[]): readonly string[] {
  return told === undefined ? rawHeaders : [...told, ...rawHeaders];
}

/** True if a body of JSON is parsed before `run()` answers. */
function parsesJson(protocol: Protocol, served: Served | undefined): boolean {
  switch (protocol) {
    case 'score':
    case 'instances':
    case 'invocations':
    case 'azure-function':
      return served?.parsesJson === true;
    case 'open-inference':
    case 'open-inference-grpc':
      return false;
    default:
      return protocol satisfies never;
  }
}

/** Whoever sent a request, within the limit of the rate. Undefined if everybody may call. */
function callerOf(
  { access, rates }: ExchangeServices,
  sentHeaders: readonly string[],
  route: RouteAccess,
  sender: Sender,
): Caller | undefined | Promise<Caller | undefined> {
  return rates === undefined ? access?.check(sentHeaders, route) : rates.check(access, sentHeaders, route, sender);
}
