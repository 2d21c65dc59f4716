import { quote } from './attributes.ts';
import type { Payload } from './block.ts';
import type { Data } from './payload-data.ts';

/** A line must fit into one block of an append blob (4 MiB) with its attributes. */
const LARGEST_INLINE = 4 * 1024 * 1024 - 64 * 1024;

/** What a sink can do with payloads that do not fit into a line. */
export interface References {
  /** The address that a payload of this name (relative to the root) will have; undefined: the sink has no files. */
  reference(name: string): string | undefined;
  /** Largest data of a line where payloads cannot be stored beside it. */
  readonly largestInline: number;
}

/** What a line has of its data. */
export interface PlacedData {
  /** The name of the data, or nothing. */
  readonly member: Buffer;
  /** The data, after `member`. */
  readonly content: Buffer | string;
  /** Of the data; undefined: there is none. */
  readonly bytes?: number;
  /** JSON members, each with a comma before it. */
  readonly more?: string;
  readonly contentType?: string;
  /** What is stored beside the line. */
  readonly payload?: Payload;
  /** Why there is no data. */
  readonly omitted?: string;
}

const NOTHING = Buffer.alloc(0);
const DATA = Buffer.from(',"data":');

export const NO_DATA: PlacedData = { member: NOTHING, content: NOTHING };

/** Where data goes: into the line, or into a file of its own. @param nameOf the name of such a file, without its extension */
export function placeData(data: Data, contentType: string, references: References, nameOf: () => string): PlacedData {
  const bytes = 'json' in data ? data.bytes : data.binary.length;
  if ('json' in data && bytes <= LARGEST_INLINE) return { member: DATA, content: data.json, bytes };
  const name = `${nameOf()}.${'json' in data ? 'json' : 'bin'}`;
  const reference = references.reference(name);
  if (reference === undefined) {
    if (bytes > references.largestInline) return { ...NO_DATA, omitted: 'size' };
    if ('json' in data) return { member: DATA, content: data.json, bytes };
    const content = `,"data_base64":"${data.binary.toString('base64')}"`;
    return { member: NOTHING, content, bytes, contentType: 'application/octet-stream' };
  }
  // Copies: the batch that they are views of is used again.
  if ('json' in data) {
    const payload = { name, contentType: 'application/json', body: Buffer.from(data.json as string) };
    return { member: NOTHING, content: `,"dataref":${quote(reference)}`, bytes, payload };
  }
  const payload = { name, contentType: contentType || 'application/octet-stream', body: Buffer.from(data.binary) };
  return { member: DATA, content: quote(reference), bytes, more: ',"datainblob":"true"', contentType: 'text/plain', payload };
}
