import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { TlsOptions } from 'node:tls';

/**
 * The part of `node:http` that this room uses. An `import` would run the getters of all its
 * exports, and so load the whole fetch client: 37 ms of every start (measured, Node 24).
 */
export const { createServer, METHODS, STATUS_CODES } = process.getBuiltinModule('node:http');

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of HTTP/1.1 over TLS. Its module is loaded only here. */
export function createTlsServer(options: ServerOptions & TlsOptions, handle: Handle): Server {
  // Other protocols that a client offers are passed over; one that offers none of these is refused.
  const own = { ALPNProtocols: ['http/1.1'], allowHalfOpen: true, noDelay: true };
  return process.getBuiltinModule('node:https').createServer({ ...options, ...own }, handle);
}
