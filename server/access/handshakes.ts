import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { FirstMessage } from './first-message.ts';
import { groupNumbers } from './tls-settings.ts';

/** Longest time until a client's first message is whole, and for the rest of the handshake. */
export const HANDSHAKE_MS = 10_000;
/**
 * Time of one turn of the event loop for new handshakes. Why: a signature of RSA takes up to a
 * millisecond, and Node would make those of all new connections before it answers a probe.
 */
const TURN_MS = 2;
const MOST_WAITING = 1024;
/**
 * Clients at a time that send a second first message. Why so few: it comes when they choose, out of
 * turn, and all of them may come at once. Nearly every client has a key that the server takes.
 */
const MOST_AGAIN = 8;

/** Why a handshake failed. */
export const handshakeFailures = ['not_tls', 'timeout', 'busy', 'refused'] as const;
export type HandshakeFailure = (typeof handshakeFailures)[number];

export interface HandshakeOptions {
  readonly failed: (reason: HandshakeFailure) => void;
  /** Ends the connection of a client that does not speak TLS. @param bytes what it sent first */
  readonly refuse?: (socket: Socket, bytes: Buffer) => void;
  /** Longest time until a client's first message is whole. */
  readonly limitMs?: number;
  /** Clients whose handshake may wait for its turn. */
  readonly waiting?: number;
}

/**
 * The stage before the TLS of a server. A connection gets there once the first message of its
 * client is whole, in its turn. So silent, slow and wrong clients cost no TLS, and a flood of
 * handshakes does not hold the event loop.
 */
export class HandshakeStage {
  readonly #begin: (socket: Socket) => void;
  readonly #options: HandshakeOptions;
  /** Connections without TLS yet. */
  readonly #pending = new Set<Socket>();
  readonly #waiting: Socket[] = [];
  /** Those of `#pending` whose first message comes again. */
  readonly #again = new Set<Socket>();
  #turns = false;

  constructor(server: TlsServer, options: HandshakeOptions) {
    this.#options = options;
    const [begin] = server.listeners('connection');
    this.#begin = (socket) => void begin?.call(server, socket);
    server.removeAllListeners('connection').on('connection', (socket: Socket) => this.#accepted(socket));
    server.prependListener('secureConnection', (socket: TLSSocket & { readonly _parent?: Socket }) => {
      this.#done(socket._parent);
    });
    server.prependListener('tlsClientError', (error: NodeJS.ErrnoException) => {
      this.#options.failed(error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'timeout' : 'refused');
    });
  }

  /** Ends the connections whose handshake is not done. */
  closePending(): void {
    for (const socket of this.#pending) socket.destroy();
  }

  /**
   * @param socket below that of TLS, which is no part of Node's API. Without it nobody knows whose
   *   handshake is done, and no connection may end for that.
   */
  #done(socket: Socket | undefined): void {
    for (const sockets of [this.#pending, this.#again]) {
      if (socket === undefined) sockets.clear();
      else sockets.delete(socket);
    }
  }

  #accepted(socket: Socket): void {
    this.#pending.add(socket);
    const timer = setTimeout(() => this.#fail(socket, 'timeout'), this.#options.limitMs ?? HANDSHAKE_MS).unref();
    socket.on('error', ignore).on('close', () => {
      clearTimeout(timer);
      this.#done(socket);
    });
    this.#read(socket, timer);
  }

  /** Why apart: the listener of `close` would keep the message as long as the connection. */
  #read(socket: Socket, timer: NodeJS.Timeout): void {
    const hello = new FirstMessage();
    const gone = (): void => void socket.destroy();
    const read = (piece: Buffer): void => {
      const state = hello.add(piece);
      if (state === 'part') return;
      clearTimeout(timer);
      socket.off('data', read).off('end', gone).pause();
      if (state === 'other') return this.#refuse(socket, hello.bytes);
      if (hello.comesAgain(groupNumbers) && this.#again.add(socket).size > MOST_AGAIN) return this.#fail(socket, 'busy');
      socket.unshift(hello.bytes);
      this.#queue(socket);
    };
    socket.on('data', read).on('end', gone);
  }

  #refuse(socket: Socket, bytes: Buffer): void {
    this.#options.failed('not_tls');
    if (this.#options.refuse === undefined) socket.destroy();
    else this.#options.refuse(socket, bytes);
  }

  #fail(socket: Socket, reason: HandshakeFailure): void {
    this.#options.failed(reason);
    socket.destroy();
  }

  #queue(socket: Socket): void {
    if (this.#waiting.length >= (this.#options.waiting ?? MOST_WAITING)) return this.#fail(socket, 'busy');
    this.#waiting.push(socket);
    if (this.#turns) return;
    this.#turns = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const ends = performance.now() + TURN_MS;
    const next = (): void => {
      const socket = this.#waiting.shift();
      if (socket === undefined) return void (this.#turns = false);
      if (!socket.destroyed) this.#begin(socket);
      // Node reads the first message, and signs, in the tick before this one.
      process.nextTick(() => (performance.now() < ends ? next() : setImmediate(() => this.#turn())));
    };
    next();
  }
}

function ignore(): void {}
