import type { ProxyVariables } from '../config/proxies.ts';
import type { Progress } from './counts.ts';
import type { CollectionSettings } from './settings.ts';

// Messages between the host and the writer's thread.

/** Data of the thread at its start. */
export interface WriterData {
  readonly settings: CollectionSettings;
  /** Name and version of this server. */
  readonly agent: string;
  readonly proxies: ProxyVariables;
}

/** host -> thread. */
export type ToWriter =
  /** Records (records.ts), in a buffer that moves to the thread. */
  | { readonly kind: 'batch'; readonly batch: ArrayBuffer; readonly bytes: number }
  /** So many lines of a `deliver` are written. The rest was retracted. */
  | { readonly kind: 'delivered'; readonly lines: number }
  /** Deliver what is left, within the limit, then answer `closed`. */
  | { readonly kind: 'close'; readonly timeoutMs: number };

/** thread -> host. */
export type FromWriter =
  /** The records that the thread has found on disk at its start, by collection. */
  | { readonly kind: 'found'; readonly records: ReadonlyMap<string, number> }
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** The slab of a batch moves back, to be filled again. */
  | { readonly kind: 'recycle'; readonly batch: ArrayBuffer }
  | { readonly kind: 'print'; readonly text: string }
  /** Lines for stdout, one message at a time: the next one follows the answer `delivered`. */
  | { readonly kind: 'deliver'; readonly text: string }
  /** Take back what is not written of the last `deliver`. */
  | { readonly kind: 'retract' }
  | { readonly kind: 'log'; readonly level: keyof WriterLog; readonly text: string }
  | { readonly kind: 'closed' };

/** The part of the host's log that the writer uses. */
export interface WriterLog {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}
