import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AnswerMemory, Held, Taker } from '../scoring/answer-memory.ts';

/**
 * Counters by which Node's own socket timeout distinguishes a slow client from one that takes
 * nothing.
 */
interface Handle {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
  /** Of TCP, below that of TLS. */
  readonly _parent?: Handle | null;
}

/** A body that is written piece by piece. */
export interface Pieces {
  /** Bytes that are not written yet. */
  readonly rest: number;
}

/** The unsent bytes of one answer. */
class Unsent implements Taker {
  readonly #socket: Socket;
  readonly #response: ServerResponse;
  readonly #pieces: Pieces | undefined;

  constructor(socket: Socket, response: ServerResponse, pieces: Pieces | undefined) {
    this.#socket = socket;
    this.#response = response;
    this.#pieces = pieces;
  }

  get unsent(): number {
    return this.#socket.destroyed || this.#response.closed ? 0 : this.#response.writableLength + (this.#pieces?.rest ?? 0);
  }

  /** Includes the part of a long write that the kernel has taken. */
  get taken(): number {
    const handle = tcpHandle(this.#socket);
    const taken = (handle?.bytesWritten ?? Number.NaN) - (handle?.writeQueueSize ?? 0);
    return Number.isFinite(taken) ? taken : this.#socket.bytesWritten - this.#socket.writableLength;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/**
 * Counts the bytes of an answer that the kernel has not taken, until the client has taken them or
 * has left.
 */
export function holdUnsent(answers: AnswerMemory, { socket }: IncomingMessage, response: ServerResponse, pieces?: Pieces): Held {
  const unsent = new Unsent(socket, response, pieces);
  const held = answers.hold(unsent.unsent, unsent);
  response.once('close', () => held.release());
  return held;
}

/**
 * True if the kernel has taken all that was written. TLS reports a write only one turn later, also
 * where the kernel took it at once.
 */
export function kernelTook({ socket }: IncomingMessage): boolean {
  return tcpHandle(socket)?.writeQueueSize === 0;
}

function tcpHandle(socket: Socket): Handle | null | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: Handle | null };
  return handle?._parent ?? handle;
}
