import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections that end with an answer that has begun. What follows on them must not run: RFC 9112,
 * section 9.6. After an ambiguous request it may be the rest of that request.
 */
export class LastRequests {
  readonly #sockets = new WeakSet<Socket>();

  end({ socket }: IncomingMessage): void {
    this.#sockets.add(socket);
  }

  passed({ socket }: IncomingMessage): boolean {
    return this.#sockets.has(socket);
  }
}
