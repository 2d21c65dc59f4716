import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Server, ServerOptions } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import type { Certificates } from '../access/certificates.ts';
import type { HandshakeStage } from '../access/handshakes.ts';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import { connectionLimit } from './connection-limit.ts';
import { hostInUrl } from '../guards/addresses.ts';
import { probeHalfClosed } from './half-closed.ts';
import { createServer } from './node-http.ts';
import { endWith, rawAnswer } from './parser-errors.ts';

const BACKLOG = 2048;
/**
 * How long clients in the accept queue and on idle connections may still send requests, once the
 * listener has stopped.
 */
const LAST_REQUESTS_MS = 1000;
/** Interval at which connections are closed that become idle during the drain. */
const SWEEP_MS = 100;
/** Longest wait for a turn of the event loop in which no connection is accepted. */
const LONGEST_ACCEPT_MS = 250;

const LONGEST_METHOD = 32;

/** The open ports. */
export interface Listening {
  /** The main port, then the health port and the metrics port if they are configured. */
  readonly ports: readonly number[];
  /**
   * Stops listening, serves open connections, and closes idle ones after a grace period. Resolves
   * when all have ended.
   */
  close(): Promise<void>;
  /** Ends every connection now. */
  closeAll(): void;
}

/** Options of every HTTP server of the process. */
export function serverOptions(config: Config): ServerOptions {
  return {
    // NODE_OPTIONS must not choose the parser that takes broken requests.
    insecureHTTPParser: false,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    headersTimeout: 30_000,
    // Bounds an upload that keeps the least rate of upload.ts. 100 MB in an hour is 28 KB/s.
    requestTimeout: 3_600_000,
    // app.ts refuses a request without Host, in JSON.
    requireHostHeader: false,
  };
}

/** The apps beside the main one. */
export interface OtherApps {
  /** Of METRICS_PORT, if it is set. */
  readonly metrics?: FastifyInstance | undefined;
  /** Main port and METRICS_PORT speak TLS, HEALTH_PORT does not, and has this app. */
  readonly tls?: { readonly certificates: Certificates; readonly probes: FastifyInstance } | undefined;
  /** Variable that chooses the main port, for advice. */
  readonly portVariable?: string | undefined;
}

/** A port that is to be opened. */
interface Wanted {
  readonly server: Server;
  readonly number: number;
  readonly option: string;
  /** For a port that the operator may not know of. */
  readonly why?: string;
}

/** Opens the ports. @throws ServerError listen_failed */
export async function listen(
  app: FastifyInstance,
  config: Config,
  { metrics, tls, portVariable = 'PORT' }: OtherApps = {},
): Promise<Listening> {
  await Promise.all([app.ready(), metrics?.ready(), tls?.probes.ready()]);
  const wanted: Wanted[] = [{ server: app.server, number: config.port, option: portVariable }];
  const health = { number: config.healthPort, option: 'HEALTH_PORT' };
  if (tls !== undefined) wanted.push({ ...health, server: tls.probes.server, why: ', the plain port of the probes beside TLS' });
  else if (config.separateHealthEndpoint) wanted.push({ ...health, server: healthServer(app, config) });
  if (metrics !== undefined) wanted.push({ server: metrics.server, number: config.metricsPort, option: 'METRICS_PORT' });
  const connections = connectionLimit();
  const ports: Port[] = [];
  try {
    for (const each of wanted) {
      const { server } = each;
      const port = new Port(server, isTls(server) ? tls?.certificates.attach(server, refusePlainHttp) : undefined);
      if (connections !== undefined) server.maxConnections = Math.ceil(connections / wanted.length);
      await port.open(config.host, each, ports);
      ports.push(port);
    }
  } catch (thrown) {
    await Promise.all(ports.map((port) => port.close()));
    throw thrown;
  }
  return {
    ports: ports.map((port) => port.number),
    close: async () => void (await Promise.all(ports.map((port) => port.close()))),
    closeAll: () => ports.forEach((port) => port.closeAll()),
  };
}

/** A second server with the same routes. */
function healthServer(app: FastifyInstance, config: Config): Server {
  const server = createServer(serverOptions(config), (request, response) => void app.server.emit('request', request, response));
  for (const event of ['checkContinue', 'checkExpectation', 'clientError', 'connect']) {
    server.on(event, (...parts: unknown[]) => app.server.emit(event, ...parts));
  }
  return server;
}

function isTls(server: object): server is TlsServer {
  return 'setSecureContext' in server;
}

/** Answers a request without TLS as far as it is certain that the client speaks HTTP. */
function refusePlainHttp(socket: Socket, bytes: Buffer): void {
  if (!/^[A-Z]+ \//.test(bytes.toString('latin1', 0, LONGEST_METHOD))) return void socket.destroy();
  endWith(socket, rawAnswer(new ServerError('bad_request', 'This port speaks TLS: use https://'), randomUUID()));
}

class Port {
  readonly #server: Server;
  /** Undefined if the port speaks no TLS. */
  readonly #handshakes: HandshakeStage | undefined;
  /** With TLS, those whose handshake is done. */
  readonly #sockets = new Set<Socket>();
  #accepted = 0;
  #closing: Promise<void> | undefined;

  constructor(server: Server, handshakes?: HandshakeStage) {
    this.#server = server;
    this.#handshakes = handshakes;
    // A client that has sent its request may close its side, and still gets its answer. Node drops
    // the headers beyond a count, which the size of the section bounds already.
    Object.assign(server, { httpAllowHalfOpen: true, maxHeadersCount: 0 });
    server.on('connection', () => this.#accepted++);
    server.on(handshakes === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      // Not before the handshake: there a client that closes its side has left.
      socket.allowHalfOpen = true;
      this.#sockets.add(socket);
      // Node removes its own listener if it hands the socket over (CONNECT).
      socket.on('error', ignore);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('end', () => probeHalfClosed(socket));
    });
  }

  get number(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @param others that are open */
  open(host: string, wanted: Wanted, others: readonly Port[]): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const own = others.some(({ number }) => number === wanted.number);
      server.once('error', (error) => reject(listenFailed(error, host, wanted, own)));
      server.listen({ host, port: wanted.number, backlog: BACKLOG }, () => {
        server.removeAllListeners('error');
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    let stopped = Number.POSITIVE_INFINITY;
    const sweep = setInterval(() => {
      if (performance.now() - stopped >= LAST_REQUESTS_MS) this.#closeIdle();
    }, SWEEP_MS);
    await new Promise<void>((resolve) => {
      this.#whenAccepted(() => {
        stopped = performance.now();
        // Uses the method of node:net, because that of node:http would close idle connections at
        // once.
        NetServer.prototype.close.call(this.#server, () => resolve());
      });
    });
    clearInterval(sweep);
    // Stops Node's checks at intervals.
    this.#server.close();
  }

  /**
   * Calls `stop` right after a turn of the event loop that found the accept queue empty. Why: the
   * kernel resets the connections in that queue when the listener closes. Such a turn comes soon,
   * because a queue of length 0 holds one connection. The kernel drops the packets of other
   * clients, which retry and are refused.
   */
  #whenAccepted(stop: () => void): void {
    // The handle is no part of Node's API. Without it more of the last connections are reset.
    const { _handle: handle } = this.#server as Server & { readonly _handle?: { listen?(backlog: number): number } | null };
    handle?.listen?.(0);
    const ends = performance.now() + LONGEST_ACCEPT_MS;
    let before = -1;
    const turn = (): void => {
      if (this.#accepted === before || performance.now() >= ends) return stop();
      before = this.#accepted;
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  #closeIdle(): void {
    this.#handshakes?.closePending();
    this.#server.closeIdleConnections();
    // Node counts a connection that has not sent anything yet as busy.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  closeAll(): void {
    this.#handshakes?.closePending();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** @param own another port of this server has the number */
function listenFailed(error: NodeJS.ErrnoException, host: string, { number, option, why = '' }: Wanted, own: boolean): ServerError {
  const advice: Record<string, string> = {
    EADDRINUSE: own
      ? `another port of this server has this number: choose another with ${option}`
      : `the port is in use: stop what listens there, or choose another with ${option}`,
    EACCES: `this user may not open the port: choose one above 1023 with ${option}`,
    EADDRNOTAVAIL: 'this machine has no such address: choose one of its own, or 0.0.0.0, with SCORING_HOST',
    EAFNOSUPPORT: 'this machine has no IPv6: choose 0.0.0.0 or another IPv4 address with SCORING_HOST',
    ENOTFOUND: 'no address has this name: choose an address, IPv6 without brackets, or another name with SCORING_HOST',
  };
  const reason = advice[error.code ?? ''] ?? `${describeThrown(error)}; check SCORING_HOST and ${option}`;
  return new ServerError('listen_failed', `cannot listen on ${hostInUrl(host)}:${number}${why}: ${reason}`, { cause: error });
}

function ignore(): void {}
