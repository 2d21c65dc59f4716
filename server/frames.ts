/**
 * Length-prefixed frames over a stream socket. Numbers are little-endian.
 *
 *   frame = u32 length of what follows | u32 request id (0: none) | u8 kind | payload
 */
import type { Duplex } from 'node:stream';

const HEADER = 9;
const SLAB = 64 * 1024;
/** Parts from this size on are handed to the kernel as they are; smaller ones share a slab, so that one tick is one write. */
const LARGE = 16 * 1024;
/** After so many frames the other side begins, while this one makes more: with all of a tick in one write, one of them would always wait. */
const BURST = 16;

/** Collects the frames of one tick and writes them together, or in bursts where they are many. */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #schedule: (flush: () => void) => void;
  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  #slab = Buffer.allocUnsafeSlow(SLAB);
  #from = 0;
  #to = 0;
  #sealed: Buffer[] = [];
  #waiting: (() => void)[] = [];
  #scheduled = false;
  #collected = 0;

  /** @param schedule when to write what was collected: the end of the tick (process.nextTick) or of the loop's turn (setImmediate) */
  constructor(socket: Duplex, schedule: (flush: () => void) => void) {
    this.#socket = socket;
    this.#schedule = schedule;
  }

  /**
   * Adds a frame. Buffers are not copied when they are large: do not change them afterwards.
   * @param written called once the kernel has the whole frame, or the socket is gone
   */
  write(id: number, kind: number, parts: readonly (string | Uint8Array)[], written?: () => void): void {
    let most = HEADER;
    for (const part of parts) most += typeof part === 'string' ? part.length * 3 : part.length;
    if (most > LARGE) this.#writeLarge(id, kind, parts);
    else this.#writeSmall(id, kind, parts, most);
    if (written !== undefined) this.#waiting.push(written);
    if (++this.#collected >= BURST) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#flushNow);
  }

  /** Writes what was collected; `done`, if any, is called once the kernel has all of it or the socket is gone. */
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
    if (last === undefined || this.#socket.destroyed) {
      if (written !== undefined) process.nextTick(written);
      return;
    }
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece, piece === last ? written : undefined);
    if (pieces.length > 1) this.#socket.uncork();
  }

  #writeSmall(id: number, kind: number, parts: readonly (string | Uint8Array)[], most: number): void {
    this.#reserve(most);
    const start = this.#to;
    let end = start + HEADER;
    for (const part of parts) {
      if (typeof part === 'string') end += this.#slab.write(part, end);
      else {
        this.#slab.set(part, end);
        end += part.length;
      }
    }
    this.#writeHeader(start, end - start - HEADER, id, kind);
    this.#to = end;
  }

  #writeLarge(id: number, kind: number, parts: readonly (string | Uint8Array)[]): void {
    const pieces = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#reserve(HEADER);
    this.#writeHeader(this.#to, length, id, kind);
    this.#to += HEADER;
    for (const piece of pieces) {
      if (piece.length >= LARGE) {
        this.#seal();
        this.#sealed.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      } else {
        this.#reserve(piece.length);
        this.#slab.set(piece, this.#to);
        this.#to += piece.length;
      }
    }
  }

  #writeHeader(at: number, payload: number, id: number, kind: number): void {
    this.#slab.writeUInt32LE(payload + HEADER - 4, at);
    this.#slab.writeUInt32LE(id, at + 4);
    this.#slab[at + 8] = kind;
  }

  #reserve(bytes: number): void {
    if (SLAB - this.#to >= bytes) return;
    this.#seal();
    this.#slab = Buffer.allocUnsafeSlow(SLAB);
    this.#from = 0;
    this.#to = 0;
  }

  #seal(): void {
    if (this.#to === this.#from) return;
    this.#sealed.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

export type OnFrame = (id: number, kind: number, payload: Buffer) => void;

/** Cuts what arrives into frames. Whole frames are views of the received bytes; a frame over several reads is copied once. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #length = Buffer.alloc(4);
  #lengthFilled = 0;
  #frame: Buffer | undefined;
  #filled = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame !== undefined) {
        const taken = chunk.copy(this.#frame, this.#filled, at, at + this.#frame.length - this.#filled);
        at += taken;
        this.#filled += taken;
        if (this.#filled < this.#frame.length) continue;
        const frame = this.#frame;
        this.#frame = undefined;
        this.#emit(frame, 0, frame.length);
        continue;
      }
      if (this.#lengthFilled > 0 || chunk.length - at < 4) {
        const taken = chunk.copy(this.#length, this.#lengthFilled, at, at + 4 - this.#lengthFilled);
        at += taken;
        this.#lengthFilled += taken;
        if (this.#lengthFilled === 4) this.#begin(this.#length.readUInt32LE(0));
        continue;
      }
      const length = chunk.readUInt32LE(at);
      at += 4;
      if (chunk.length - at >= length) {
        this.#emit(chunk, at, at + length);
        at += length;
      } else this.#begin(length);
    }
  }

  #begin(length: number): void {
    this.#lengthFilled = 0;
    this.#frame = Buffer.allocUnsafeSlow(length);
    this.#filled = 0;
  }

  #emit(bytes: Buffer, from: number, to: number): void {
    this.#onFrame(bytes.readUInt32LE(from), bytes.readUInt8(from + 4), bytes.subarray(from + 5, to));
  }
}
