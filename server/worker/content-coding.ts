import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync, type InputType, zstdDecompressSync } from 'node:zlib';
import { wholeCharacters } from '../guards/output-lines.ts';

interface Options {
  readonly maxOutputLength: number;
  readonly finishFlush?: number;
}
type Decoder = (bytes: InputType, options: Options) => Buffer;
interface CodingRow {
  readonly decoders: readonly Decoder[];
  /** Takes a beginning for what it is. */
  readonly flush: number;
}

const gzip: CodingRow = { decoders: [gunzipSync], flush: constants.Z_SYNC_FLUSH };
const rows: ReadonlyMap<string, CodingRow> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  // Some senders leave the zlib head out.
  ['deflate', { decoders: [inflateSync, inflateRawSync], flush: constants.Z_SYNC_FLUSH }],
  ['br', { decoders: [brotliDecompressSync], flush: constants.BROTLI_OPERATION_FLUSH }],
  ['zstd', { decoders: [zstdDecompressSync], flush: constants.ZSTD_e_flush }],
]);

/** Bytes that decide. */
const SAMPLE = 4096;
const MOST_DECODED = 64 * 1024;
/** Control characters that text has not. Compressed bytes of any length that matters have some. */
// oxlint-disable-next-line no-control-regex -- it is about control characters
const NOT_IN_TEXT = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

/** Codings of a `content-encoding`, in the order in which they were applied. */
export function codingsOf(contentEncoding: string): string[] {
  return contentEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

/**
 * Whether a body that begins so still has its outermost coding. True where nobody can know.
 * @param whole the bytes are the whole body
 */
export function isEncoded(contentEncoding: string, first: Buffer, whole: boolean): boolean {
  const row = rows.get(codingsOf(contentEncoding).at(-1) ?? '');
  if (row === undefined) return true;
  const sample = first.subarray(0, SAMPLE);
  // A chunk may end inside of a character.
  if (isUtf8(sample.subarray(0, wholeCharacters(sample))) && !NOT_IN_TEXT.test(sample.toString('latin1'))) return false;
  const options = whole && first.length <= SAMPLE ? {} : { finishFlush: row.flush };
  return row.decoders.some((decode) => decodes(decode, sample, { ...options, maxOutputLength: MOST_DECODED }));
}

function decodes(decode: Decoder, bytes: Buffer, options: Options): boolean {
  try {
    decode(bytes, options);
    return true;
  } catch (thrown) {
    return thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';
  }
}
