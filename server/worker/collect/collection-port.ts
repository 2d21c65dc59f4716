import { byteLength } from '../../guards/built-ins.ts';
import { bounded, stackOfThrown } from '../../guards/thrown.ts';
import { isSampled } from '../../request/sampling.ts';
import type { CollectedRow } from './collect-rows.ts';
import type { CollectHead } from '../../ipc/collected-rows.ts';
import { MOST_COLLECTED_BYTES } from '../../ipc/limits.ts';
import { jsonText } from '../../ipc/message-text.ts';
import type { CollectionStart } from '../../ipc/start-message.ts';
import type { ToHost } from '../../ipc/to-host.ts';
import type { NotCollected } from '../../ipc/worker-messages.ts';

/**
 * Connects a script's collectors to the server. Outside the server there is none, and nothing is
 * collected.
 */
export interface CollectionPort {
  /** Id of the request whose code runs now, also after an await. */
  readonly requestId: string | undefined;
  /** Origin of v1 records. */
  readonly identity: Pick<CollectionStart, 'workspace' | 'endpoint' | 'modelVersions'>;
  /** Whether rows of this id are kept. Counts those that are not. */
  keeps(collection: string, id: string): boolean;
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

interface Parts {
  readonly settings: CollectionStart;
  readonly toHost: ToHost;
  readonly requestId: () => string | undefined;
  readonly warn: (text: string) => void;
}

/** Hands rows to the host, as bytes. */
export class WorkerPort implements CollectionPort {
  readonly identity: CollectionStart;
  readonly #parts: Parts;
  #counts = new Map<string, NotCollected>();
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
    if (!this.open || rate === 0) return false;
    if (isSampled(id, rate)) return true;
    this.#count(collection, 'sampled_out');
    return false;
  }

  /** @throws RangeError when the rows are too many for one frame */
  send(collection: string, given: CollectHead, rows: readonly CollectedRow[]): void {
    const head = headOf(given);
    const rowsText = jsonText(rows);
    if (Math.max(rowsText.length, head.length) * 3 > MOST_COLLECTED_BYTES && byteLength(rowsText) + byteLength(head) > MOST_COLLECTED_BYTES)
      throw new RangeError(`collect: expected at most ${MOST_COLLECTED_BYTES} bytes of rows as JSON, got ${byteLength(rowsText)}`);
    this.#parts.toHost.collect(collection, head, rowsText);
  }

  failed(collection: string, error: Error): void {
    this.#count(collection, 'invalid_data');
    if (this.#logged.has(collection)) return;
    this.#logged.add(collection);
    this.#parts.warn(
      `${collection}: data is not collected (logged once): ${error.cause === undefined ? error.message : stackOfThrown(error)}`,
    );
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

/** Text of a head. Why bounded and checked: a script may pass anything as a context. */
function headOf({ id, time, headers, modelVersion, v1 }: CollectHead): string {
  return jsonText({
    id: bounded(id),
    time: Number.isFinite(time) ? time : Date.now(),
    headers,
    modelVersion: modelVersion && bounded(modelVersion),
    v1: v1 && bounded(v1),
  });
}
