import { answerable } from '../errors.ts';
import { type DoorParts, exchangeServices, type ExchangeRoute } from '../exchange/services.ts';
import { answerMessage } from './answer-message.ts';
import { Attempts } from './attempts.ts';
import type { Delivery } from './connection.ts';
import { HeldMessage } from './held-message.ts';
import { EdgeLink } from './link.ts';
import { answerOf, type MessageAnswer } from './message-exchange.ts';
import { readMessage } from './module-message.ts';
import { RecentMessages } from './recent-messages.ts';
import type { Sdk } from './sdk.ts';

export interface EdgeOptions {
  /** Name of the input whose messages are scored. */
  readonly input: string;
  /** Name of the output that answers leave on. */
  readonly output: string;
  /** Messages that edgeHub need not keep until they are answered. */
  readonly readAhead: number;
  /** Messages that are scored at a time, and that wait beside them. */
  readonly most: number;
}

/** Messages whose redelivery is known: edgeHub delivers one again soon, or after a reconnection. */
const REMEMBERED = 4096;

/**
 * The front door for messages of IoT Edge: each gets one answer. edgeHub keeps a message until its
 * answer has left, so that none is lost with this process.
 */
export class EdgeDoor {
  readonly #options: EdgeOptions;
  readonly #sdk: Sdk;
  readonly #log: DoorParts['log'];
  readonly #attempts: Attempts;
  readonly #link: EdgeLink;
  /** By their keys, else by themselves; in order of arrival. */
  readonly #held = new Map<unknown, HeldMessage>();
  readonly #waiting: HeldMessage[] = [];
  readonly #recent = new RecentMessages(REMEMBERED);
  readonly #closing = new AbortController();
  #scoring = 0;
  /** Completed before their answers have left. */
  #ahead = 0;
  /** Resolves when a message no longer waits. */
  #room: PromiseWithResolvers<void> | undefined;
  #idle: (() => void) | undefined;
  #ignores = true;

  constructor(sdk: Sdk, options: EdgeOptions, parts: DoorParts) {
    this.#sdk = sdk;
    this.#options = options;
    this.#log = parts.log;
    const route: ExchangeRoute = { path: `iot-edge/${options.input}`, access: 'open', counted: true, scores: true };
    parts.metrics.addRoute(route.path);
    this.#attempts = new Attempts(exchangeServices(parts), route);
    const events = {
      received: (delivery: Delivery) => this.#guarded(() => this.#receive(delivery)),
      room: () => this.#roomPromise,
      unreadable: (thrown: unknown) => this.#log.error({ err: thrown }, 'a message cannot be read, and gets no answer'),
    };
    this.#link = new EdgeLink({ sdk, log: parts.log, events });
  }

  /** The workers are ready: edgeHub may deliver. */
  ready(): void {
    if (this.#closing.signal.aborted) return;
    const { input, output } = this.#options;
    this.#log.info({ input, output }, 'takes messages of IoT Edge');
    this.#link.open();
  }

  /** Takes no more messages. Resolves when the answers of those that were taken have left. */
  async close(): Promise<void> {
    this.#closing.abort();
    // edgeHub keeps these.
    for (const held of this.#waiting.splice(0)) {
      if (held.ahead) this.#waiting.push(held);
      else this.#drop(held);
    }
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.#checkIdle();
    });
    await this.#link.close();
  }

  /** Ends the connection now. */
  closeAll(): void {
    const lost = Array.from(this.#held.values()).filter(({ ahead }) => ahead).length;
    if (lost > 0) this.#log.error({ lost }, 'messages that were read ahead have got no answer before the end');
    this.#link.destroy();
  }

  #receive(delivery: Delivery): void {
    if (this.#closing.signal.aborted) return;
    if (delivery.input !== this.#options.input) return this.#ignore(delivery);
    const message = readMessage(delivery.message);
    const { key, identified } = message;
    const same = this.#held.get(key);
    // edgeHub waits for an acknowledgement before the next message, and delivers one again after
    // 30 seconds. So the same bytes are the same message as long as the first is not completed.
    if (same !== undefined && (identified || !same.completed)) return same.again(delivery);
    if (identified && this.#recent.has(key)) {
      this.#log.info({ messageId: message.messageId }, 'a message was delivered again: it has its answer already');
      return delivery.complete();
    }
    const held = new HeldMessage(message, delivery);
    this.#held.set(same === undefined ? key : held, held);
    this.#waiting.push(held);
    this.#completeAhead();
    return this.#next();
  }

  /** A message on another input is nobody's: it must not stop those behind it. */
  #ignore(delivery: Delivery): void {
    if (this.#ignores)
      this.#log.warn(
        { input: delivery.input, expected: this.#options.input },
        'messages on another input are dropped: change the route, or --input',
      );
    this.#ignores = false;
    delivery.complete();
  }

  #next(): void {
    const { most } = this.#options;
    while (this.#scoring < most) {
      const held = this.#waiting.shift();
      if (held === undefined) break;
      this.#scoring++;
      void this.#answer(held);
    }
    if (this.#waiting.length < most) {
      this.#room?.resolve();
      this.#room = undefined;
    }
  }

  /** Never rejects. */
  async #answer(held: HeldMessage): Promise<void> {
    let answer: MessageAnswer | undefined;
    try {
      answer = await this.#attempts.score(held);
    } catch (thrown) {
      answer = answerOf(thrown);
    } finally {
      this.#scoring--;
      this.#guarded(() => this.#next());
    }
    try {
      if (answer !== undefined) await this.#send(held, answer);
    } catch (thrown) {
      // The link is closed. edgeHub delivers the message again.
      const { code, message } = answerable(thrown);
      if (code !== 'stopping') this.#log.error({ err: thrown }, `an answer could not be sent: ${message}`);
    }
    this.#guarded(() => this.#drop(held));
  }

  async #send(held: HeldMessage, answer: MessageAnswer): Promise<void> {
    const message = answerMessage(this.#sdk.Message, held.message, answer);
    await this.#link.send(this.#options.output, message, () => held.wanted);
    if (!held.wanted) return;
    const { key, identified } = held.message;
    if (identified) this.#recent.add(key);
    held.complete();
  }

  /** Completes the oldest messages that may be read ahead. */
  #completeAhead(): void {
    for (const held of this.#held.values()) {
      if (this.#ahead >= this.#options.readAhead) return;
      if (held.completed) continue;
      this.#ahead++;
      held.ahead = true;
      held.complete();
    }
  }

  #drop(held: HeldMessage): void {
    const { key } = held.message;
    this.#held.delete(this.#held.get(key) === held ? key : held);
    if (held.ahead) this.#ahead--;
    this.#completeAhead();
    this.#checkIdle();
  }

  get #roomPromise(): Promise<void> | undefined {
    if (this.#waiting.length < this.#options.most) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  #checkIdle(): void {
    if (this.#held.size === 0) this.#idle?.();
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'a message of IoT Edge met a fault of this server');
    }
  }
}
