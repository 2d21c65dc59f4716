import { setTimeout as delay } from 'node:timers/promises';
import type { DropReason, ItemKind } from './items.ts';

interface Item {
  readonly kind: ItemKind;
  /** What it takes in memory, in bytes or characters. */
  readonly size: number;
}

/** What has become of a portion. */
export interface Delivery<T> {
  readonly delivered: readonly T[];
  /** Certainly not taken: worth another try. */
  readonly again: readonly T[];
  /** Given up. */
  readonly lost: readonly T[];
  /** Why there are such as were not delivered. */
  readonly reason: DropReason;
  readonly problem?: string | undefined;
  /** What the other side asks for, in milliseconds. */
  readonly waitMs?: number | undefined;
}

/** Sends a portion; never rejects. */
export type Send<T> = (items: readonly T[]) => Promise<Delivery<T>>;

export interface DeliveryEvents {
  delivered(kind: ItemKind, count: number): void;
  dropped(kind: ItemKind, reason: DropReason, count: number): void;
  settled(size: number): void;
  problem(text: string): void;
}

/** A POST costs as much as a hundred items, here and there. */
const MOST_ITEMS = 1000;
const MOST_SIZE = 2 * 1024 * 1024;
/** Tries of one portion; with the waits below about a minute. */
const MOST_TRIES = 8;
/** How long items wait for others to go with them, and for their second try. */
const WAITS = { gatherMs: 500, retryMs: 500 };
const LONGEST_WAIT_MS = 15_000;
/** What a server may ask for. */
const LONGEST_ASKED_MS = 60_000;
/** While the host waits for us to end. */
const HURRIED_WAIT_MS = 200;

/**
 * Delivers items in portions, one after the other, each told of once: delivered, or dropped with a reason. What was certainly not
 * taken is tried again; what may have been taken never is.
 */
export class DeliveryQueue<T extends Item> {
  readonly #send: Send<T>;
  readonly #events: DeliveryEvents;
  readonly #waits: typeof WAITS;
  #items: T[] = [];
  #next = 0;
  #working = false;
  #idle: (() => void)[] = [];
  /** Ends the wait for more items. */
  #gathered: (() => void) | undefined;
  readonly #hurry = new AbortController();

  constructor(send: Send<T>, events: DeliveryEvents, waits = WAITS) {
    this.#send = send;
    this.#events = events;
    this.#waits = waits;
  }

  add(items: readonly T[]): void {
    for (const item of items) this.#items.push(item);
    if (this.#isFull) this.#gathered?.();
    if (this.#working) return;
    this.#working = true;
    // Settles every outcome itself.
    void this.#work();
  }

  /** Waits no longer than it must from now on; resolves when everything is settled. */
  flush(): Promise<void> {
    this.#hurry.abort();
    this.#gathered?.();
    if (!this.#working) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  get #isFull(): boolean {
    return this.#items.length - this.#next >= MOST_ITEMS;
  }

  async #gather(): Promise<void> {
    if (this.#isFull || this.#hurry.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#waits.gatherMs);
      this.#gathered = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#gathered = undefined;
  }

  async #work(): Promise<void> {
    while (this.#next < this.#items.length) {
      await this.#gather();
      const items = this.#take();
      await this.#deliver(items);
      this.#events.settled(items.reduce((sum, { size }) => sum + size, 0));
    }
    this.#items = [];
    this.#next = 0;
    this.#working = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #take(): T[] {
    let size = 0;
    let end = this.#next;
    while (end < this.#items.length && end - this.#next < MOST_ITEMS && (size += this.#items[end]?.size ?? 0) <= MOST_SIZE) end++;
    const taken = this.#items.slice(this.#next, Math.max(end, this.#next + 1));
    this.#next += taken.length;
    // The front is cut off now and then, not each time: that would copy the rest.
    if (this.#next > 16 * MOST_ITEMS) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    return taken;
  }

  async #deliver(items: readonly T[]): Promise<void> {
    let left = items;
    for (let tries = 1; left.length > 0; tries++) {
      const { delivered, again, lost, reason, problem, waitMs } = await this.#send(left);
      count(delivered, (kind, number) => this.#events.delivered(kind, number));
      count(lost, (kind, number) => this.#events.dropped(kind, reason, number));
      if (problem !== undefined) this.#events.problem(problem);
      left = again;
      if (left.length === 0) return;
      if (tries >= MOST_TRIES) return count(left, (kind, number) => this.#events.dropped(kind, reason, number));
      await this.#wait(Math.min(waitMs ?? Math.min(this.#waits.retryMs * 2 ** (tries - 1), LONGEST_WAIT_MS), LONGEST_ASKED_MS));
    }
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#hurry;
    if (signal.aborted) await delay(Math.min(ms, HURRIED_WAIT_MS));
    // Cut short by a flush.
    else await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}

function count(items: readonly Item[], tell: (kind: ItemKind, count: number) => void): void {
  const kinds = new Map<ItemKind, number>();
  for (const { kind } of items) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const [kind, number] of kinds) tell(kind, number);
}
