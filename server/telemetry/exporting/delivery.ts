import { setTimeout as delay } from 'node:timers/promises';
import type { DropReason, ItemKind } from './items.ts';

interface Item {
  readonly kind: ItemKind;
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

/** Where items go. */
export interface Backend<T> {
  /** Makes of a line what is sent. */
  read(line: string): T;
  /** Sends a portion; never rejects. */
  send(items: readonly T[]): Promise<Delivery<T>>;
}

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
  readonly #backend: Backend<T>;
  readonly #events: DeliveryEvents;
  readonly #waits: typeof WAITS;
  #lines: string[] = [];
  #next = 0;
  #working = false;
  #idle: (() => void)[] = [];
  /** Ends the wait for more items. */
  #gathered: (() => void) | undefined;
  readonly #hurry = new AbortController();

  constructor(backend: Backend<T>, events: DeliveryEvents, waits = WAITS) {
    this.#backend = backend;
    this.#events = events;
    this.#waits = waits;
  }

  add(lines: readonly string[]): void {
    for (const line of lines) this.#lines.push(line);
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
    return this.#lines.length - this.#next >= MOST_ITEMS;
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
    while (this.#next < this.#lines.length) {
      await this.#gather();
      const lines = this.#take();
      // Not when they come: the objects would be copied from one generation to the next while they wait.
      await this.#deliver(lines.map((line) => this.#backend.read(line)));
      this.#events.settled(lines.reduce((sum, { length }) => sum + length, 0));
    }
    this.#lines = [];
    this.#next = 0;
    this.#working = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #take(): string[] {
    let size = 0;
    let end = this.#next;
    while (end < this.#lines.length && end - this.#next < MOST_ITEMS && (size += this.#lines[end]?.length ?? 0) <= MOST_SIZE) end++;
    const taken = this.#lines.slice(this.#next, Math.max(end, this.#next + 1));
    this.#next += taken.length;
    // The front is cut off now and then, not each time: that would copy the rest.
    if (this.#next > 16 * MOST_ITEMS) {
      this.#lines = this.#lines.slice(this.#next);
      this.#next = 0;
    }
    return taken;
  }

  async #deliver(items: readonly T[]): Promise<void> {
    let left = items;
    for (let tries = 1; left.length > 0; tries++) {
      const { delivered, again, lost, reason, problem, waitMs } = await this.#backend.send(left);
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
