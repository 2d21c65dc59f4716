/** A payload that is stored as a file of its own, before the line that refers to it. */
export interface Payload {
  /** Relative to the root of the layout. */
  readonly name: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Lines of one collection and hour that travel together: CloudEvents, one JSON text a line. */
export interface Block {
  readonly collection: string;
  /** `YYYY-MM-DDTHH`, UTC: the hour whose folder they belong to. */
  readonly hour: string;
  /** True for rows of the v1 API, which go into CSV files where the sink has files. */
  readonly v1: boolean;
  /** Whole lines, each with its end. */
  readonly data: Buffer;
  /** Lines; 0 for a part of a block that is counted elsewhere. */
  readonly records: number;
  /** Memory that the host counts for them; 0 where they came from disk. */
  readonly cost: number;
  /** True where the host waits to hear of them. */
  readonly counted: boolean;
  readonly payloads: readonly Payload[];
}

const LF = 10;

/** Bytes of memory of a block. */
export const blockBytes = ({ data, payloads }: Block): number => payloads.reduce((sum, { body }) => sum + body.length, data.length);

/** One block a line. Payloads belong to a block of one line. */
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

/** The attributes come in this order, whatever wrote the line, and a quote inside a text is escaped: so nothing else can match. */
const PLACE =
  /^\{"specversion":"1\.0","id":"[^"]*","source":"(?:[^"\\]|\\.)*","type":"azureml\.inference\.([^"]*)","datacontenttype":"[^"]*","time":"([^"]{13})/;
export const V1 = '"layout":"csv-v1"';

/** A line as it was read back from disk, without its end; undefined: it is damaged. */
export function readLine(text: string, payload: Payload | undefined): Block | undefined {
  const [, collection, hour] = PLACE.exec(text) ?? [];
  if (collection === undefined || hour === undefined || !text.endsWith('}')) return undefined;
  const payloads = payload === undefined ? [] : [payload];
  return { collection, hour, v1: text.includes(V1), data: Buffer.from(`${text}\n`), records: 1, cost: 0, counted: false, payloads };
}

/** Neighbours of the same file as one block. */
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
