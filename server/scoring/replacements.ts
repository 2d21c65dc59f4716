import type { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { BackOff } from './back-off.ts';

interface Parts {
  /** Replacements of one worker in a row that may fail to start. */
  readonly attempts: number;
  /** Longest wait between two of them; milliseconds. */
  readonly longestMs: number;
  /** Starts a worker in that place. */
  readonly spawn: (place: number) => void;
  readonly log: Log;
}

/** Decides when a lost worker is replaced, for each place of the pool by itself, and when there is no use in trying any more. */
export class Replacements {
  readonly #parts: Parts;
  readonly #places: BackOff[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A worker that served is gone. */
  lost(place: number): void {
    this.#schedule(place, this.#of(place).afterLoss());
  }

  /**
   * A replacement did not start: the next one follows, and the log says when. Answers false where none follows: every place has used
   * up its attempts, and nobody serves.
   * @param served whether another worker is ready
   */
  failed(place: number, { code, message }: ServerError, served: boolean): boolean {
    const { attempts, log } = this.#parts;
    const backOff = this.#of(place);
    const nextMs = backOff.afterFailure();
    const goesOn = served || this.#places.some(({ failures }) => failures < attempts);
    const next = goesOn ? `the next starts in ${nextMs} ms` : 'the server gives up (REPLACEMENT_ATTEMPTS)';
    log.error(
      { worker: place, code, attempt: backOff.failures, attempts, nextMs: goesOn ? nextMs : undefined },
      `a replacement did not start, attempt ${backOff.failures} of ${attempts}; ${next}: ${message}`,
    );
    if (goesOn) this.#schedule(place, nextMs);
    return goesOn;
  }

  /** A worker serves. */
  started(place: number): void {
    this.#of(place).started();
  }

  /** Nobody is replaced any more. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #of(place: number): BackOff {
    return (this.#places[place] ??= new BackOff(this.#parts.longestMs));
  }

  #schedule(place: number, waitMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#parts.spawn(place);
    }, waitMs);
    this.#timers.add(timer);
  }
}
