import { allocUnsafeSlow, setBytes, subarray } from '../guards/built-ins.ts';
import { FrameError, ID_AND_KIND, readUint32 } from './frames.ts';

/**
 * Bytes. A shorter frame gets its memory at once; a longer one gets it as it arrives, twice the
 * bytes that are there.
 */
const AT_ONCE = 4 * 1024 * 1024;

export type OnFrame = (id: number, kind: number, payload: Buffer) => void;

/**
 * Cuts the bytes of a pipe into frames. Whole frames are views of the received bytes; a frame over
 * several reads is copied. A frame never holds more than 4 MiB, or twice its bytes that have
 * arrived, even if its length field announces more.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #mostBytes: number;
  readonly #head = allocUnsafeSlow(4);
  #headFilled = 0;
  /** Memory of the frame that has begun; undefined if none has. */
  #frame: Buffer | undefined;
  #length = 0;
  #filled = 0;

  /** @param mostBytes longest frame, id and kind included */
  constructor(onFrame: OnFrame, mostBytes: number) {
    this.#onFrame = onFrame;
    this.#mostBytes = mostBytes;
  }

  /**
   * @throws FrameError for a length that no frame has; errors of `onFrame` as they are. Nothing can
   * be fed after an error
   */
  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame !== undefined) at += this.#fill(this.#frame, chunk, at);
      else if (this.#headFilled > 0 || chunk.length - at < 4) {
        while (at < chunk.length && this.#headFilled < 4) this.#head[this.#headFilled++] = chunk[at++] ?? 0;
        if (this.#headFilled === 4) this.#begin(this.#checked(readUint32(this.#head, 0)));
      } else {
        const length = this.#checked(readUint32(chunk, at));
        at += 4;
        if (chunk.length - at >= length) {
          this.#emit(chunk, at, at + length);
          at += length;
        } else this.#begin(length);
      }
    }
  }

  #checked(length: number): number {
    if (length >= ID_AND_KIND && length <= this.#mostBytes) return length;
    throw new FrameError(`a frame of ${length} bytes: expected ${ID_AND_KIND} to ${this.#mostBytes}`);
  }

  #begin(length: number): void {
    this.#headFilled = 0;
    this.#length = length;
    this.#filled = 0;
    this.#frame = allocUnsafeSlow(Math.min(length, AT_ONCE));
  }

  /** Returns how many bytes it took. */
  #fill(frame: Buffer, chunk: Buffer, at: number): number {
    const taken = Math.min(chunk.length - at, this.#length - this.#filled);
    const needed = this.#filled + taken;
    const room = needed <= frame.length ? frame : this.#grown(frame, needed);
    setBytes.call(room, subarray.call(chunk, at, at + taken), this.#filled);
    this.#filled = needed;
    if (needed === this.#length) {
      this.#frame = undefined;
      this.#emit(room, 0, needed);
    }
    return taken;
  }

  #grown(frame: Buffer, needed: number): Buffer {
    const room = allocUnsafeSlow(Math.min(this.#length, 2 * needed));
    setBytes.call(room, frame);
    this.#frame = room;
    return room;
  }

  #emit(bytes: Buffer, from: number, to: number): void {
    this.#onFrame(readUint32(bytes, from), bytes[from + 4] ?? 0, subarray.call(bytes, from + ID_AND_KIND, to));
  }
}
