import { byteLength } from '../../guards/built-ins.ts';
import { bounded, stackOfThrown } from '../../guards/thrown.ts';
import { isSampled } from '../../request/sampling.ts';
import { Columns, type CollectedRow } from './columns.ts';
import type { CollectHead } from '../../ipc/collected-rows.ts';
import { MOST_COLLECTED_BYTES, MOST_COLLECTIONS } from '../../ipc/limits.ts';
import { jsonText } from '../../ipc/message-text.ts';
import type { CollectionStart } from '../../ipc/start-message.ts';
import type { ToHost } from '../../ipc/to-host.ts';
import type { NotCollected } from '../../ipc/worker-messages.ts';

/**
 * Connects a script's collectors to the server. Outside the server there is none, and nothing is
 * collected. Where collection is off there is one that keeps nothing.
 */
export interface CollectionPort {
  /** Id of the request whose code runs now, also after an await. */
  readonly requestId: string | undefined;
  /** Origin of v1 records. */
  readonly identity: Pick<CollectionStart, 'workspace' | 'endpoint' | 'modelVersions'>;
  /** Whether rows of this id are kept. Counts those that are not. */
  keeps(collection: string, id: string): boolean;
  /** Names and types of the columns of a collection that is kept. */
  columns(collection: string): Columns;
  /** @param rows that `columns` made */
  send(collection: string, head: CollectHead, rows: readonly CollectedRow[]): void;
  /** Counts data that could not be collected, and logs the first case. */
  failed(collection: string, error: Error): void;
}

/**
 * Property of `globalThis` that holds the port. Why global: a script writes only `new
 * Collector(...)`, and may import another copy of this package than the worker's.
 */
const PLACE = Symbol.for('scoring-server.collection');

export function installPort(port: CollectionPort | undefined): void {
  Object.defineProperty(globalThis, PLACE, { value: port, configurable: true });
}

export function installedPort(): CollectionPort | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `installPort`, of this copy or another, sets the property
  return (globalThis as { [PLACE]?: CollectionPort })[PLACE];
}

/** Keeps nothing, and knows the request. */
export class ClosedPort implements CollectionPort {
  readonly identity = { workspace: 'default/default/default', endpoint: 'default', modelVersions: {} };
  readonly #requestId: () => string | undefined;

  constructor(requestId: () => string | undefined) {
    this.#requestId = requestId;
  }

  get requestId(): string | undefined {
    return this.#requestId();
  }

  keeps(): boolean {
    return false;
  }

  columns(): Columns {
    return new Columns();
  }

  send(): void {}

  failed(): void {}
}

interface Parts {
  readonly settings: CollectionStart;
  readonly toHost: ToHost;
  readonly requestId: () => string | undefined;
  /** The code that runs belongs to a deep check. */
  readonly ofSample: () => boolean;
  readonly warn: (text: string) => void;
  /** True where a model has a float tensor of this name. */
  readonly isFloat: (name: string) => boolean;
}

/** The collection of rows that have no name of their own in the counts. */
const UNKNOWN = 'unknown';

/** Hands rows to the host, as bytes. */
export class WorkerPort implements CollectionPort {
  readonly identity: CollectionStart;
  readonly #parts: Parts;
  #counts = new Map<string, NotCollected>();
  readonly #collections = new Map<string, Columns>();
  readonly #logged = new Set<string>();
  /** False during warm-up. Why: rows of that time belong to no request. */
  open = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.identity = parts.settings;
  }

  get requestId(): string | undefined {
    return this.#parts.requestId();
  }

  keeps(collection: string, id: string): boolean {
    const { rates, others } = this.#parts.settings;
    const rate = (Object.hasOwn(rates, collection) ? rates[collection] : undefined) ?? others;
    if (!this.open || this.#parts.ofSample() || !this.#isKnown(collection)) return false;
    if (rate > 0 && isSampled(id, rate)) return true;
    this.#count(collection, rate > 0 ? 'sampled_out' : 'not_selected');
    if (rate === 0)
      this.#warnOnce(collection, 'its rows are not collected: MDC_COLLECTIONS, or the configuration of the platform, does not select it');
    return false;
  }

  columns(collection: string): Columns {
    const { isFloat, warn } = this.#parts;
    return this.#collections.get(collection) ?? new Columns({ isFloat, warn: (text) => warn(`${collection}: ${text}`) });
  }

  /** Counts rows of a collection beyond the limit. */
  #isKnown(collection: string): boolean {
    if (this.#collections.has(collection)) return true;
    if (this.#collections.size < MOST_COLLECTIONS) {
      this.#collections.set(collection, this.columns(collection));
      return true;
    }
    this.#count(UNKNOWN, 'too_many_collections');
    this.#warnOnce(UNKNOWN, `rows of further collections are dropped: expected at most ${MOST_COLLECTIONS}, ${collection} is one more`);
    return false;
  }

  /** @throws RangeError when the rows are too many for one frame */
  send(collection: string, given: CollectHead, rows: readonly CollectedRow[]): void {
    const head = headOf(given);
    const rowsText = this.columns(collection).text(rows);
    if (Math.max(rowsText.length, head.length) * 3 > MOST_COLLECTED_BYTES && byteLength(rowsText) + byteLength(head) > MOST_COLLECTED_BYTES)
      throw new RangeError(`collect: expected at most ${MOST_COLLECTED_BYTES} bytes of rows as JSON, got ${byteLength(rowsText)}`);
    this.#parts.toHost.collect(collection, head, rowsText);
  }

  failed(collection: string, error: Error): void {
    const known = collection !== UNKNOWN && this.#isKnown(collection) ? collection : UNKNOWN;
    this.#count(known, 'invalid_data');
    this.#warnOnce(`${known} data`, `data is not collected: ${error.cause === undefined ? error.message : stackOfThrown(error)}`, known);
  }

  /** @param what is logged once for each of these */
  #warnOnce(what: string, text: string, collection = what): void {
    if (this.#logged.has(what)) return;
    this.#logged.add(what);
    this.#parts.warn(`${collection}: ${text} (logged once)`);
  }

  /** Sends the counts of one turn of the loop in one frame. */
  #count(collection: string, reason: NotCollected['reason']): void {
    if (this.#counts.size === 0) setImmediate(() => this.#sendCounts());
    const key = `${collection} ${reason}`;
    this.#counts.set(key, { collection, reason, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }

  #sendCounts(): void {
    this.#parts.toHost.notCollected([...this.#counts.values()]);
    this.#counts = new Map();
  }
}

/** The last millisecond of the year 9999, the last one that a record's time can write. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Text of a head. Why bounded and checked: a script may pass anything as a context. */
function headOf({ id, time, headers, modelVersion, v1 }: CollectHead): string {
  return jsonText({
    id: bounded(id),
    time: time >= 0 && time <= LATEST ? time : Date.now(),
    headers,
    modelVersion: modelVersion && bounded(modelVersion),
    v1: v1 && bounded(v1),
  });
}
