import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { HttpExchange } from './exchange.ts';

/**
 * Requests that come while the workers start, on platforms that take 503 for a failure. They wait
 * until the start has ended, well or not. Bounded in number and time. Nothing of a body is read
 * meanwhile, so that it waits in the sockets of its client.
 */
export class Hold {
  readonly #lifecycle: Lifecycle;
  readonly #most: number;
  readonly #limitMs: number;
  readonly #waiting = new Set<HeldRequest>();

  constructor(lifecycle: Lifecycle, { queueMaxRequests, initTimeoutMs }: Pick<Config, 'queueMaxRequests' | 'initTimeoutMs'>) {
    this.#lifecycle = lifecycle;
    this.#most = queueMaxRequests;
    this.#limitMs = initTimeoutMs;
    lifecycle.onChange(() => this.#release());
  }

  /** Requests that come now wait. */
  get waits(): boolean {
    return this.#lifecycle.state === 'starting';
  }

  /**
   * @param next goes on with the request, once the start has ended
   * @throws ServerError queue_full
   */
  add(exchange: HttpExchange, next: () => void): void {
    if (this.#waiting.size >= this.#most)
      throw new ServerError('queue_full', `The server starts, and ${this.#most} requests wait for it already (QUEUE_MAX_REQUESTS).`);
    const held: HeldRequest = new HeldRequest(next, this.#waiting, exchange, this.#limitMs);
    this.#waiting.add(held);
    exchange.startReading(held);
  }

  #release(): void {
    for (const held of this.#waiting) held.goOn();
  }
}

class HeldRequest {
  readonly #next: () => void;
  readonly #all: Set<HeldRequest>;
  readonly #exchange: HttpExchange;
  readonly #timer: NodeJS.Timeout;

  constructor(next: () => void, all: Set<HeldRequest>, exchange: HttpExchange, limitMs: number) {
    this.#next = next;
    this.#all = all;
    this.#exchange = exchange;
    this.#timer = setTimeout(() => exchange.fail(tooLong(limitMs)), limitMs).unref();
  }

  /** The client has left, or has its answer. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#all.delete(this);
  }

  goOn(): void {
    this.cancel();
    this.#exchange.guard(this.#next);
  }
}

function tooLong(limitMs: number): ServerError {
  return new ServerError('not_ready', `The server is not ready: its workers have not finished their start after ${limitMs} ms.`);
}
