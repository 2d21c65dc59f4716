import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';

const BYTES = 8;

/**
 * How many `score` frames a worker has begun, in a file without a name that it writes before it begins them (ipc/README.md, fd 4).
 * A write to memory that outlives the worker costs it a microsecond; a frame would wake the host for each.
 */
export class StartMark {
  /** Undefined: no file could be made, and nothing is known. */
  readonly fd: number | undefined = open();

  /** Frames beyond this number have not begun; infinity: any may have. */
  read(): number {
    if (this.fd === undefined) return Infinity;
    const bytes = Buffer.alloc(BYTES);
    try {
      if (readSync(this.fd, bytes, 0, BYTES, 0) < BYTES) return Infinity;
    } catch {
      return Infinity;
    }
    const begun = bytes.readDoubleLE(0);
    // What is no count was written by somebody else.
    return Number.isSafeInteger(begun) && begun >= 0 ? begun : Infinity;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
  }
}

function open(): number | undefined {
  // Memory first: it is there under a root file system that is read-only, too.
  for (const folder of ['/dev/shm', tmpdir()]) {
    let fd: number | undefined;
    try {
      const path = `${folder}/scoring-server-${randomUUID()}`;
      fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      // Its room is taken now, so that a full disk is no matter later.
      writeSync(fd, Buffer.alloc(BYTES), 0, BYTES, 0);
      return fd;
    } catch {
      if (fd !== undefined) closeSync(fd);
    }
  }
  return undefined;
}
