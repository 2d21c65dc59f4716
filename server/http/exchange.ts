import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteAccess } from '../access/access.ts';
import { withoutCredentials } from '../access/credentials.ts';
import type { TlsOptions } from 'node:tls';
import { failures, ServerError } from '../errors.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { ClientLimit } from '../exchange/client-deadline.ts';
import type { ExchangeRoute, ExchangeServices } from '../exchange/services.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { queryJson } from '../request/query.ts';
import type { Held } from '../scoring/answer-memory.ts';
import type { ScoreReply } from '../scoring/scorer-types.ts';
import { bodyText } from '../telemetry/request-exports.ts';
import { type BrowserHeaders, HTTPS_ONLY } from './browser-headers.ts';
import type { Cors } from './cors.ts';
import { errorAnswer, type ErrorMember } from './error-reply.ts';
import { holdUnsent, kernelTook } from './held-answer.ts';
import type { PacedUpload, Pacing } from './pacing.ts';
import type { LastRequests } from './last-requests.ts';
import { PIECE_BYTES, PiecedAnswer } from './pieced-answer.ts';
import { sendReply } from './reply.ts';
import { requestTimeout } from './request-timeout.ts';

/** Services that all exchanges of one app share. */
export interface HttpServices extends ExchangeServices {
  readonly lifecycle: Lifecycle;
  /** Value of `x-ms-server-version`, or undefined if it is not sent. */
  readonly serverVersion: string | undefined;
  readonly cors: Cors;
  readonly browser: BrowserHeaders;
  /** Longest time in milliseconds for which a client may leave an answer unread. */
  readonly answerIdleMs: number;
  readonly pacing: Pacing;
  readonly last: LastRequests;
  /** Undefined if the port speaks plain HTTP. */
  readonly tls: TlsOptions | undefined;
}

export interface HttpRoute extends ExchangeRoute {
  /** Of the router, where it differs from the path. */
  readonly pattern?: string;
  /** True: the path is no pattern, and comes before all patterns (LiteralRoutes). */
  readonly literal?: true;
  /** The answer has CORS headers. */
  readonly cors: boolean;
  /** Member of an error's JSON that holds its message; `message` by default. */
  readonly errorMember?: ErrorMember;
  readonly handle: Handler;
}

/** Answers an exchange, now or later, or throws. */
export type Handler = (exchange: HttpExchange) => void;

/** Bytes of the longest body that is read to its end only to keep the connection. */
const LONGEST_IGNORED_BODY = 64 * 1024;
const LINGER_MS = 2000;
/**
 * A body up to here leaves as text behind its head, in one piece: two pieces cost more than the
 * copy. Latin-1 keeps every byte.
 */
const ONE_PIECE = 8 * 1024;

/** The beginning of a target that a client meant for a proxy: RFC 9112, section 3.2.2. */
const ABSOLUTE = /^https?:\/\/[^/?]*/i;

/**
 * An exchange over HTTP. Everything that leaves the server over HTTP leaves through `head`,
 * `send`, `answer` or `fail`.
 */
export class HttpExchange extends Exchange<HttpServices, HttpRoute> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded parts of the path that match the route's pattern. */
  readonly parameters: Readonly<Record<string, string>>;
  #allowedMethods: string | undefined;
  #pieces: PiecedAnswer | undefined;
  /** The bytes behind this request are no requests. */
  #ambiguous = false;

  constructor(
    services: HttpServices,
    route: HttpRoute,
    request: IncomingMessage,
    response: ServerResponse,
    parameters: Readonly<Record<string, string>> = {},
  ) {
    super(services, route, request.headers, request.socket);
    this.request = request;
    this.response = response;
    this.parameters = parameters;
    // Writing to a client that has left is no failure: 'close' reports the end.
    response.on('error', ignore);
    if (route.counted) response.on('close', () => this.#closed());
  }

  get method(): string {
    return this.request.method ?? '';
  }

  get url(): string {
    const { url = '/', headers } = this.request;
    return headers.host === undefined || ABSOLUTE.test(url) ? url : `${this.services.scheme}://${headers.host}${url}`;
  }

  get target(): string {
    const { url = '/' } = this.request;
    return url.startsWith('/') ? url : url.replace(ABSOLUTE, '');
  }

  get protocolVersion(): string {
    return this.request.httpVersion;
  }

  get contentType(): string | undefined {
    return this.request.headers['content-type'];
  }

  get rawHeaders(): readonly string[] {
    const { rawHeaders } = this.request;
    return this.services.access === undefined ? rawHeaders : withoutCredentials(rawHeaders);
  }

  /**
   * True for a CORS preflight where callers need a credential or have a limit. Browsers send it
   * without a credential, so that the server answers it itself.
   */
  get isOpenPreflight(): boolean {
    const { access, rates, cors } = this.services;
    return (access ?? rates) !== undefined && this.route.cors && cors.isPreflight(this.request);
  }

  get status(): number {
    const { response, failure } = this;
    return failure?.failure.status ?? (response.writableFinished ? response.statusCode : (failures.client_gone.status ?? 0));
  }

  override header(name: 'user-agent' | 'x-forwarded-for'): string | undefined {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  /**
   * Writes the head.
   * @param headers of this answer as name, value, name, value, ...; the common ones are added
   */
  head(status: number, headers: string[]): void {
    const { lifecycle, serverVersion, cors, scheme } = this.services;
    this.endDeadline();
    headers.push(...this.ids.headers);
    if (serverVersion !== undefined) headers.push('x-ms-server-version', serverVersion);
    if (this.route.cors) cors.append(this.request, headers);
    if (scheme === 'https') headers.push(...HTTPS_ONLY);
    if (lifecycle.state === 'draining' || !lifecycle.live || this.#closesEarly) {
      headers.push('Connection', 'close');
      this.services.last.end(this.request);
    }
    this.response.writeHead(status, headers);
  }

  /** Answers with what the server itself says: everything but a worker's reply. */
  answer(status: number, headers: string[], body: string | Buffer): void {
    headers.push(...this.services.browser.own(this.route.cors));
    this.send(status, headers, body);
  }

  /** Answers with a whole body, which a HEAD request does not get. */
  send(status: number, headers: string[], body: string | Buffer): void {
    if (this.response.destroyed) return;
    this.bytesOut = Buffer.byteLength(body);
    if (status >= 200 && status !== 204 && status !== 304) headers.push('Content-Length', String(this.bytesOut));
    this.head(status, headers);
    if (this.#closesEarly) this.#endLingering(body);
    else if (Buffer.isBuffer(body)) this.#endWith(body);
    else this.response.end(body);
    if (this.response.writableLength > 0 && !this.#takenSoon) this.holdUnsent();
  }

  #endWith(body: Buffer): void {
    const { response } = this;
    if (body.length <= ONE_PIECE) response.end(body.toString('latin1'), 'latin1');
    else if (body.length <= PIECE_BYTES || this.services.tls === undefined) response.end(body);
    else this.#pieces = new PiecedAnswer(response, body);
  }

  /** True if TLS only has not reported yet that a small answer has left. */
  get #takenSoon(): boolean {
    const { services, request, response, bytesOut } = this;
    return services.tls !== undefined && bytesOut <= ONE_PIECE && response.socket !== null && kernelTook(request);
  }

  /**
   * Counts the unsent bytes of the answer until the client has taken them or has left. A client
   * that never reads is disconnected.
   */
  holdUnsent(): Held {
    this.response.setTimeout(this.services.answerIdleMs);
    return holdUnsent(this.services.scorer.answers, this.request, this.response, this.#pieces);
  }

  /** Counts bytes of an answer that is not written yet, until they are released. */
  hold(bytes: number): Held {
    return this.services.scorer.answers.hold(bytes);
  }

  /** Refuses the method, and names the methods that the route takes. */
  refuseMethod(allowed: readonly string[], message = 'The method is not allowed for the requested URL.'): void {
    this.#allowedMethods = allowed.join(', ');
    this.fail(new ServerError('method_not_allowed', message));
  }

  /** Refuses a request that a proxy may read as another one, or as several. */
  refuseAmbiguous(reason: string): void {
    this.#ambiguous = true;
    this.fail(new ServerError('bad_request', reason));
  }

  protected override get access(): RouteAccess {
    return this.isOpenPreflight ? 'open' : this.route.access;
  }

  protected override clientLimit(): ClientLimit | undefined {
    return this.route.scores === true ? requestTimeout(this.request.headers) : undefined;
  }

  /** Begins to pace the body of the request. */
  pace(): PacedUpload {
    return this.services.pacing.pace(this.request);
  }

  protected override answerReply(reply: ScoreReply): void {
    sendReply(this, reply, this.services.cors);
  }

  /** After the head was sent, only a truncated answer can show the failure. */
  protected override answerFailure(error: ServerError): void {
    const { response } = this;
    const { status, headers, body } = errorAnswer(error, this.route.errorMember);
    if (error.code === 'unauthorized') headers.push(...this.#challenges);
    if (this.#allowedMethods !== undefined) headers.push('Allow', this.#allowedMethods);
    if (response.headersSent) response.destroy();
    else this.capture?.answered('application/json', [], Buffer.from(body));
    this.answer(status, headers, body);
  }

  protected override abort(): void {
    this.response.destroy();
  }

  /** A request without a body is shown by its query. */
  protected override inputText(body: readonly Buffer[]): string {
    if (body.length > 0) return bodyText(body, this.contentType ?? 'application/json');
    return queryJson(this.target) ?? '{}';
  }

  /**
   * Headers by which clients ask their user for a credential: RFC 9110, section 11.6.1. The page
   * /status takes text only, and gets no Basic: its browser would ask at each of its requests.
   */
  get #challenges(): string[] {
    const bearer = ['WWW-Authenticate', 'Bearer realm="scoring-server"'];
    if (this.route.access !== 'login' || this.request.headers.accept === 'text/plain') return bearer;
    return [...bearer, 'WWW-Authenticate', 'Basic realm="scoring-server", charset="UTF-8"'];
  }

  /** True if the answer ends the connection while bytes still come: of a long or slow upload. */
  get #closesEarly(): boolean {
    const { request, failure } = this;
    if (this.#ambiguous) return true;
    if (request.complete) return false;
    // A body that came too slowly may never end.
    if (failure?.code === 'client_deadline' || failure?.code === 'request_timeout') return true;
    return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > LONGEST_IGNORED_BODY;
  }

  /**
   * Ends later, because closing at once, with bytes unread, would reset the connection before the
   * client has read the answer.
   */
  #endLingering(body: string | Buffer): void {
    const { request, response } = this;
    const end = (): void => void response.end();
    const timer = setTimeout(end, LINGER_MS);
    response.on('close', () => clearTimeout(timer));
    response.write(body);
    const pace = this.pace();
    if (!this.#ambiguous) request.on('end', end);
    // A body that is still read would not flow.
    request.removeAllListeners('readable').on('data', (piece: Buffer) => pace.took(piece.length));
  }

  /** The client has left, unless a failure has closed the connection. */
  #left(): void {
    if (this.failure === undefined) {
      this.failure = new ServerError('client_gone', 'The client left before it had the whole answer.');
      this.services.failureLog.write(this.failure, this.ids, this.worker);
    }
    this.cancel();
  }

  #closed(): void {
    if (!this.response.writableFinished) this.#left();
    this.record();
    this.services.buffers.used(this.bytesIn + this.bytesOut);
  }
}

function ignore(): void {}
