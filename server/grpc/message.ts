/** Messages as gRPC frames them: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
import { ServerError } from '../errors.ts';
import type { Room } from './room.ts';

/** One byte that says whether the message is compressed, and four of its length. */
const HEAD_BYTES = 5;
/** Memory that is taken at a time: at least, and at most for what has not arrived yet. */
const SMALLEST_PIECE = 4 * 1024;
const LARGEST_PIECE = 1024 * 1024;

/** Longer messages leave a part of the room free for those that are not: scoring/queue.ts. */
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
 * Takes the one message of a call from what arrives. Its length is checked before its bytes are held. What arrives is copied into pieces
 * that grow with what has arrived: a declared length takes no memory, and neither do parts of one byte each.
 */
export class MessageReader {
  readonly #limit: number;
  readonly #room: Room;
  #headBytes = 0;
  #flag = 0;
  #length = 0;
  readonly #pieces: Buffer[] = [];
  /** Bytes of all pieces. */
  #held = 0;
  /** Bytes of the message that have arrived. */
  #arrived = 0;

  /** @param limit for the message as it is sent @param room gets what is held */
  constructor(limit: number, room: Room) {
    this.#limit = limit;
    this.#room = room;
  }

  /** @throws ServerError body_too_large, queue_full; invalid_input when there is more than one message */
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

  /** The message, when nothing more comes. @throws ServerError invalid_input when it is not whole */
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
    this.#room.take(size, large ? 'large' : wanted >= this.#length ? 'whole' : 'small');
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
