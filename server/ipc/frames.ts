/**
 * Length-prefixed frames over a stream socket. Numbers are little-endian; lengths are bytes.
 *
 *   frame = u32 length of what follows | u32 request id (0: none) | u8 kind | payload
 *
 * A length below 5 or above the reader's limit is no frame. Nothing marks where the next one
 * begins, so reading ends (frame-reader.ts).
 */
import type { Duplex } from 'node:stream';
import { allocUnsafeSlow, bufferFrom, setBytes, subarray, writeText } from '../guards/built-ins.ts';

/** Bytes of id and kind, which the length counts. */
export const ID_AND_KIND = 5;
const HEADER = 4 + ID_AND_KIND;
/** Largest value of a length. */
export const MOST_FRAME_BYTES = 0xffff_ffff;
const SLAB = 64 * 1024;
/**
 * Bytes. Larger parts go to the kernel as they are; smaller ones share a slab, so that one tick is
 * one write.
 */
export const LARGE = 16 * 1024;
/** Frames of one write. Why a limit: the other side begins with them while this side makes more. */
const BURST = 16;

/**
 * Bytes that are no frame, or a frame of another form than its kind. Its pipe cannot be used any
 * more.
 */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

type Part = string | Uint8Array;

/** Collects the frames of one tick and writes them together, or in bursts where they are many. */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #schedule: (flush: () => void) => void;
  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  #slab = allocUnsafeSlow(SLAB);
  #from = 0;
  #to = 0;
  #sealed: Buffer[] = [];
  #waiting: (() => void)[] = [];
  #scheduled = false;
  #collected = 0;

  /**
   * @param schedule when to write the frames: at the end of the tick (process.nextTick) or of the
   * loop's turn (setImmediate)
   */
  constructor(socket: Duplex, schedule: (flush: () => void) => void) {
    this.#socket = socket;
    this.#schedule = schedule;
  }

  /**
   * Adds a frame. Large buffers are not copied: do not change them afterwards.
   * @param written called once the kernel has the whole frame, or the socket is gone
   * @throws FrameError (TypeError for undefined) when a part is neither text nor bytes, or the
   * frame is too long. Nothing of the frame is written
   */
  write(id: number, kind: number, parts: readonly Part[], written?: () => void): void {
    let most = HEADER;
    for (const part of parts) most += typeof part === 'string' ? part.length * 3 : part.byteLength;
    if (most <= LARGE) this.#writeSmall(id, kind, parts, most);
    else this.#writeLarge(id, kind, parts);
    if (written !== undefined) this.#waiting.push(written);
    if (++this.#collected >= BURST) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#flushNow);
  }

  /**
   * Writes the collected frames.
   * @param done called once the kernel has all of them, or the socket is gone
   */
  flush(done?: () => void): void {
    this.#collected = 0;
    if (done !== undefined) this.#waiting.push(done);
    this.#seal();
    const pieces = this.#sealed;
    const callbacks = this.#waiting;
    if (pieces.length > 0) this.#sealed = [];
    if (callbacks.length > 0) this.#waiting = [];
    const written = callbacks.length === 0 ? undefined : (): void => callbacks.forEach((callback) => callback());
    const last = pieces.at(-1);
    // A write behind the end of a socket would destroy it, with what the other side still sends.
    if (last === undefined || !this.#socket.writable) {
      if (written !== undefined) process.nextTick(written);
      return;
    }
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece, piece === last ? written : undefined);
    if (pieces.length > 1) this.#socket.uncork();
  }

  #writeSmall(id: number, kind: number, parts: readonly Part[], most: number): void {
    this.#reserve(most);
    const start = this.#to;
    let end = start + HEADER;
    for (const part of parts) {
      if (typeof part === 'string') end += writeText.call(this.#slab, part, end);
      else {
        setBytes.call(this.#slab, part instanceof Uint8Array ? part : bytesOf(part), end);
        end += part.byteLength;
      }
    }
    this.#writeHeader(start, end - start - HEADER, id, kind);
    this.#to = end;
  }

  #writeLarge(id: number, kind: number, parts: readonly Part[]): void {
    const pieces = parts.map(bytesOf);
    const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    if (length > MOST_FRAME_BYTES - ID_AND_KIND)
      throw new FrameError(`a frame of kind ${kind} has ${length} bytes, more than its length field can hold`);
    this.#reserve(HEADER);
    this.#writeHeader(this.#to, length, id, kind);
    this.#to += HEADER;
    for (const piece of pieces) {
      if (piece.byteLength >= LARGE) {
        this.#seal();
        this.#sealed.push(piece);
      } else {
        this.#reserve(piece.byteLength);
        setBytes.call(this.#slab, piece, this.#to);
        this.#to += piece.byteLength;
      }
    }
  }

  #writeHeader(at: number, payload: number, id: number, kind: number): void {
    writeUint32(this.#slab, at, payload + ID_AND_KIND);
    writeUint32(this.#slab, at + 4, id);
    this.#slab[at + 8] = kind;
  }

  #reserve(bytes: number): void {
    if (SLAB - this.#to >= bytes) return;
    this.#seal();
    this.#slab = allocUnsafeSlow(SLAB);
    this.#from = 0;
    this.#to = 0;
  }

  #seal(): void {
    if (this.#to === this.#from) return;
    this.#sealed.push(subarray.call(this.#slab, this.#from, this.#to));
    this.#from = this.#to;
  }
}

/** The bytes of any view, whatever its elements are. Why checked: parts come from scripts, too. */
function bytesOf(part: Part): Buffer {
  if (typeof part === 'string') return bufferFrom(part);
  if (!ArrayBuffer.isView(part)) throw new FrameError(`a part of a frame is neither text nor bytes, but of type ${typeof part}`);
  return bufferFrom(part.buffer, part.byteOffset, part.byteLength);
}

/** Writes at `at`, little-endian. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
