import type { HttpSocket } from './parser-errors.ts';

const FIRST_PROBE_MS = 100;

/**
 * A client that closes its side of a connection may want its answer, or have left. TCP tells only when something is sent: `100 Continue`, which any client
 * of HTTP/1.1 skips. The second write to a client that has left fails, which cancels its request. The listener of a socket's `end`.
 */
export function probeHalfClosed(socket: HttpSocket): void {
  if (isOpen(socket)) later(socket, FIRST_PROBE_MS);
}

function later(socket: HttpSocket, ms: number): void {
  setTimeout(() => {
    if (!isOpen(socket)) return;
    const { _httpMessage: open } = socket;
    if (open?.headersSent === false && open.req.httpVersion === '1.1') open.writeContinue();
    later(socket, 2 * ms);
  }, ms).unref();
}

/** A request is unanswered. */
function isOpen(socket: HttpSocket): boolean {
  const { _httpMessage: open } = socket;
  return !socket.destroyed && open !== null && open !== undefined;
}
