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
  /** Memory that the host counts for them, in bytes; 0 where they came from disk. */
  readonly cost: number;
  /** True where the host counts them as under way; false where they came from disk. */
  readonly counted: boolean;
  readonly payloads: readonly Payload[];
}

const LF = 10;

/** Bytes of memory of a block. */
export const blockBytes = ({ data, payloads }: Block): number => payloads.reduce((sum, { body }) => sum + body.length, data.length);

/** Splits a block into blocks of one line. A block with payloads has one line already. */
export function splitLines(block: Block): Block[] {
  if (block.records <= 1) return [block];
  const lines: Block[] = [];
  for (let at = 0; at < block.data.length;) {
    const end = block.data.indexOf(LF, at) + 1 || block.data.length;
    lines.push({ ...block, data: block.data.subarray(at, end), records: 1, cost: at === 0 ? block.cost : 0 });
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

/**
 * Makes a block of a line that was read from disk, without its line end. Answers undefined where
 * the line is damaged.
 */
export function readLine(text: string, payload: Payload | undefined): Block | undefined {
  const [, collection, hour] = PLACE.exec(text) ?? [];
  if (collection === undefined || hour === undefined || !text.endsWith('}')) return undefined;
  const payloads = payload === undefined ? [] : [payload];
  return { collection, hour, v1: text.includes(V1), data: Buffer.from(`${text}\n`), records: 1, cost: 0, counted: false, payloads };
}

/** Joins neighbours that belong to the same file. */
export function joinBlocks(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  let group: Block[] = [];
  const end = (): void => {
    const [first] = group;
    if (first !== undefined) joined.push({ ...first, data: Buffer.concat(group.map(({ data }) => data)), records: group.length });
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
