import { byteLength } from '../../guards/built-ins.ts';
import { bounded } from '../../guards/thrown.ts';
import { isSampled } from '../../request/sampling.ts';
import type { CollectedRow } from './collect-rows.ts';
import type { CollectHead } from '../../ipc/collected-rows.ts';
import { MOST_COLLECTED_BYTES } from '../../ipc/limits.ts';
import { jsonText } from '../../ipc/message-text.ts';
import type { CollectionStart } from '../../ipc/start-message.ts';
import type { ToHost } from '../../ipc/to-host.ts';
import type { NotCollected } from '../../ipc/worker-messages.ts';

/** What a script's collectors are connected to. Outside the server there is none, and nothing is collected. */
export interface CollectionPort {
  /** Id of the request for which code runs now, also after an await. */
  readonly requestId: string | undefined;
  /** Who v1 records say that they come from. */
  readonly identity: Pick<CollectionStart, 'workspace' | 'endpoint' | 'modelVersions'>;
  /** True where rows of this id are kept; counts them where they are not. */
  keeps(collection: string, id: string): boolean;
  send(collection: string, head: CollectHead, rows: readonly CollectedRow[]): void;
  /** Data that could not be collected: counted, and told once. */
  failed(collection: string, error: Error): void;
}

/**
 * Where collectors find it. A script makes them with `new Collector(...)`, with no more to go on, and possibly from another copy of
 * this package than the worker's: so it is a property of the process, as `console` is.
 */
const PLACE = Symbol.for('scoring-server.collection');

export function installPort(port: CollectionPort | undefined): void {
  Object.defineProperty(globalThis, PLACE, { value: port, configurable: true });
}

export function installedPort(): CollectionPort | undefined {
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
  readonly #told = new Set<string>();
  /** False while the worker warms up: what a script collects then is no request's. */
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
    if (this.#told.has(collection)) return;
    this.#told.add(collection);
    this.#parts.warn(`${collection}: data is not collected (told once): ${error.message}`);
  }

  /** What one turn of the loop left out is told in one frame. */
  #count(collection: string, reason: NotCollected['reason']): void {
    if (this.#counts.size === 0) setImmediate(() => this.#tell());
    const key = `${collection} ${reason}`;
    this.#counts.set(key, { collection, reason, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }

  #tell(): void {
    this.#parts.toHost.notCollected([...this.#counts.values()]);
    this.#counts = new Map();
  }
}

/** Scripts may be JavaScript: what they give as a context may be anything, and the protocol is not. */
function headOf({ id, time, headers, modelVersion, v1 }: CollectHead): string {
  return jsonText({
    id: bounded(id),
    time: Number.isFinite(time) ? time : Date.now(),
    headers,
    modelVersion: modelVersion && bounded(modelVersion),
    v1: v1 && bounded(v1),
  });
}
