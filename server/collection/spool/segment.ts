import { closeSync, ftruncateSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { joinBlocks, readLine, type Block, type Payload } from '../encode/block.ts';

/** Before the line of a record whose payload lies in a file of its own. */
const PAYLOAD = '#payload ';
const CHUNK = 1024 * 1024;
/** Payloads that are read at a time, give or take one: their lines are short. */
const CHUNK_PAYLOADS = 8 * 1024 * 1024;
const LF = 10;

interface StoredPayload {
  readonly file: string;
  readonly name: string;
  readonly contentType: string;
}

/** Lines that were read, and where the next ones begin. */
export interface Chunk {
  readonly blocks: Block[];
  readonly end: number;
  /** Lines that cannot be read any more. */
  readonly damaged: number;
  /** Files of payloads, which go when the chunk is delivered. */
  readonly files: readonly string[];
  readonly payloadBytes: number;
}

/** A file of lines on disk, `NNNN.jsonl`, and how far it has been delivered, `NNNN.offset`. */
export class Segment {
  readonly path: string;
  /** Of the lines, without payloads. */
  bytes: number;
  #fd: number | undefined;
  #delivered: number;

  constructor(path: string) {
    this.path = path;
    this.bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#delivered = readOffset(path);
  }

  /** Appends whole lines, or nothing, and answers what they take on disk. @throws what the file system throws */
  append({ data, payloads: [payload] }: Block, nextFile: () => string): number {
    this.#fd ??= openSync(this.path, 'a');
    if (payload === undefined) return this.#write(this.#fd, data);
    const file = nextFile();
    const path = join(dirname(this.path), file);
    const { name, contentType, body } = payload;
    const mark = `${PAYLOAD}${JSON.stringify({ file, name, contentType } satisfies StoredPayload)}\n`;
    try {
      writeFileSync(path, body);
      return body.length + this.#write(this.#fd, Buffer.concat([Buffer.from(mark), data]));
    } catch (thrown) {
      rmSync(path, { force: true });
      throw thrown;
    }
  }

  /** No more lines will come. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The next lines, about a megabyte; undefined: there are none. @throws what the file system throws */
  read(): Chunk | undefined {
    const data = this.#readLines();
    if (data.length === 0) return undefined;
    const lines: Block[] = [];
    const files: string[] = [];
    let damaged = 0;
    let payload: Payload | undefined;
    let payloadBytes = 0;
    let at = 0;
    while (at < data.length && (payload !== undefined || payloadBytes < CHUNK_PAYLOADS)) {
      const end = data.indexOf(LF, at) + 1 || data.length;
      const text = data.toString('utf8', at, end).trimEnd();
      at = end;
      if (text === '') continue;
      const stored = text.startsWith(PAYLOAD) ? this.#storedPayload(text) : undefined;
      if (stored !== undefined) files.push(stored.path);
      const line = stored === undefined ? readLine(text, payload) : undefined;
      payload = stored?.payload;
      payloadBytes += payload?.body.length ?? 0;
      if (line !== undefined) lines.push(line);
      else if (stored === undefined) damaged++;
    }
    return { blocks: joinBlocks(lines), end: this.#delivered + at, damaged, files, payloadBytes };
  }

  /** Remembers, across a restart, that the chunk has been delivered. */
  delivered({ end, files }: Chunk): void {
    this.#delivered = end;
    writeFileSync(offsetFile(this.path), String(end));
    for (const file of files) rmSync(file, { force: true });
  }

  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
    rmSync(offsetFile(this.path), { force: true });
  }

  #storedPayload(text: string): { path: string; payload: Payload } | undefined {
    try {
      const { file, name, contentType } = JSON.parse(text.slice(PAYLOAD.length)) as StoredPayload;
      const path = join(dirname(this.path), file);
      return { path, payload: { name, contentType, body: readFileSync(path) } };
    } catch {
      return undefined;
    }
  }

  #write(fd: number, data: Buffer): number {
    try {
      for (let written = 0; written < data.length;) written += writeSync(fd, data, written);
    } catch (thrown) {
      // What a full disk took of it is no line.
      ftruncateSync(fd, this.bytes);
      throw thrown;
    }
    this.bytes += data.length;
    return data.length;
  }

  /** Whole lines, and at the end of the file what there is: a process that was killed may have left half a line. */
  #readLines(): Buffer {
    const fd = openSync(this.path, 'r');
    try {
      for (let size = CHUNK; ; size *= 2) {
        const data = Buffer.allocUnsafe(size);
        const read = readSync(fd, data, 0, size, this.#delivered);
        if (read < size) return data.subarray(0, read);
        const last = this.#lastLine(data);
        if (last > 0) return data.subarray(0, last);
      }
    } finally {
      closeSync(fd);
    }
  }

  /** The end of the last line that is a record: a payload's line and its record stay together. */
  #lastLine(data: Buffer): number {
    const end = data.lastIndexOf('\n') + 1;
    if (end === 0) return 0;
    const begin = data.subarray(0, end - 1).lastIndexOf('\n') + 1;
    return data.toString('latin1', begin, begin + PAYLOAD.length) === PAYLOAD ? begin : end;
  }
}

/** Lines of a segment that are records. @throws what the file system throws */
export function countRecords(path: string): number {
  const lines = readFileSync(path, 'latin1').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith(PAYLOAD)).length;
}

const offsetFile = (path: string): string => path.replace(/\.jsonl$/, '.offset');

function readOffset(path: string): number {
  try {
    return Number(readFileSync(offsetFile(path), 'utf8')) || 0;
  } catch {
    return 0;
  }
}
