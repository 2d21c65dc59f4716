import type { ServerResponse } from 'node:http';
import type { HttpSocket } from './parser-errors.ts';

/** Each wait is three times the one before; the last one is 4 minutes. */
const FIRST_WAIT_MS = 100;
/** Some clients read chunk sizes of at most 16 digits, and the size of the largest chunk has 8. */
const MOST_PROBES = 8;

/**
 * The listener of a socket's `end`. A client that closes its side of a connection may wait for its
 * answer, or have left. TCP reports this only after a write: the second write to a client that has
 * left fails, which cancels its request.
 */
export function probeHalfClosed(socket: HttpSocket): void {
  probeLater(socket, 0);
}

function probeLater(socket: HttpSocket, probes: number): void {
  if (probes === MOST_PROBES || unanswered(socket) === undefined) return;
  setTimeout(
    () => {
      const response = unanswered(socket);
      if (response?.req.httpVersion === '1.1') probe(socket, response);
      probeLater(socket, probes + 1);
    },
    FIRST_WAIT_MS * 3 ** probes,
  ).unref();
}

/**
 * Sends bytes that a client of HTTP/1.1 skips: an interim answer, or within a stream a leading zero
 * of the next chunk's size.
 */
function probe(socket: HttpSocket, response: ServerResponse): void {
  if (!response.headersSent) response.writeContinue();
  else if (response.chunkedEncoding && !response.writableEnded) socket.write('0');
}

function unanswered({ destroyed, _httpMessage: response }: HttpSocket): ServerResponse | undefined {
  return destroyed ? undefined : (response ?? undefined);
}
