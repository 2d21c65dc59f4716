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
}

/** The unsent bytes of one answer. */
class Unsent implements Taker {
  readonly #socket: Socket;
  readonly #response: ServerResponse;

  constructor(socket: Socket, response: ServerResponse) {
    this.#socket = socket;
    this.#response = response;
  }

  get unsent(): number {
    return this.#socket.destroyed || this.#response.closed ? 0 : this.#response.writableLength;
  }

  /** Includes the part of a long write that the kernel has taken. */
  get taken(): number {
    const handle = (this.#socket as Socket & { readonly _handle?: Handle | null })._handle;
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
export function holdUnsent(answers: AnswerMemory, request: IncomingMessage, response: ServerResponse): Held {
  const held = answers.hold(response.writableLength, new Unsent(request.socket, response));
  response.once('close', () => held.release());
  return held;
}
