import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';

const BYTES = 8;

/**
 * The number of `score` frames that a worker has begun, in a file without a name. The worker
 * writes it before it begins them (ipc/README.md, fd 4). Why no frame: the write costs a
 * microsecond, and a frame would wake the host each time.
 */
export class StartMark {
  /** Undefined: no file could be made. */
  readonly fd: number | undefined = open();

  /** Frames beyond this number have not begun; infinity: any frame may have. */
  read(): number {
    if (this.fd === undefined) return Infinity;
    const bytes = Buffer.alloc(BYTES);
    try {
      if (readSync(this.fd, bytes, 0, BYTES, 0) < BYTES) return Infinity;
    } catch {
      return Infinity;
    }
    const begun = bytes.readDoubleLE(0);
    // Another number was not written by the server.
    return Number.isSafeInteger(begun) && begun >= 0 ? begun : Infinity;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
  }
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
