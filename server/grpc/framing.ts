/** Messages as gRPC frames them: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
import { ServerError } from '../errors.ts';
import type { MessageAdmission } from './message-admission.ts';

/** One byte says whether the message is compressed; four bytes give its length. */
const HEAD_BYTES = 5;
/** Smallest memory that is allocated at a time. */
const SMALLEST_PIECE = 4 * 1024;
/** Largest memory that is allocated for bytes that have not arrived yet. */
const LARGEST_PIECE = 1024 * 1024;

/**
 * Bytes of a small message. Longer ones leave a part of the queue's bytes to small ones:
 * scoring/queue.ts.
 */
export const SMALL = 64 * 1024;

/** A message, in the pieces in which it is held. */
export interface Message {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
}

export function messageTooLarge(limit: number): ServerError {
  return new ServerError('body_too_large', `The message must not exceed ${limit} bytes`);
}

/**
 * Reads the one message of a call. Its length is checked before its bytes are held. Arriving bytes
 * are copied into pieces that grow with the bytes that have arrived. Why: a declared length must
 * take no memory, and parts of one byte each little.
 */
export class MessageReader {
  readonly #limit: number;
  readonly #admission: MessageAdmission;
  #headBytes = 0;
  #flag = 0;
  #length = 0;
  readonly #pieces: Buffer[] = [];
  /** Bytes of all pieces. */
  #held = 0;
  /** Bytes of the message that have arrived. */
  #arrived = 0;

  /**
   * @param limit bytes of the message as it is sent
   * @param admission reserves the bytes that are held
   */
  constructor(limit: number, admission: MessageAdmission) {
    this.#limit = limit;
    this.#admission = admission;
  }

  /**
   * @throws ServerError body_too_large, queue_full; invalid_input if there is more than one message
   */
  take(data: Buffer): void {
    let at = 0;
    while (at < data.length && this.#headBytes < HEAD_BYTES) this.#takeHead(data[at++] ?? 0);
    if (data.length - at > this.#length - this.#arrived) throw new ServerError('invalid_input', 'expected one message, got more');
    while (at < data.length) {
      const free = this.#held - this.#arrived;
      const piece = free > 0 ? this.#pieces.at(-1) : undefined;
      if (piece === undefined) this.#hold(data.length - at);
      else {
        const copied = data.copy(piece, piece.length - free, at);
        this.#arrived += copied;
        at += copied;
      }
    }
  }

  get compressed(): boolean {
    return this.#flag === 1;
  }

  /**
   * The message, once the client has sent all of it.
   * @throws ServerError invalid_input if it is not whole
   */
  end(): Message {
    if (this.#headBytes < HEAD_BYTES) throw new ServerError('invalid_input', 'expected one message, got none');
    if (this.#arrived < this.#length)
      throw new ServerError('invalid_input', `expected a message of ${this.#length} bytes, got ${this.#arrived}`);
    return { pieces: this.#pieces, bytes: this.#length };
  }

  #takeHead(byte: number): void {
    if (this.#headBytes++ === 0) {
      if (byte > 1) throw new ServerError('invalid_input', `expected a message that begins with 0 or 1, got ${byte}`);
      this.#flag = byte;
    } else this.#length = this.#length * 256 + byte;
    if (this.#headBytes === HEAD_BYTES && this.#length > this.#limit) throw messageTooLarge(this.#limit);
  }

  #hold(wanted: number): void {
    const size = Math.min(this.#length - this.#held, Math.max(wanted, SMALLEST_PIECE, Math.min(this.#held, LARGEST_PIECE)));
    const large = this.#length > SMALL;
    this.#admission.grow(size, large ? 'large' : wanted >= this.#length ? 'whole' : 'small');
    this.#pieces.push(Buffer.allocUnsafe(size));
    this.#held += size;
  }
}

/** The head of a message that is not compressed. */
export function messageHead(length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(length, 1);
  return head;
}
