import {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  constants,
  createServer,
} from 'node:http2';
import type { GrpcLimits } from './limits.ts';

/** Bytes of one connection that Node keeps in native memory; beyond them its new calls are refused. */
const SESSION_MEGABYTES = 32;
/** How often clients are looked at that are slow or idle, at most. */
const SWEEP_MS = 1000;

/** Something that a client keeps open. */
interface Paced {
  /** Ends it where its client is too slow. @param now `performance.now()` */
  checkPace(now: number): void;
}

/** Takes a call that has begun. */
export type Accept = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => Paced | undefined;

/** The connections of the gRPC port and what is open on them, within limits: HTTP/2 as Node has it. */
export class Connections {
  readonly server: Http2Server;
  readonly #limits: GrpcLimits;
  readonly #accept: Accept;
  readonly #connections = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  #calls = 0;

  constructor(limits: GrpcLimits, accept: Accept) {
    this.#limits = limits;
    this.#accept = accept;
    this.server = createServer({
      maxSessionMemory: SESSION_MEGABYTES,
      settings: { maxConcurrentStreams: limits.callsOfConnection, maxHeaderListSize: limits.metadataBytes, enablePush: false },
    });
    this.server.maxConnections = limits.connections;
    this.server.on('session', (session: ServerHttp2Session) => this.#opened(session));
    // What a client does wrong ends its connection, and nothing else.
    this.server.on('sessionError', ignore);
    const { uploadWindowMs, answerIdleMs, firstCallMs, connectionIdleMs } = limits;
    const period = Math.min(SWEEP_MS, uploadWindowMs, answerIdleMs, firstCallMs, connectionIdleMs);
    this.#timer = setInterval(() => this.#sweep(), period).unref();
  }

  /** Takes no new calls; resolves when those that are under way have ended. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const { session } of this.#connections) session.close();
    });
  }

  /** Ends every connection now. */
  closeAll(): void {
    clearInterval(this.#timer);
    if (this.server.listening) this.server.close();
    for (const { session } of this.#connections) session.destroy();
  }

  #opened(session: ServerHttp2Session): void {
    const connection = new Connection(session);
    this.#connections.add(connection);
    // Node's own listener takes the errors of a session; those of its streams are ours.
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

/** A connection and the calls that are open on it. */
class Connection {
  readonly session: ServerHttp2Session;
  /** In no order. */
  readonly #calls: Paced[] = [];
  /** A call has been made. */
  #used = false;
  /** When the last call ended. */
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
    // Who has been told to go, and is still here, does not read.
    if (this.session.closed) this.session.destroy();
    else this.session.close();
  }
}

const ignore = (): void => undefined;
