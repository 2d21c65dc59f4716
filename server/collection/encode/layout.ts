import { object } from '../../guards/checks.ts';
import { CSV_COLUMNS, csvHeader, csvRow, numbersAsPythonWrites } from './csv.ts';
import type { Block } from './block.ts';
import { pathSegment } from '../path-segment.ts';
import type { CollectionSettings } from '../settings.ts';

/**
 * A sequence of files, each appended to until the next one begins: `<folder>/<name>.<extension>`.
 */
export interface Stream {
  readonly folder: string;
  /** Name of the first file. */
  readonly name: string;
  /** Name of the first file where another process has one of the name above. */
  readonly ownName: string;
  readonly extension: 'jsonl' | 'csv';
  /** The first line of each file; empty where there is none. */
  readonly header: string;
}

/** A block, or the part of it that belongs to one stream. */
export interface Placed {
  readonly key: string;
  readonly stream: Stream;
  readonly data: Buffer;
}

type Row = Readonly<Record<string, unknown>>;

/** A record of the v1 API. */
interface Rows {
  readonly data: readonly Row[];
  /** Name of the CSV file. */
  readonly csvname: string;
}

/** Decides to which files a block belongs: docs/data-collection.md. */
export class Layout {
  readonly #settings: CollectionSettings;
  readonly #instance: string;
  readonly #streams = new Map<string, Stream>();

  /**
   * @param instance name of this process and of its files: the host's name, and a part that is new
   * at each start
   */
  constructor(settings: CollectionSettings, instance: string) {
    this.#settings = settings;
    this.#instance = pathSegment(instance);
  }

  /**
   * The files of a block, and the data that each one gets. Rows of the v1 API may belong to several
   * days. Where they are no rows, the block's line goes to the file of lines.
   */
  place(block: Block): Placed[] {
    const rows = block.v1 ? readRows(block.data.toString()) : undefined;
    if (rows !== undefined) return this.#placeRows(rows);
    const key = `${block.collection}/${block.hour}`;
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      // Streams of past hours go. The few in use are made again.
      if (this.#streams.size > 100) this.#streams.clear();
      const { endpoint, deployment } = this.#settings;
      const folder = [endpoint, deployment, block.collection, ...block.hour.split(/[-T]/)].join('/');
      stream = { folder, name: this.#instance, ownName: this.#instance, extension: 'jsonl', header: '' };
      this.#streams.set(key, stream);
    }
    return [{ key, stream, data: block.data }];
  }

  #placeRows({ data, csvname }: Rows): Placed[] {
    const byFile = new Map<string, Row[]>();
    for (const row of data) {
      const folder = this.#folderOf(row, csvname);
      // A file has one header, so that rows of other columns need another file.
      const key = `${folder} ${Object.keys(row).join(',')}`;
      byFile.set(key, [...(byFile.get(key) ?? []), row]);
    }
    return [...byFile].map(([key, rows]) => {
      const [first = {}] = rows;
      const name = pathSegment(csvname);
      const folder = this.#folderOf(first, csvname);
      const stream = { folder, name, ownName: `${name}-${this.#instance}`, extension: 'csv' as const, header: csvHeader(first) };
      return { key, stream, data: Buffer.from(rows.map(csvRow).join('')) };
    });
  }

  /**
   * `<subscription>/<group>/<workspace>/<service>/<model>/<version>/<designation>`, then
   * `<year>/<month>/<day>`, by the row's own columns.
   */
  #folderOf(row: Row, csvname: string): string {
    const [, time, , workspace, service, model, version] = CSV_COLUMNS.map((column) => cell(row[column]));
    const account = (workspace || this.#settings.workspace).toLowerCase().split('/').map(pathSegment);
    return [
      ...account,
      pathSegment(service || this.#settings.endpoint),
      pathSegment(model || 'default'),
      pathSegment(version || 'default'),
      pathSegment(csvname),
      ...(time ?? '').slice(0, 10).split('-').map(pathSegment),
    ].join('/');
  }
}

/**
 * Reads a line of the v1 API. Answers undefined where it has another form: scripts and disks bring
 * lines.
 */
function readRows(line: string): Rows | undefined {
  try {
    const event: unknown = JSON.parse(line, numbersAsPythonWrites);
    if (!object(event)) return undefined;
    const { data, csvname } = event;
    return Array.isArray(data) && data.every(object) && typeof csvname === 'string' ? { data, csvname } : undefined;
  } catch {
    return undefined;
  }
}

const cell = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
