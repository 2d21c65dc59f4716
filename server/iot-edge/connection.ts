import { ServerError } from '../errors.ts';
import { within } from '../guards/within.ts';
import { acknowledges, type MqttClient, type MqttPacket, type Sdk, type SdkMessage, type SdkModuleClient } from './sdk.ts';

/** A message that edgeHub has delivered. */
export interface Delivery {
  readonly input: string;
  readonly message: SdkMessage;
  /** False once its connection is lost: edgeHub delivers the message again. */
  readonly open: boolean;
  /** Tells edgeHub that the message is done. No effect once its connection is lost. */
  complete(): void;
}

export interface ConnectionEvents {
  received(delivery: Delivery): void;
  /** Undefined: the next message may be read. */
  room(): Promise<void> | undefined;
  /** A message that cannot be read. */
  unreadable(thrown: unknown): void;
}

/** Limit of each step of a connection. */
const STEP_MS = 60_000;
/** Limit of an orderly end. */
const CLOSE_MS = 3000;

/** MQTT.js reads on, and does not acknowledge: an error in place of that. */
const LATER = new Error('acknowledged later');

/**
 * One connection to edgeHub, until it is lost. The SDK acknowledges a message as it arrives, and
 * its `abandon` and `reject` throw over MQTT. So acknowledgements leave here, when a message is
 * done.
 */
export class Connection {
  readonly #sdk: Sdk;
  readonly #events: ConnectionEvents;
  readonly #acknowledge = new WeakMap<object, Pick<Delivery, 'open' | 'complete'>>();
  readonly #lost = Promise.withResolvers<unknown>();
  #client: SdkModuleClient | undefined;
  /** The SDK makes a new one with each new token. */
  #mqtt: MqttClient | undefined;

  private constructor(sdk: Sdk, events: ConnectionEvents) {
    this.#sdk = sdk;
    this.#events = events;
  }

  /** Connects and subscribes. Rejects with what the SDK says. */
  static async open(sdk: Sdk, events: ConnectionEvents): Promise<Connection> {
    const connection = new Connection(sdk, events);
    try {
      await connection.#open();
    } catch (thrown) {
      await connection.close();
      throw thrown;
    }
    return connection;
  }

  /** Resolves with the reason once the connection is lost. */
  get lost(): Promise<unknown> {
    return this.#lost.promise;
  }

  /** Ends it, as a loss does. */
  fail(reason: unknown): void {
    this.#lost.resolve(reason);
  }

  /** Resolves when edgeHub has taken the message. */
  async send(output: string, message: SdkMessage): Promise<void> {
    await this.#client?.sendOutputEvent(output, message);
  }

  /** Never rejects, and takes at most some seconds. */
  async close(): Promise<void> {
    this.fail(undefined);
    await within(CLOSE_MS, this.#client?.close());
    this.destroy();
  }

  /** Ends the connection now. */
  destroy(): void {
    this.#mqtt?.end(true);
  }

  async #open(): Promise<void> {
    const client = await limited(this.#sdk.ModuleClient.fromEnvironment(this.#transport));
    this.#client = client;
    // The retries of the SDK end after four minutes.
    client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => -1 });
    const opened = Promise.withResolvers<never>();
    opened.promise.catch(() => undefined);
    const lost = (reason: unknown): void => {
      opened.reject(reason);
      this.fail(reason);
    };
    client.on('error', lost);
    client.on('disconnect', lost);
    // Before the connection: edgeHub sends what waits at once. The listener subscribes.
    client.on('inputMessage', (input, message) => this.#received(input, message));
    await limited(Promise.race([client.open(), opened.promise]));
  }

  /** The SDK's transport, whose errors reach this connection. */
  get #transport(): Parameters<Sdk['ModuleClient']['fromEnvironment']>[0] {
    const { Mqtt, MqttBase, mqtt } = this.#sdk;
    const connect = (uri: string, options: object): MqttClient => this.#hooked(mqtt.connect(uri, options));
    const lost = (reason: unknown): void => this.fail(reason);
    const unreadable = (payload: unknown, thrown: unknown): void => this.#unreadable(payload, thrown);
    class Base extends MqttBase {
      /** Why: a topic that the SDK cannot decode would end the process. */
      override emit(event: string, ...args: unknown[]): boolean {
        try {
          return super.emit(event, ...args);
        } catch (thrown) {
          unreadable(args[1], thrown);
          return true;
        }
      }
    }
    return class extends Mqtt {
      constructor(authentication: ConstructorParameters<typeof Mqtt>[0]) {
        super(authentication, new Base({ connect }));
        authentication.on('error', lost);
      }
    };
  }

  #hooked(client: MqttClient): MqttClient {
    if (!acknowledges(client))
      throw new ServerError('usage', 'this version of MQTT.js is not the one of docker/iot-edge/package-lock.json');
    this.#mqtt = client;
    // Answers and acknowledgements are small, and leave one behind the other.
    client.stream?.setNoDelay?.(true);
    client.handleMessage = (packet, done) => this.#arrived(client, packet, done);
    return client;
  }

  /** Runs before the SDK emits the message. */
  #arrived(client: MqttClient, { qos, messageId, payload }: MqttPacket, done: (error?: Error) => void): void {
    if (qos !== 1 || messageId === undefined || typeof payload !== 'object' || payload === null) return done();
    this.#acknowledge.set(payload, {
      get open() {
        return client.connected;
      },
      complete: () => {
        if (client.connected) client._sendPacket({ cmd: 'puback', messageId });
      },
    });
    const room = this.#events.room();
    if (room === undefined) done(LATER);
    else void readOn(room, done);
  }

  #received(input: string, message: SdkMessage): void {
    const acknowledgement = typeof message.data === 'object' && message.data !== null ? this.#acknowledge.get(message.data) : undefined;
    this.#events.received({
      input,
      message,
      get open() {
        return acknowledgement?.open ?? true;
      },
      complete: () => acknowledgement?.complete(),
    });
  }

  #unreadable(payload: unknown, thrown: unknown): void {
    if (typeof payload === 'object' && payload !== null) this.#acknowledge.get(payload)?.complete();
    this.#events.unreadable(thrown);
  }
}

/** Leaves what follows unread until there is room, so that the sender has to wait. */
async function readOn(room: Promise<void>, done: (error?: Error) => void): Promise<void> {
  await room;
  done(LATER);
}

/** Rejects if the work takes longer than one step may. */
async function limited<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STEP_MS / 1000} s`)), STEP_MS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
