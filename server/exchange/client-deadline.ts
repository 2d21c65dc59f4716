import { ServerError } from '../errors.ts';

/** Longest delay of a timer in Node, in milliseconds. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** How long a client waits for its answer. */
export interface ClientLimit {
  readonly ms: number;
  /** Name of the header that says so. */
  readonly header: string;
}

/** The client's own deadline of one request, from the arrival of its head. */
export class ClientDeadline {
  readonly #limit: ClientLimit;
  readonly #at: number;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param startedAt `performance.now()` at the head of the request
   * @param over called at most once
   */
  constructor(limit: ClientLimit, startedAt: number, over: (error: ServerError) => void) {
    this.#limit = limit;
    this.#at = startedAt + limit.ms;
    this.#timer = setTimeout(() => over(this.error), Math.ceil(this.#at - performance.now()));
  }

  /** The time is over, also if the timer is late. */
  get passed(): boolean {
    return performance.now() >= this.#at;
  }

  get error(): ServerError {
    const { ms, header } = this.#limit;
    return new ServerError('client_deadline', `No answer within the client's own limit of ${ms} ms (${header})`);
  }

  /** The answer has begun, or nobody waits for it any more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
