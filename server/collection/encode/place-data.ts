import { quote } from './attributes.ts';
import type { Payload } from './block.ts';
import type { Data } from './payload-data.ts';

/** A line must fit into one block of an append blob (4 MiB) with its attributes. */
const LARGEST_INLINE = 4 * 1024 * 1024 - 64 * 1024;

/** A text of control characters grows to six times its size as JSON. */
export const LARGEST_DATA = 48 * 1024 * 1024;

/** How a sink stores payloads that do not fit into a line. */
export interface References {
  /**
   * The address of a payload with this name, relative to the root. Answers undefined where the sink
   * has no files.
   */
  reference(name: string): string | undefined;
  /** Largest data of a line, in bytes, where the sink has a limit of its own. */
  readonly largestInline: number;
}

/** The parts of a line that its data decides. */
export interface PlacedData {
  /** The member's name; empty where `content` contains it, or there is no data. */
  readonly member: Buffer;
  /** The data, after `member`. */
  readonly content: Buffer | string;
  /** Length of the data; undefined where there is none. */
  readonly bytes?: number;
  /** JSON members, each with a comma before it. */
  readonly more?: string;
  readonly contentType?: string;
  /** A file that is stored before the line. */
  readonly payload?: Payload;
  /** Why there is no data; undefined where there is. */
  readonly omitted?: string;
}

const NOTHING = Buffer.alloc(0);
const DATA = Buffer.from(',"data":');

export const NO_DATA: PlacedData = { member: NOTHING, content: NOTHING };

/**
 * Puts data into the line, or into a file of its own.
 * @param nameOf answers the name of such a file, without its extension
 */
export function placeData(data: Data, contentType: string, references: References, nameOf: () => string): PlacedData {
  const bytes = 'json' in data ? data.bytes : data.binary.length;
  if (bytes > LARGEST_DATA) return { ...NO_DATA, omitted: 'size' };
  if ('json' in data && bytes <= Math.min(LARGEST_INLINE, references.largestInline)) return { member: DATA, content: data.json, bytes };
  const name = `${nameOf()}.${'json' in data ? 'json' : 'bin'}`;
  const reference = references.reference(name);
  if (reference === undefined) {
    const length = 'json' in data ? bytes : Math.ceil(bytes / 3) * 4;
    if (length > references.largestInline) return { ...NO_DATA, omitted: 'size' };
    if ('json' in data) return { member: DATA, content: data.json, bytes };
    const content = `,"data_base64":"${data.binary.toString('base64')}"`;
    return { member: NOTHING, content, bytes, contentType: 'application/octet-stream' };
  }
  // Payloads are copies, because the batch that holds the data is filled again.
  if ('json' in data) {
    const payload = { name, contentType: 'application/json', body: copyOf(data.json) };
    return { member: NOTHING, content: `,"dataref":${quote(reference)}`, bytes, payload };
  }
  const payload = { name, contentType: contentType || 'application/octet-stream', body: Buffer.from(data.binary) };
  return { member: DATA, content: JSON.stringify(reference), bytes, more: ',"datainblob":"true"', contentType: 'text/plain', payload };
}

const copyOf = (data: Buffer | string): Buffer => (typeof data === 'string' ? Buffer.from(data) : Buffer.from(data));
