import type { ServerResponse } from 'node:http';
import type { Pieces } from './held-answer.ts';

/**
 * Bytes of an answer that are encrypted at once. Why: TLS encrypts a whole write before it sends
 * any of it. That takes a millisecond for each megabyte, and as much memory again.
 */
export const PIECE_BYTES = 256 * 1024;

/** Writes a long body and ends the answer. Each piece leaves once the one before is taken. */
export class PiecedAnswer implements Pieces {
  readonly #response: ServerResponse;
  #rest: Buffer;

  constructor(response: ServerResponse, body: Buffer) {
    this.#response = response;
    this.#rest = body;
    response.on('drain', () => this.#write());
    this.#write();
  }

  get rest(): number {
    return this.#rest.length;
  }

  #write(): void {
    while (this.#rest.length > PIECE_BYTES) {
      const piece = this.#rest.subarray(0, PIECE_BYTES);
      this.#rest = this.#rest.subarray(PIECE_BYTES);
      if (!this.#response.write(piece)) return;
    }
    if (!this.#response.writableEnded) this.#response.end(this.#rest);
    this.#rest = this.#rest.subarray(this.#rest.length);
  }
}
