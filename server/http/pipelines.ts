import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Most requests of a connection that wait for the answers before them. The queue has the same
 * default limit.
 */
export const LONGEST_PIPELINE = 256;

/**
 * Bounds the requests of a connection that wait for the answers before them. Why: Node reads 64 KiB
 * at once, which may be 2,000 requests. Each takes a hundred times the memory of its bytes, for as
 * long as the client does not read.
 */
export class Pipelines {
  readonly #waiting = new WeakMap<Socket, number>();

  /**
   * False if there are too many. Requests that Node has read already are dropped once the
   * connection is destroyed.
   */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // An answer without a socket waits for the one before it.
    if (response.socket !== null) return true;
    const waiting = this.#waiting.get(socket) ?? 0;
    if (waiting >= LONGEST_PIPELINE) return false;
    this.#waiting.set(socket, waiting + 1);
    response.once('close', () => this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1));
    return true;
  }
}
