/** Bytes of a small body, which arrives with one read of a socket. */
export const SMALL = 64 * 1024;
/**
 * Bytes of a large piece, which is kept as it is: a copy would cost more than the memory that it
 * saves.
 */
const LARGE_PIECE = 16 * 1024;
const SMALLEST_SLAB = 4 * 1024;
const LARGEST_SLAB = 64 * 1024;
/**
 * Bytes of a body beyond this are copied into mapped slabs. This costs some 2 ms a megabyte, so
 * smaller bodies are not copied.
 */
const LARGE_BODY = 4 * 1024 * 1024;
const MAPPED_SLAB = 1024 * 1024;

/**
 * A body in few buffers, in whatever pieces it arrives. Why: a Buffer of one byte costs some 400
 * bytes. Small pieces after the first are copied into slabs. Slabs grow with the body, so that at
 * most a quarter of it, or 4 KiB, stays empty. The rest of a large body goes into slabs with a
 * mapping of their own, which return to the system. Memory of malloc stays with the C library
 * (measured: eight uploads of 99 MB left 160 MB).
 */
export class Pieces {
  #pieces: Buffer[] = [];
  #slab: Buffer | undefined;
  /** Start and end of the bytes of the slab that are in no piece yet. */
  #from = 0;
  #to = 0;
  #bytes = 0;
  #held = 0;

  /** Bytes of the body. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of memory that hold them. */
  get held(): number {
    return this.#held;
  }

  /** Adds a piece, which nobody else may use afterwards. */
  add(piece: Buffer): void {
    if (this.#bytes === 0 || (piece.length >= LARGE_PIECE && this.#bytes < LARGE_BODY)) {
      this.#seal();
      this.#pieces.push(piece);
      this.#held += piece.length;
      this.#bytes += piece.length;
      return;
    }
    const { length } = piece;
    this.#copy(piece);
    if (this.#bytes >= LARGE_BODY) free(piece);
    this.#bytes += length;
  }

  /** The body, in order. No piece may be added afterwards. */
  take(): readonly Buffer[] {
    const slab = this.#slab;
    // A copy frees the empty rest of a slab that no other piece uses.
    if (slab !== undefined && this.#from === 0 && slab.length < MAPPED_SLAB) this.#pieces.push(Buffer.from(slab.subarray(0, this.#to)));
    else this.#seal();
    this.#slab = undefined;
    return this.#pieces;
  }

  /** Drops all pieces. */
  clear(): void {
    this.#pieces = [];
    this.#slab = undefined;
    this.#held = 0;
  }

  #copy(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      const slab = this.#slab ?? this.#open();
      const taken = piece.copy(slab, this.#to, at);
      at += taken;
      this.#to += taken;
      if (slab.length === MAPPED_SLAB) this.#held += taken;
      if (this.#to < slab.length) continue;
      this.#seal();
      this.#slab = undefined;
    }
  }

  #open(): Buffer {
    const large = this.#bytes >= LARGE_BODY;
    const size = large ? MAPPED_SLAB : Math.min(LARGEST_SLAB, Math.max(SMALLEST_SLAB, this.#bytes >> 2));
    this.#slab = large ? mapped(size) : Buffer.allocUnsafeSlow(size);
    this.#from = 0;
    this.#to = 0;
    // Pages of a mapped slab take memory only once they are written.
    if (!large) this.#held += size;
    return this.#slab;
  }

  #seal(): void {
    const slab = this.#slab;
    if (slab === undefined || this.#to === this.#from) return;
    this.#pieces.push(slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

/**
 * Frees a piece that is copied, now and not by the garbage collector. Why: V8 counts its bytes, and
 * collected the whole heap for each 30 MB of them, which delayed probes by 10 ms.
 */
function free(piece: Buffer): void {
  const { buffer } = piece;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === piece.length) buffer.transfer(0);
}

/** A buffer with a mapping of its own: V8 maps buffers that may be resized. */
function mapped(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes);
}
