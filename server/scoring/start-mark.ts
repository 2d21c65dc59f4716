import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';

/** Three numbers (ipc/README.md, fd 4). */
const BYTES = 24;
const REDACTIONS = 8;

/** Redactions of a worker, as its mark shows them. */
export interface RedactionMark {
  /** How many of the `redact` frames have begun, in their order; infinity: any may have. */
  readonly begun: number;
  /** Number of the redaction whose hook has the thread; 0: none. */
  readonly holder: number;
}

/**
 * What a worker has begun, in a file without a name: the number of `score` frames, and its
 * redactions. The worker writes it before it begins them (ipc/README.md, fd 4). Why no frame: the
 * write costs a microsecond, a frame would wake the host each time, and a thread that is stuck
 * sends none.
 */
export class StartMark {
  /** Undefined: no file could be made. */
  readonly fd: number | undefined = open();

  /** Frames beyond this number have not begun; infinity: any frame may have. */
  read(): number {
    return countOf(this.#bytes(0), 0);
  }

  readRedactions(): RedactionMark {
    const bytes = this.#bytes(REDACTIONS);
    const holder = countOf(bytes, 8);
    return { begun: countOf(bytes, 0), holder: holder === Infinity ? 0 : holder };
  }

  #bytes(from: number): Buffer | undefined {
    if (this.fd === undefined) return undefined;
    const bytes = Buffer.alloc(BYTES - from);
    try {
      return bytes.subarray(0, readSync(this.fd, bytes, 0, bytes.length, from));
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
  }
}

/** Infinity for a number that was not written by the server. */
function countOf(bytes: Buffer | undefined, at: number): number {
  if (bytes === undefined || bytes.length < at + 8) return Infinity;
  const count = bytes.readDoubleLE(at);
  return Number.isSafeInteger(count) && count >= 0 ? count : Infinity;
}

function open(): number | undefined {
  // Memory first: it can be written under a read-only root file system, too.
  for (const folder of ['/dev/shm', tmpdir()]) {
    let fd: number | undefined;
    try {
      const path = `${folder}/scoring-server-${randomUUID()}`;
      fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      // Takes its room now, so that no full disk fails a later write.
      writeSync(fd, Buffer.alloc(BYTES), 0, BYTES, 0);
      return fd;
    } catch {
      if (fd !== undefined) closeSync(fd);
    }
  }
  return undefined;
}
