import type { BlockList } from 'node:net';
import type { Config } from '../config/config.ts';
import { networksOf } from '../config/networks.ts';
import { asServerError } from '../errors.ts';
import { clientAddress } from '../request/client-address.ts';
import { clientNetwork } from '../request/client-network.ts';
import type { Access, Caller, RouteAccess } from './access.ts';
import { KnownCallers } from './known-callers.ts';
import { RateLimit } from './rate-limit.ts';

/** Who sends a request, and from where. */
export interface Sender {
  /** Set as soon as it is known: the log names those above their limit, too. */
  caller: Caller | undefined;
  /** Address of the other end of the connection. */
  readonly peer: string | undefined;
  header(name: 'x-forwarded-for'): string | undefined;
}

type RateConfig = Pick<Config, 'rateLimitPerSecond' | 'rateLimitBurst' | 'trustedProxies'>;

/** @returns undefined if no client has a limit */
export function ratesOf(config: RateConfig): ClientRates | undefined {
  return config.rateLimitPerSecond === 0 ? undefined : new ClientRates(config);
}

/**
 * Limits requests by their key or token, and those without one by the address of their client.
 *
 * A wrong key counts for the address. An address that has spent its rate on them gets 429 for a
 * right key, too, because another answer would confirm a guess. Keys that came from there before
 * still count: clients behind one proxy share an address, and one of them may have an old key.
 *
 * The check of the key comes first, because it names the bucket. If nobody came from an address
 * before, its own bucket comes first, so that a flood of wrong tokens costs no signature checks. By
 * then no byte of the body is read, and no room in the queue is taken.
 */
export class ClientRates {
  readonly #proxies: BlockList;
  readonly #limit: RateLimit;
  readonly #known = new KnownCallers();

  constructor({ rateLimitPerSecond, rateLimitBurst, trustedProxies }: RateConfig, now?: () => number) {
    this.#proxies = networksOf(trustedProxies);
    this.#limit = new RateLimit({ perSecond: rateLimitPerSecond, burst: rateLimitBurst }, now);
  }

  /**
   * Identifies the caller of a request, as `access` does, and counts the request.
   * @param access undefined: everybody may call
   * @param rawHeaders name, value, name, value, ...
   * @throws ServerError rate_limited, and what `access` throws
   */
  check(
    access: Access | undefined,
    rawHeaders: readonly string[],
    route: RouteAccess,
    sender: Sender,
  ): Caller | undefined | Promise<Caller | undefined> {
    const address = this.#addressOf(sender);
    if (access !== undefined && !this.#known.any(address)) this.#limit.check(address);
    let caller: Caller | undefined | Promise<Caller>;
    try {
      caller = access?.check(rawHeaders, route);
    } catch (thrown) {
      throw this.#failed(thrown, address);
    }
    if (!(caller instanceof Promise)) return this.#admitted(caller, route, address, sender);
    return caller.then(
      (verified) => this.#admitted(verified, route, address, sender),
      (thrown: unknown) => Promise.reject(this.#failed(thrown, address)),
    );
  }

  /** @throws ServerError rate_limited */
  #admitted(caller: Caller | undefined, route: RouteAccess, address: string, sender: Sender): Caller | undefined {
    sender.caller = caller;
    const name = caller === undefined ? address : `${caller.kind} ${caller.name}`;
    if (caller !== undefined) this.#pass(name, address);
    // Metrics are free.
    if (route !== 'login') this.#limit.take(name);
    return caller;
  }

  /** Lets a caller pass from an address. @throws ServerError rate_limited */
  #pass(name: string, address: string): void {
    if (this.#known.has(address, name)) return;
    this.#limit.check(address);
    this.#known.add(address, name);
  }

  /** Counts a failed check for the address. Returns the failure of the request. */
  #failed(thrown: unknown, address: string): unknown {
    const code = asServerError(thrown)?.code;
    if (code !== 'unauthorized' && code !== 'forbidden') return thrown;
    try {
      this.#limit.take(address);
      return thrown;
    } catch (refusal) {
      return refusal;
    }
  }

  #addressOf(sender: Sender): string {
    const address = clientAddress(sender.peer, sender.header('x-forwarded-for'), this.#proxies);
    return address === undefined ? 'address' : `address ${clientNetwork(address)}`;
  }
}
