import type { ServerResponse } from 'node:http';
import type { HttpSocket } from './parser-errors.ts';

/** Each wait is three times the last: the last one is 4 minutes. */
const FIRST_WAIT_MS = 100;
/** Some clients read chunk sizes of 16 digits at most, and that of the largest chunk has 8. */
const MOST_PROBES = 8;

/**
 * A client that closes its side of a connection may want its answer, or have left. TCP tells only when something is sent: the second write to a client
 * that has left fails, which cancels its request. The listener of a socket's `end`.
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

/** What a client of HTTP/1.1 skips: an interim answer, or within a stream the leading zero of the next chunk's size. */
function probe(socket: HttpSocket, response: ServerResponse): void {
  if (!response.headersSent) response.writeContinue();
  else if (response.chunkedEncoding && !response.writableEnded) socket.write('0');
}

function unanswered({ destroyed, _httpMessage: response }: HttpSocket): ServerResponse | undefined {
  return destroyed ? undefined : (response ?? undefined);
}
