import {
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  constants,
  createSecureServer,
  createServer,
} from 'node:http2';
import type { Certificates } from '../access/certificates.ts';
import type { HandshakeStage } from '../access/handshakes.ts';
import type { GrpcLimits } from './limits.ts';

/**
 * Native memory that Node may use for one connection. Beyond it new calls of the connection are
 * refused.
 */
const SESSION_MEGABYTES = 32;
/** Longest time between two checks for slow and idle clients. */
const SWEEP_MS = 1000;
/** How long a client without a session keeps its connection: during a drain, or without HTTP/2. */
const NO_SESSION_MS = 1000;

/** A call, as its connection sees it. */
interface Paced {
  /** Ends the call if its client is too slow. @param now `performance.now()` */
  checkPace(now: number): void;
}

/** Accepts a call that has begun, or refuses it and returns undefined. */
export type Accept = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => Paced | undefined;

/** The connections of the gRPC port and their open calls, within limits, on Node's own HTTP/2. */
export class Connections {
  readonly server: Http2Server | Http2SecureServer;
  readonly #limits: GrpcLimits;
  readonly #accept: Accept;
  readonly #connections = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  /** Undefined if the port speaks no TLS. */
  readonly #handshakes: HandshakeStage | undefined;
  #calls = 0;
  #closing = false;

  constructor(limits: GrpcLimits, accept: Accept, certificates?: Certificates) {
    this.#limits = limits;
    this.#accept = accept;
    const options = {
      maxSessionMemory: SESSION_MEGABYTES,
      settings: { maxConcurrentStreams: limits.callsOfConnection, maxHeaderListSize: limits.metadataBytes, enablePush: false },
    };
    if (certificates === undefined) this.server = createServer(options);
    else {
      const server = createSecureServer({ ...options, ...certificates.options, unknownProtocolTimeout: NO_SESSION_MS });
      this.#handshakes = certificates.attach(server);
      this.server = server;
    }
    this.server.maxConnections = limits.connections;
    this.server.on('session', (session: ServerHttp2Session) => this.#opened(session));
    // A client's error ends its own connection only.
    this.server.on('sessionError', ignore);
    const { uploadWindowMs, answerIdleMs, firstCallMs, connectionIdleMs } = limits;
    const period = Math.min(SWEEP_MS, uploadWindowMs, answerIdleMs, firstCallMs, connectionIdleMs);
    this.#timer = setInterval(() => this.#sweep(), period).unref();
  }

  /** Accepts no new calls; resolves when the open ones have ended. */
  close(): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => {
      const unfinished = setTimeout(() => this.#handshakes?.closePending(), NO_SESSION_MS);
      this.server.close(() => {
        clearTimeout(unfinished);
        resolve();
      });
      for (const { session } of this.#connections) session.close();
    });
  }

  /** Ends every connection now. */
  closeAll(): void {
    clearInterval(this.#timer);
    if (this.server.listening) this.server.close();
    this.#handshakes?.closePending();
    for (const { session } of this.#connections) session.destroy();
  }

  #opened(session: ServerHttp2Session): void {
    const connection = new Connection(session);
    // Its handshake was under way when the port was closed.
    if (this.#closing) session.close();
    this.#connections.add(connection);
    // Node's own listener handles errors of a session, but not those of its streams.
    session.on('close', () => this.#connections.delete(connection));
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      stream.on('error', ignore);
      if (this.#calls >= this.#limits.calls) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      const call = this.#accept(stream, headers, rawHeaders);
      if (call === undefined) return;
      this.#calls++;
      connection.began(call);
      stream.on('close', () => {
        this.#calls--;
        connection.ended(call);
      });
    });
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.checkPace(now, this.#limits);
  }
}

/** A connection and its open calls. */
class Connection {
  readonly session: ServerHttp2Session;
  /** In no order. */
  readonly #calls: Paced[] = [];
  /** True after the first call. */
  #used = false;
  /** When the last call ended; at first, when the connection was opened. */
  #idleSince = performance.now();

  constructor(session: ServerHttp2Session) {
    this.session = session;
  }

  began(call: Paced): void {
    this.#used = true;
    this.#calls.push(call);
  }

  ended(call: Paced): void {
    const at = this.#calls.indexOf(call);
    const last = this.#calls.pop();
    if (last !== undefined && last !== call) this.#calls[at] = last;
    this.#idleSince = performance.now();
  }

  checkPace(now: number, { firstCallMs, connectionIdleMs }: GrpcLimits): void {
    for (const call of this.#calls.slice()) call.checkPace(now);
    if (this.#calls.length > 0 || now - this.#idleSince <= (this.#used ? connectionIdleMs : firstCallMs)) return;
    // A client that ignores GOAWAY for a whole period does not read.
    if (this.session.closed) this.session.destroy();
    else this.session.close();
  }
}

const ignore = (): void => undefined;
