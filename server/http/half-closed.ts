import type { ServerResponse } from 'node:http';
import type { HttpSocket } from './parser-errors.ts';

/** Most answers come sooner, and need no probe. */
const FIRST_WAIT_MS = 200;
/** From here on each wait is twice the last: the longest is 14 minutes. */
const SECOND_WAIT_MS = 100;
/** Clients read chunk sizes of up to 16 digits. */
const MOST_PROBES = 15;

/**
 * A client that closes its side of a connection may want its answer, or have left. TCP tells only when something is sent: the second write to a client
 * that has left fails, which cancels its request. The listener of a socket's `end`.
 */
export function probeHalfClosed(socket: HttpSocket): void {
  probeLater(socket, 0);
}

function probeLater(socket: HttpSocket, probes: number): void {
  if (probes === MOST_PROBES || unanswered(socket) === undefined) return;
  const waitMs = probes === 0 ? FIRST_WAIT_MS : SECOND_WAIT_MS * 2 ** (probes - 1);
  setTimeout(() => {
    const response = unanswered(socket);
    if (response?.req.httpVersion === '1.1') probe(socket, response);
    probeLater(socket, probes + 1);
  }, waitMs).unref();
}

/** What a client of HTTP/1.1 skips: an interim answer, or within a stream the leading zero of the next chunk's size. */
function probe(socket: HttpSocket, response: ServerResponse): void {
  if (!response.headersSent) response.writeContinue();
  else if (response.chunkedEncoding && !response.writableEnded) socket.write('0');
}

function unanswered({ destroyed, _httpMessage: response }: HttpSocket): ServerResponse | undefined {
  return destroyed ? undefined : (response ?? undefined);
}
