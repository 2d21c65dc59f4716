import { setTimeout as delay } from 'node:timers/promises';
import type { ExchangeRoute, ExchangeServices } from '../exchange/services.ts';
import { backOffMs } from '../guards/back-off.ts';
import type { HeldMessage } from './held-message.ts';
import { answerOf, type MessageAnswer, MessageExchange } from './message-exchange.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Attempts of a message whose worker ends each time. */
const MOST = 3;
/** Waits after a refusal. */
const REFUSED = { firstMs: 100, longestMs: 5000 };

/** Scores messages, again where a message is not at fault. */
export class Attempts {
  readonly #services: ExchangeServices;
  readonly #route: ExchangeRoute;
  /**
   * Messages whose worker has ended. Why one at a time: a message that ends workers must not fail
   * others with it.
   */
  readonly #suspects = new OneAtATime();

  constructor(services: ExchangeServices, route: ExchangeRoute) {
    this.#services = services;
    this.#route = route;
  }

  /** Undefined: edgeHub keeps the message, or delivers it again. */
  async score(held: HeldMessage): Promise<MessageAnswer | undefined> {
    for (let [lost, refused] = [0, 0]; ;) {
      if (!held.wanted) return undefined;
      const exchange = new MessageExchange(this.#services, this.#route, held.message);
      const attempt = await (lost > 0 ? this.#suspects.run(() => exchange.attempt()) : exchange.attempt());
      switch (attempt.kind) {
        case 'answer':
          return attempt;
        case 'lost':
          if (++lost === MOST) return answerOf(attempt.failure);
          break;
        case 'refused':
          if (attempt.failure.code === 'stopping') return undefined;
          await delay(backOffMs(++refused, REFUSED));
          break;
        default:
          return attempt satisfies never;
      }
    }
  }
}
