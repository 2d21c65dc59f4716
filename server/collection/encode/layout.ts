import { CSV_COLUMNS, csvHeader, csvRow } from './csv.ts';
import type { Block } from './block.ts';
import { pathSegment } from '../path-segment.ts';
import type { CollectionSettings } from '../settings.ts';

/** Files that are appended to, one after the other: `<folder>/<name>.<extension>`. */
export interface Stream {
  readonly folder: string;
  /** Name of the first file. */
  readonly name: string;
  /** Name of the first file when the one above is somebody else's. */
  readonly ownName: string;
  readonly extension: 'jsonl' | 'csv';
  /** The first line of each file. */
  readonly header: string;
}

/** A block, or the part of it that belongs to one stream. */
export interface Placed {
  readonly key: string;
  readonly stream: Stream;
  readonly data: Buffer;
}

type Row = Readonly<Record<string, unknown>>;

/** Decides which file a block belongs to: reference/data-collection.md, sections 4 and 6. */
export class Layout {
  readonly #settings: CollectionSettings;
  readonly #instance: string;
  readonly #streams = new Map<string, Stream>();

  /** @param instance name of this process, and of its files: the host's name and a part that is new at each start */
  constructor(settings: CollectionSettings, instance: string) {
    this.#settings = settings;
    this.#instance = pathSegment(instance);
  }

  /** Rows of the v1 API may belong to several days. */
  place(block: Block): Placed[] {
    if (block.v1) return this.#placeRows(JSON.parse(block.data.toString()) as { data: Row[]; csvname: string });
    const key = `${block.collection}/${block.hour}`;
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      // Hours pass: the few that are in use come back at once.
      if (this.#streams.size > 100) this.#streams.clear();
      const { endpoint, deployment } = this.#settings;
      const folder = [endpoint, deployment, block.collection, ...block.hour.split(/[-T]/)].join('/');
      stream = { folder, name: this.#instance, ownName: this.#instance, extension: 'jsonl', header: '' };
      this.#streams.set(key, stream);
    }
    return [{ key, stream, data: block.data }];
  }

  #placeRows({ data, csvname }: { data: Row[]; csvname: string }): Placed[] {
    const byFile = new Map<string, Row[]>();
    for (const row of data) {
      const folder = this.#folderOf(row, csvname);
      // A file has one header.
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

  /** `<subscription>/<group>/<workspace>/<service>/<model>/<version>/<designation>/<year>/<month>/<day>`, by the row's own columns. */
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

const cell = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
