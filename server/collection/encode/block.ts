/** A payload that is stored as a file of its own, before the line that refers to it. */
export interface Payload {
  /** Relative to the root of the layout. */
  readonly name: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Lines of one collection and hour that are delivered together: CloudEvents, one JSON text a line.
 */
export interface Block {
  readonly collection: string;
  /** `YYYY-MM-DDTHH`, UTC: the hour of the folder that they belong to. */
  readonly hour: string;
  /** True for rows of the v1 API, which go into CSV files where the sink has files. */
  readonly v1: boolean;
  /** Whole lines, each with its end. */
  readonly data: Buffer;
  /** Number of lines; 0 for a part whose block is counted elsewhere. */
  readonly records: number;
  /** True where memory is their only place. False: they are on disk until they are delivered. */
  readonly counted: boolean;
  readonly payloads: readonly Payload[];
}

const LF = 10;
const BRACE = 125;

/** Objects around a line, in bytes, about. */
const LINE_OVERHEAD = 256;

/** Bytes of a block on disk. */
export const blockBytes = ({ data, payloads }: Block): number => payloads.reduce((sum, { body }) => sum + body.length, data.length);

/** Bytes of memory of a block, about. Rows of the v1 API are there a second time, as CSV. */
export const memoryOf = (block: Block): number => LINE_OVERHEAD * block.records + (block.v1 ? block.data.length : 0) + blockBytes(block);

/** A copy of a block's lines where they share memory with lines that may be gone before. */
export function copyAlone(block: Block): Block {
  const { data } = block;
  if (data.buffer.byteLength <= 2 * data.length) return block;
  const own = Buffer.allocUnsafeSlow(data.length);
  own.set(data);
  return { ...block, data: own };
}

/** Splits a block into blocks of one line. A block with payloads has one line already. */
export function splitLines(block: Block): Block[] {
  if (block.records <= 1) return [block];
  const lines: Block[] = [];
  for (let at = 0; at < block.data.length;) {
    const end = block.data.indexOf(LF, at) + 1 || block.data.length;
    lines.push({ ...block, data: block.data.subarray(at, end), records: 1 });
    at = end;
  }
  return lines;
}

/**
 * Start of a line. No other text matches, because attributes have this order and quotes inside of
 * texts are escaped.
 */
const PLACE =
  /^\{"specversion":"1\.0","id":"[^"]*","source":"(?:[^"\\]|\\.)*","type":"azureml\.inference\.([^"]*)","datacontenttype":"[^"]*","time":"([^"]{13})/;
export const V1 = '"layout":"csv-v1"';

/** Longest start of a line that `placeOf` needs; bytes. */
export const LINE_HEAD = 16 * 1024;

/**
 * Collection and hour of a line. Answers undefined where the line is damaged.
 * @param head its start
 * @param last its last byte before the line end
 */
export function placeOf(head: string, last: number | undefined): Pick<Block, 'collection' | 'hour'> | undefined {
  const [, collection, hour] = PLACE.exec(head) ?? [];
  return collection === undefined || hour === undefined || last !== BRACE ? undefined : { collection, hour };
}

/**
 * Makes a block of a line that was read from disk, with its line end. Answers undefined where the
 * line is damaged. Makes no text of the line, which may have 48 MiB.
 */
export function readLine(line: Buffer, payload: Payload | undefined): Block | undefined {
  const place = placeOf(line.toString('latin1', 0, LINE_HEAD), line.at(-2));
  if (place === undefined) return undefined;
  const payloads = payload === undefined ? [] : [payload];
  return { ...place, v1: line.includes(V1), data: line, records: 1, counted: false, payloads };
}

/** Joins neighbours that belong to the same file. */
export function joinBlocks(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  let group: Block[] = [];
  const end = (): void => {
    const [first] = group;
    if (group.length === 1 && first !== undefined) joined.push(first);
    else if (first !== undefined) joined.push({ ...first, data: Buffer.concat(group.map(({ data }) => data)), records: group.length });
    group = [];
  };
  for (const block of blocks) {
    const [first] = group;
    const alone = block.v1 || block.payloads.length > 0;
    if (alone || first?.collection !== block.collection || first.hour !== block.hour) end();
    if (alone) joined.push(block);
    else group.push(block);
  }
  end();
  return joined;
}
