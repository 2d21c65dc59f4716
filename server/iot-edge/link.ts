import { describeThrown, ServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import { pause, retryDelay, type RetryPolicy } from '../delivery/retry-delay.ts';
import type { Log } from '../log.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import type { Sdk, SdkMessage } from './sdk.ts';

/** Waits between connections. They have no end: a device may be offline for days. */
const RECONNECTS: RetryPolicy = { firstMs: 500, longestMs: 60_000, jitter: 0.5 };
/** A connection that lasts so long was a good one: the next waits begin anew. */
const GOOD_MS = 30_000;

interface LinkParts {
  readonly sdk: Sdk;
  readonly log: Log;
  readonly events: ConnectionEvents;
}

/** The way to edgeHub: connected again and again until it is closed. */
export class EdgeLink {
  readonly #parts: LinkParts;
  readonly #closed = new AbortController();
  /** The connection now, or the next one. */
  #connection = Promise.withResolvers<Connection>();
  #current: Connection | undefined;
  #opened = false;
  #failures = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#connection.promise.catch(() => undefined);
  }

  /** Connects, now and whenever the connection is lost. No effect once it is closed. */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    void this.#keepConnected();
  }

  /**
   * Resolves when edgeHub has taken the message: it is sent again on the next connection if one is
   * lost meanwhile.
   * @param wanted false: nobody waits for it any more
   * @throws ServerError stopping, once the link is closed
   */
  async send(output: string, message: SdkMessage, wanted: () => boolean): Promise<void> {
    for (;;) {
      const connection = await this.#connection.promise;
      if (!wanted()) return;
      try {
        return await connection.send(output, message);
      } catch (thrown) {
        // A message that edgeHub has not taken in time may never be.
        connection.fail(thrown);
        await connection.lost;
        if (this.#current === connection) this.#renew();
      }
    }
  }

  /** Takes and sends nothing more. Never rejects, and takes at most some seconds. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#connection.reject(new ServerError('stopping', 'The server stopped before edgeHub had the answer.'));
    await this.#current?.close();
  }

  /** Ends the connection now. */
  destroy(): void {
    void this.close();
    this.#current?.destroy();
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const connection = await this.#connect();
      if (connection === undefined) {
        await pause(retryDelay(this.#failures, RECONNECTS), signal);
        continue;
      }
      if (signal.aborted) return connection.close();
      const since = performance.now();
      this.#current = connection;
      this.#connection.resolve(connection);
      const reason = await connection.lost;
      this.#renew();
      await connection.close();
      if (signal.aborted) return;
      this.#failures = performance.now() - since > GOOD_MS ? 1 : this.#failures + 1;
      this.#parts.log.warn(`the connection to edgeHub is lost: ${reasonOf(reason)}; it is made again, without an end`);
      await pause(retryDelay(this.#failures, RECONNECTS), signal);
    }
  }

  async #connect(): Promise<Connection | undefined> {
    const { sdk, log, events } = this.#parts;
    try {
      const connection = await Connection.open(sdk, events);
      log.info('connected to edgeHub');
      return connection;
    } catch (thrown) {
      this.#failures++;
      // A device that is offline for days must not fill its log.
      const level = this.#failures === 1 ? 'warn' : 'debug';
      log[level](`edgeHub cannot be reached: ${reasonOf(thrown)}; the next attempts have no end`);
      return undefined;
    }
  }

  /** Those who send wait for the next connection. */
  #renew(): void {
    if (this.#current === undefined || this.#closed.signal.aborted) return;
    this.#current = undefined;
    this.#connection = Promise.withResolvers<Connection>();
    this.#connection.promise.catch(() => undefined);
  }
}

/** The SDK puts a reason into an object of its own. */
function reasonOf(thrown: unknown): string {
  const inner = typeof thrown === 'object' && thrown !== null && 'transportObj' in thrown ? thrown.transportObj : thrown;
  return inner === undefined ? 'edgeHub closed it' : withoutKeys(describeThrown(inner));
}
