import { closeSync, ftruncateSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { object } from '../../guards/checks.ts';
import { UNKNOWN } from '../counts.ts';
import { joinBlocks, LINE_HEAD, placeOf, readLine, type Block, type Payload } from '../encode/block.ts';

/** Start of a line that names a payload's file. The line of its record follows. */
const PAYLOAD = '#payload ';
/** Bytes of lines that are read at a time. */
const CHUNK = 1024 * 1024;
/**
 * Bytes of payloads that are read at a time, plus at most one payload. Why: short lines may have
 * large payloads.
 */
const CHUNK_PAYLOADS = 8 * 1024 * 1024;
const LF = 10;
const LINE_END = Buffer.of(LF);

/** Numbers of records, by collection. */
export type Records = Map<string, number>;

/** A payload as its line names it. */
interface StoredPayload {
  /** In the segment's folder. */
  readonly file: string;
  readonly name: string;
  readonly contentType: string;
}

/** Lines that were read. */
export interface Chunk {
  readonly blocks: Block[];
  /** Position of the next line in the file. */
  readonly end: number;
  /** Files of payloads. They are removed when the chunk is delivered. */
  readonly files: readonly string[];
  readonly payloadBytes: number;
}

/**
 * A file of lines, `NNNNNN.jsonl`, and the position up to which it has been delivered,
 * `NNNNNN.offset`.
 */
export class Segment {
  readonly path: string;
  /** Length of the lines, without payloads. */
  bytes: number;
  /** Records that wait. What it has, and cannot give, is damaged. */
  readonly records: Records = new Map();
  #fd: number | undefined;
  #delivered: number;

  constructor(path: string) {
    this.path = path;
    this.bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#delivered = readOffset(path);
  }

  /**
   * Appends whole lines, or nothing. Answers their bytes on disk, payload included.
   * @throws errors of the file system
   */
  append(block: Block, nextFile: () => string): number {
    const bytes = this.#append(block, nextFile);
    addRecords(this.records, block.collection, block.records);
    return bytes;
  }

  /** Counts the records that an earlier process left. @throws errors of the file system */
  count(): void {
    for (const collection of collectionsIn(this.path, this.#delivered)) addRecords(this.records, collection, 1);
  }

  #append({ data, payloads: [payload] }: Block, nextFile: () => string): number {
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

  /** Closes the file. A later line opens it again. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /**
   * The next lines, about a megabyte, without those that are damaged: a record whose payload is
   * gone, too. Answers undefined where there are none.
   * @throws errors of the file system
   */
  read(): Chunk | undefined {
    const data = this.#readLines();
    if (data.length === 0) return undefined;
    const lines: Block[] = [];
    const files: string[] = [];
    let payload: Payload | undefined;
    let lost = false;
    let payloadBytes = 0;
    let at = 0;
    while (at < data.length && (payload !== undefined || payloadBytes < CHUNK_PAYLOADS)) {
      const end = data.indexOf(LF, at) + 1 || data.length;
      const line = data.subarray(at, end);
      at = end;
      if (isBlank(line)) continue;
      if (line.toString('latin1', 0, PAYLOAD.length) === PAYLOAD) {
        const stored = this.#storedPayload(line.toString());
        if (stored !== undefined) files.push(stored.path);
        payload = stored?.payload;
        lost = payload === undefined;
        payloadBytes += payload?.body.length ?? 0;
        continue;
      }
      const block = lost ? undefined : readLine(line.at(-1) === LF ? line : Buffer.concat([line, LINE_END]), payload);
      if (block !== undefined) lines.push(block);
      payload = undefined;
      lost = false;
    }
    return { blocks: joinBlocks(lines), end: this.#delivered + at, files, payloadBytes };
  }

  /**
   * Records on disk that the chunk has been delivered, and removes its payloads. On a full disk
   * these make the room for the record.
   * @throws errors of the file system
   */
  delivered({ blocks, end, files }: Chunk): void {
    this.#delivered = end;
    for (const { collection, records } of blocks) addRecords(this.records, collection, -records);
    const record = (): void => writeFileSync(offsetFile(this.path), String(end));
    try {
      record();
    } catch {
      for (const file of files) rmSync(file, { force: true });
      return record();
    }
    for (const file of files) rmSync(file, { force: true });
    return undefined;
  }

  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
    rmSync(offsetFile(this.path), { force: true });
  }

  /** Answers undefined where the line is damaged or its file cannot be read. */
  #storedPayload(text: string): { path: string; payload: Payload } | undefined {
    try {
      const stored: unknown = JSON.parse(text.slice(PAYLOAD.length));
      if (!isStoredPayload(stored)) return undefined;
      const { file, name, contentType } = stored;
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
      // A full disk may have taken a part of the line.
      ftruncateSync(fd, this.bytes);
      throw thrown;
    }
    this.bytes += data.length;
    return data.length;
  }

  /**
   * Whole lines. At the end of the file also half a line, which a process that was killed may have
   * left.
   */
  #readLines(): Buffer {
    const fd = openSync(this.path, 'r');
    try {
      const data = Buffer.allocUnsafe(CHUNK);
      const read = readSync(fd, data, 0, CHUNK, this.#delivered);
      if (read < CHUNK) return data.subarray(0, read);
      const last = this.#lastLine(data);
      if (last > 0) return data.subarray(0, last);
      // A record that is longer: the first line end behind is its own.
      const long = Buffer.allocUnsafe(lineEnd(fd, this.#delivered + CHUNK, data) - this.#delivered);
      return long.subarray(0, readSync(fd, long, 0, long.length, this.#delivered));
    } finally {
      closeSync(fd);
    }
  }

  /**
   * The end of the last line that is a record, so that a payload's line and its record stay
   * together.
   */
  #lastLine(data: Buffer): number {
    const end = data.lastIndexOf('\n') + 1;
    if (end === 0) return 0;
    const begin = data.subarray(0, end - 1).lastIndexOf('\n') + 1;
    return data.toString('latin1', begin, begin + PAYLOAD.length) === PAYLOAD ? begin : end;
  }
}

/**
 * Position behind the first line end from a position on, or the end of the file.
 * @param scratch memory for the search
 */
function lineEnd(fd: number, from: number, scratch: Buffer): number {
  for (let position = from; ;) {
    const read = readSync(fd, scratch, 0, scratch.length, position);
    const end = scratch.subarray(0, read).indexOf(LF);
    if (end >= 0) return position + end + 1;
    if (read === 0) return position;
    position += read;
  }
}

/** Adds to numbers of records, of which none is below 0. */
export function addRecords(records: Records, collection: string, count: number): void {
  const sum = (records.get(collection) ?? 0) + count;
  if (sum > 0) records.set(collection, sum);
  else records.delete(collection);
}

/**
 * The collection of each record of a segment from a position on. A damaged line is one record of an
 * unknown collection.
 * @throws errors of the file system
 */
function* collectionsIn(path: string, from: number): Generator<string> {
  const fd = openSync(path, 'r');
  const data = Buffer.allocUnsafe(CHUNK);
  let head = '';
  let last = 0;
  try {
    for (let position = from; ;) {
      const read = readSync(fd, data, 0, CHUNK, position);
      position += read;
      for (let at = 0; at < read;) {
        const end = data.subarray(0, read).indexOf(LF, at);
        const to = end < 0 ? read : end;
        if (head.length < LINE_HEAD) head += data.toString('latin1', at, Math.min(to, at + LINE_HEAD - head.length));
        if (to > at) last = data[to - 1] ?? 0;
        at = to + 1;
        if (end < 0) continue;
        if (isRecord(head)) yield collectionOf(head, last);
        head = '';
      }
      if (read === 0) break;
    }
    if (isRecord(head)) yield collectionOf(head, last);
  } finally {
    closeSync(fd);
  }
}

const isBlank = (line: Buffer): boolean => line.length < LINE_HEAD && line.toString('latin1').trim() === '';
const isRecord = (line: string): boolean => line.trim() !== '' && !line.startsWith(PAYLOAD);

/** @param head start of the line @param last its last byte */
const collectionOf = (head: string, last: number): string => placeOf(head, last)?.collection ?? UNKNOWN;

/** Number of a segment's lines that are records. @throws errors of the file system */
export function countRecords(path: string): number {
  const lines = readFileSync(path, 'latin1').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith(PAYLOAD)).length;
}

const offsetFile = (path: string): string => path.replace(/\.jsonl$/, '.offset');

/**
 * 0 where there is no offset that can be read: then lines are delivered twice rather than never.
 */
function readOffset(path: string): number {
  try {
    const offset = Number(readFileSync(offsetFile(path), 'utf8'));
    return Number.isSafeInteger(offset) && offset > 0 ? offset : 0;
  } catch {
    return 0;
  }
}

const isStoredPayload = (value: unknown): value is StoredPayload =>
  object(value) && ['file', 'name', 'contentType'].every((member) => typeof value[member] === 'string');
