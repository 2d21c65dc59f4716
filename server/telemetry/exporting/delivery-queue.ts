import { setTimeout as delay } from 'node:timers/promises';
import { pause, retryDelay, type RetryPolicy } from '../../delivery/retry-delay.ts';
import type { DropReason, ItemKind } from './items.ts';

interface Item {
  readonly kind: ItemKind;
}

/** The outcome of one portion. */
export interface Delivery<T> {
  readonly delivered: readonly T[];
  /** Certainly not taken: worth a retry. */
  readonly again: readonly T[];
  /** Never retried. */
  readonly lost: readonly T[];
  /** Why items were not delivered. */
  readonly reason: DropReason;
  readonly problem?: string | undefined;
  /** Wait that the other side asks for, in milliseconds. */
  readonly askedMs?: number | undefined;
}

/** Where items go. */
export interface Backend<T> {
  /** Makes an item of its line. */
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

/** A POST costs as much CPU as a hundred items, in this process and in the service. */
const MOST_ITEMS = 1000;
/** Characters of lines. */
const MOST_SIZE = 2 * 1024 * 1024;
/** Tries of one portion. With the waits between them they take about a minute. */
const MOST_TRIES = 8;
const WAITS = {
  /** Longest wait of an item for others to go with it. */
  gatherMs: 500,
  /** Wait before the first retry. */
  retryMs: 500,
};
const RETRIES: Omit<RetryPolicy, 'firstMs'> = { longestMs: 15_000, jitter: 0, asked: { longestMs: 60_000, replaces: true } };
/** Longest wait while the host waits for the queue to empty. */
const HURRIED_WAIT_MS = 200;

/**
 * Delivers items in portions, one after the other. Each item has one outcome: delivered, or dropped
 * with a reason. Items that were certainly not taken are retried. Items that may have been taken
 * never are.
 */
export class DeliveryQueue<T extends Item> {
  readonly #backend: Backend<T>;
  readonly #events: DeliveryEvents;
  readonly #gatherMs: number;
  readonly #retries: RetryPolicy;
  #lines: string[] = [];
  #next = 0;
  #working = false;
  #idle: (() => void)[] = [];
  /** Ends the wait for more items; undefined while nothing waits. */
  #gathered: (() => void) | undefined;
  readonly #hurry = new AbortController();

  constructor(backend: Backend<T>, events: DeliveryEvents, waits = WAITS) {
    this.#backend = backend;
    this.#events = events;
    this.#gatherMs = waits.gatherMs;
    this.#retries = { ...RETRIES, firstMs: waits.retryMs };
  }

  add(lines: readonly string[]): void {
    for (const line of lines) this.#lines.push(line);
    if (this.#isFull) this.#gathered?.();
    if (this.#working) return;
    this.#working = true;
    // It never rejects.
    void this.#work();
  }

  /** Shortens all waits from now on. Resolves when all items are settled. */
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
      const timer = setTimeout(resolve, this.#gatherMs);
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
      // Lines become objects only now. Why: every scavenge would copy objects that wait.
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
    // To cut the front off each time would copy the rest each time.
    if (this.#next > 16 * MOST_ITEMS) {
      this.#lines = this.#lines.slice(this.#next);
      this.#next = 0;
    }
    return taken;
  }

  async #deliver(items: readonly T[]): Promise<void> {
    let left = items;
    for (let tries = 1; left.length > 0; tries++) {
      const { delivered, again, lost, reason, problem, askedMs } = await this.#backend.send(left);
      count(delivered, (kind, number) => this.#events.delivered(kind, number));
      count(lost, (kind, number) => this.#events.dropped(kind, reason, number));
      if (problem !== undefined) this.#events.problem(problem);
      left = again;
      if (left.length === 0) return;
      if (tries >= MOST_TRIES) return count(left, (kind, number) => this.#events.dropped(kind, reason, number));
      await this.#wait(retryDelay(tries, this.#retries, askedMs));
    }
  }

  /** A flush ends a wait that is long. */
  async #wait(ms: number): Promise<void> {
    const { signal } = this.#hurry;
    if (signal.aborted) await delay(Math.min(ms, HURRIED_WAIT_MS));
    else await pause(ms, signal);
  }
}

function count(items: readonly Item[], report: (kind: ItemKind, count: number) => void): void {
  const kinds = new Map<ItemKind, number>();
  for (const { kind } of items) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const [kind, number] of kinds) report(kind, number);
}
