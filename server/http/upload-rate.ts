import type { IncomingMessage } from 'node:http';

const WINDOW_MS = 20_000;
/** Bytes that each window of an upload must bring. */
const LEAST_BYTES = 20 * 1024;

/** What was expected of an upload that is too slow, for the client. */
export const TOO_SLOW = `The request body arrives too slowly: expected at least ${LEAST_BYTES / 1024} KiB in ${WINDOW_MS / 1000} s`;

/** Watches the rate of an upload: an idle or a dripping client must not hold room for ever. */
export class UploadRate {
  readonly #request: IncomingMessage;
  readonly #timer: NodeJS.Timeout;
  #seen: number;

  /** @param tooSlow called once */
  constructor(request: IncomingMessage, tooSlow: () => void) {
    this.#request = request;
    this.#seen = request.socket.bytesRead;
    this.#timer = setInterval(() => this.#check(tooSlow), WINDOW_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Bytes on the wire: what they inflate to, and what frames chunks, says nothing about the client's rate. */
  #check(tooSlow: () => void): void {
    const { bytesRead } = this.#request.socket;
    const slow = bytesRead - this.#seen < LEAST_BYTES;
    this.#seen = bytesRead;
    if (!slow) return;
    this.stop();
    tooSlow();
  }
}
