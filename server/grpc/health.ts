import { ServerError } from '../errors.ts';
import type { Call } from './call.ts';
import { healthMessage, readService, ServingStatus } from './service-messages.ts';

/** How often watchers get a changed status, in milliseconds. */
const WATCH_MS = 100;

/**
 * The standard health service, which Kubernetes' gRPC probes call:
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export class Health {
  readonly #ready: () => boolean;
  readonly #services: ReadonlySet<string>;
  readonly #most: number;
  /** The last status that each watcher was sent. */
  readonly #watchers = new Map<Call, number>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param services names that have a health, besides the empty name of the server
   * @param watchers at a time
   */
  constructor(ready: () => boolean, services: readonly string[], watchers: number) {
    this.#ready = ready;
    this.#most = watchers;
    this.#services = new Set(['', ...services]);
  }

  /** Answers the status now. @param message a HealthCheckRequest */
  check(call: Call, message: Buffer): void {
    const service = readService(message);
    if (!this.#services.has(service)) throw new ServerError('model_unknown', `there is no service ${JSON.stringify(service)}`);
    call.answer(healthMessage(this.#status));
  }

  /** Sends the status now, and again whenever it changes. @param message a HealthCheckRequest */
  watch(watcher: Call, message: Buffer): void {
    if (this.#watchers.size >= this.#most)
      throw new ServerError('queue_full', `The server is busy: ${this.#most} calls of Watch are open, which is the limit. Ask Check.`);
    // The status of an unknown service never changes.
    const status = this.#services.has(serviceOf(message)) ? this.#status : ServingStatus.serviceUnknown;
    watcher.push(healthMessage(status));
    this.#watchers.set(watcher, status);
    watcher.startAnswering({ cancel: () => this.#release(watcher) });
    this.#timer ??= setInterval(() => this.#sendChanges(), WATCH_MS).unref();
  }

  /** Sends watchers the last status and ends their calls, because a drain waits for open calls. */
  end(): void {
    this.#sendChanges();
    for (const watcher of Array.from(this.#watchers.keys())) this.#release(watcher);
  }

  get #status(): number {
    return this.#ready() ? ServingStatus.serving : ServingStatus.notServing;
  }

  #sendChanges(): void {
    const status = this.#status;
    for (const [watcher, sent] of this.#watchers) {
      // A watcher that has not taken its last status gets the next one once it has.
      if (sent === status || sent === ServingStatus.serviceUnknown || !watcher.taken) continue;
      watcher.push(healthMessage(status));
      this.#watchers.set(watcher, status);
    }
  }

  #release(watcher: Call): void {
    watcher.end();
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Service of a request; a message that cannot be read names no service that exists. */
function serviceOf(message: Buffer): string {
  try {
    return readService(message);
  } catch {
    return '\0';
  }
}
