import type { Delivery } from './connection.ts';
import type { ModuleMessage } from './module-message.ts';

/** One message from its arrival to its answer, however often edgeHub delivers it meanwhile. */
export class HeldMessage {
  readonly message: ModuleMessage;
  #deliveries: Delivery[];
  #completed = false;
  /** edgeHub need not keep it until it is answered. */
  ahead = false;

  constructor(message: ModuleMessage, delivery: Delivery) {
    this.message = message;
    this.#deliveries = [delivery];
  }

  /** edgeHub knows that it is done. */
  get completed(): boolean {
    return this.#completed;
  }

  /**
   * False where edgeHub delivers it again as another message: its connection is lost, and nothing
   * tells that the two are one.
   */
  get wanted(): boolean {
    return this.#completed || this.message.identified || this.#deliveries.some(({ open }) => open);
  }

  /** Another delivery of the same message. */
  again(delivery: Delivery): void {
    this.#deliveries = [...this.#deliveries.filter(({ open }) => open), delivery];
    if (this.#completed) delivery.complete();
  }

  complete(): void {
    this.#completed = true;
    for (const delivery of this.#deliveries) delivery.complete();
  }
}
