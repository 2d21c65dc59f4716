import type { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { withoutKeys } from '../guards/addresses.ts';
import { backOffMs } from '../guards/back-off.ts';

const FIRST_MS = 100;
/**
 * Why not longer: requests must not cost a server more than this, whatever they do to a worker that
 * served.
 */
const LONGEST_AFTER_LOSS_MS = 3000;
/** Losses older than this do not delay the next replacement. */
const MEMORY_MS = 60_000;
const MOST_LOSSES = 16;

interface ReplacementSettings {
  /** Replacements of one worker in a row that may fail to start. */
  readonly attempts: number;
  /** Longest wait between two of them; milliseconds. */
  readonly longestMs: number;
  /** Starts a worker in that place. */
  readonly spawn: (place: number) => void;
  readonly log: Log;
}

/**
 * Decides when a lost worker is replaced, for each place of the pool by itself, and after which
 * failure no attempt follows.
 */
export class Replacements {
  readonly #settings: ReplacementSettings;
  readonly #places: Place[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(settings: ReplacementSettings) {
    this.#settings = settings;
  }

  /** A worker that served is gone. */
  lost(place: number): void {
    this.#schedule(place, this.#of(place).afterLoss());
  }

  /**
   * A replacement did not start: logs it, and schedules the next one. Returns false where none
   * follows, because every place has used up its attempts and no worker serves.
   * @param served whether another worker is ready
   */
  failed(place: number, { code, message }: ServerError, served: boolean): boolean {
    const { attempts, longestMs, log } = this.#settings;
    const own = this.#of(place);
    const nextMs = own.afterFailure(longestMs);
    const goesOn = served || this.#places.some(({ failures }) => failures < attempts);
    const next = goesOn ? `the next starts in ${nextMs} ms` : 'it was the last (REPLACEMENT_ATTEMPTS)';
    log.error(
      { worker: place, code, attempt: own.failures, attempts, nextMs: goesOn ? nextMs : undefined },
      `a replacement did not start, attempt ${own.failures} of ${attempts}; ${next}: ${withoutKeys(message)}`,
    );
    if (goesOn) this.#schedule(place, nextMs);
    return goesOn;
  }

  /** A worker serves. */
  started(place: number): void {
    this.#of(place).started();
  }

  /** No replacement starts any more. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #of(place: number): Place {
    return (this.#places[place] ??= new Place());
  }

  #schedule(place: number, waitMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#settings.spawn(place);
    }, waitMs);
    this.#timers.add(timer);
  }
}

/**
 * Losses and failures in one place of the pool, which decide how long its next replacement waits.
 */
export class Place {
  #losses: number[] = [];
  #failures = 0;

  /** Replacements in a row that did not start. */
  get failures(): number {
    return this.#failures;
  }

  /** A worker that served is lost. Returns milliseconds to wait: none for a first loss. */
  afterLoss(now = performance.now()): number {
    this.#losses = [...this.#losses.filter((at) => now - at < MEMORY_MS), now].slice(-MOST_LOSSES);
    return backOffMs(this.#losses.length - 1, { firstMs: FIRST_MS, longestMs: LONGEST_AFTER_LOSS_MS });
  }

  /** A replacement did not start. Returns milliseconds to wait. */
  afterFailure(longestMs: number): number {
    this.#failures++;
    return backOffMs(this.#failures, { firstMs: FIRST_MS, longestMs });
  }

  /** A replacement serves. */
  started(): void {
    this.#failures = 0;
  }
}
