import type { BlockList } from 'node:net';
import type { Config } from '../config/config.ts';
import { networksOf } from '../config/networks.ts';
import { failures, type ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { clientAddress } from '../request/client-address.ts';
import type { Metrics } from './metrics.ts';
import type { ExportedRequest, RequestExports } from './request-exports.ts';
import type { ScoringTimes } from './spans.ts';

/** A request that is over, as a front door reports it. */
interface Answered extends ExportedRequest {
  readonly route: ExportedRequest['route'] & { readonly unknown?: true };
  /** Path and query. */
  readonly target: string;
  /** Address of the other end of the connection, if the log shows clients. */
  readonly peer: string | undefined;
  readonly startedAt: number;
  readonly reply: (NonNullable<ExportedRequest['reply']> & { readonly worker: number; readonly queueMs: number }) | undefined;
  /** Undefined if the route is open, or everybody may call. */
  readonly caller?: { readonly kind: 'key' | 'token'; readonly name: string } | undefined;
  /** Name of the client's certificate. Undefined if clients need none. */
  readonly certificate?: string | undefined;
  /** Number of the worker that held the request, where it failed. */
  readonly worker: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** A header of the request. */
  header(name: 'user-agent' | 'x-forwarded-for'): string | undefined;
}

/** What the lines have beside their usual fields. */
export type AccessOptions = Pick<Config, 'accessLogFields' | 'trustedProxies'>;

/** Characters of a path or a user agent. */
const LONGEST_TEXT = 200;

/** Records each request when it is over: one log line, the request metrics, and the exports. */
export class AccessLog {
  readonly #log: Log | undefined;
  readonly #metrics: Metrics;
  readonly #exports: RequestExports | undefined;
  /** True if the lines have the address of the client. */
  readonly showsClient: boolean;
  readonly #showsUserAgent: boolean;
  readonly #proxies: BlockList;

  /**
   * @param log undefined: no lines
   * @param exports undefined: no telemetry leaves the process
   */
  constructor(log: Log | undefined, metrics: Metrics, exports?: RequestExports, options?: AccessOptions) {
    const { accessLogFields = [], trustedProxies = [] } = options ?? {};
    this.showsClient = log !== undefined && accessLogFields.includes('client');
    this.#showsUserAgent = accessLogFields.includes('user-agent');
    this.#proxies = networksOf(trustedProxies);
    this.#log = log;
    this.#metrics = metrics;
    this.#exports = exports;
  }

  write(answered: Answered): void {
    const ms = performance.now() - answered.startedAt;
    const { route, status, reply } = answered;
    this.#measure(answered, ms);
    // As in the Python server, a request that matches no route is not reported.
    if (route.unknown !== true) this.#exports?.write(answered, ms);
    if (this.#log === undefined) return;
    const line: Record<string, unknown> = {
      route: route.path,
      method: answered.method,
      status,
      ms: Math.round(ms * 1000) / 1000,
      requestId: answered.ids.id,
      traceId: answered.ids.traceId,
      worker: reply?.worker ?? answered.worker,
      bytesIn: answered.bytesIn,
      bytesOut: answered.bytesOut,
    };
    if (answered.caller !== undefined) line[answered.caller.kind] = answered.caller.name;
    if (answered.certificate !== undefined) line['certificate'] = answered.certificate;
    if (route.unknown === true) line['path'] = pathOf(answered.target);
    if (this.showsClient) line['client'] = clientAddress(answered.peer, answered.header('x-forwarded-for'), this.#proxies);
    if (this.#showsUserAgent) line['userAgent'] = answered.header('user-agent')?.slice(0, LONGEST_TEXT);
    this.#log.info(line, 'request');
  }

  #measure({ route, status, failure, reply, scoring, callerPassed }: Answered, ms: number): void {
    const metrics = this.#metrics;
    metrics.answered(route.path, status);
    if (route.scores !== true) return;
    // Refused callers are no load, and would make the durations look better than they are.
    if (failure !== undefined && !callerPassed) return metrics.failed(failure);
    metrics.requestDuration.observe(ms / 1000);
    if (failure !== undefined) metrics.failed(failure);
    if (reply?.runMs !== undefined) {
      metrics.queueDuration.observe(reply.queueMs / 1000);
      metrics.runDuration.observe(reply.runMs / 1000);
    } else if (scoring?.times !== undefined && failure?.code !== 'queue_full') this.#measureFailed(scoring.times, failure);
  }

  /**
   * A worker reports no duration of a run that failed. The time since it got the request stands for
   * it, because slow failures matter most.
   */
  #measureFailed({ admittedAt, queueMs }: ScoringTimes, failure: ServerError | undefined): void {
    const ms = performance.now() - admittedAt;
    this.#metrics.queueDuration.observe((queueMs ?? ms) / 1000);
    if (queueMs !== undefined && runBegan(failure)) this.#metrics.runDuration.observe((ms - queueMs) / 1000);
  }
}

/**
 * The path of a target, which may be a whole URL, a wrong one too: without query, user and
 * password.
 */
function pathOf(target: string): string {
  const path = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  return path === '' ? '/' : path.slice(0, LONGEST_TEXT);
}

/**
 * True where run() had begun: it threw an answer of its own, failed, or was cancelled. An error of
 * the client may come before run().
 */
function runBegan(failure: ServerError | undefined): boolean {
  if (failure === undefined || failure.code === 'client_gone' || failure.code === 'client_deadline') return true;
  return failures[failure.code].fault === 'user';
}
