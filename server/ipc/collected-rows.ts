/**
 * The payload of a `collect` frame: u8 length, collection | u32 length, JSON CollectHead | JSON
 * array of rows.
 */
import { bufferFrom, byteLength } from '../guards/built-ins.ts';
import { finite, optional, recordOf, shape, text } from '../guards/checks.ts';
import { FrameError, writeUint32 } from './frames.ts';
import { beginning, lengthPrefixedEnd, messageReader } from './message-reader.ts';
import { collectionName } from './worker-messages.ts';

/** Head of rows that a script collected, and of their record. */
export interface CollectHead {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Extra attributes. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly modelVersion?: string;
  /** Name of the CSV file of rows of the v1 API, which carry their correlation columns. */
  readonly v1?: string;
}

const readHead = messageReader(
  'collect',
  shape<{ readonly [Name in keyof CollectHead]: CollectHead[Name] | undefined }>({
    id: text,
    time: finite,
    headers: optional(recordOf(text)),
    modelVersion: optional(text),
    v1: optional(text),
  }),
);

/** The parts of a payload. @param head JSON text of a CollectHead @param rows JSON text */
export function collectParts(collection: string, head: string, rows: string): (string | Uint8Array)[] {
  const name = bufferFrom(collection, 'latin1');
  const length = new Uint8Array(4);
  writeUint32(length, 0, byteLength(head));
  return [Uint8Array.of(name.length), name, length, head, rows];
}

/** Checks a payload, but for the contents of its rows. @throws FrameError */
export function checkCollect(payload: Buffer): void {
  const nameEnd = 1 + (payload[0] ?? 0);
  if (!collectionName(payload.toString('latin1', 1, nameEnd)))
    throw new FrameError(`a message 'collect' of a collection without a name: ${beginning(payload)}`);
  const rowsAt = lengthPrefixedEnd(payload, nameEnd, 'collect');
  readHead(payload.subarray(nameEnd + 4, rowsAt));
  if (payload[rowsAt] !== 0x5b || payload.at(-1) !== 0x5d) throw new FrameError(`a message 'collect' without rows: ${beginning(payload)}`);
}
