import { ServerError } from '../errors.ts';
import type { Call } from './call.ts';
import { healthMessage, readService, ServingStatus } from './messages.ts';

/** How often watchers are told of a change. */
const WATCH_MS = 100;

/** The standard health service, which Kubernetes' gRPC probes ask: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export class Health {
  readonly #ready: () => boolean;
  readonly #services: ReadonlySet<string>;
  readonly #most: number;
  /** The last status that each was told. */
  readonly #watchers = new Map<Call, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param services the names that have a health; the empty name is the server's @param watchers at a time */
  constructor(ready: () => boolean, services: readonly string[], watchers: number) {
    this.#ready = ready;
    this.#most = watchers;
    this.#services = new Set(['', ...services]);
  }

  /** @param message a HealthCheckRequest */
  check(call: Call, message: Buffer): void {
    const service = readService(message);
    if (!this.#services.has(service)) throw new ServerError('model_unknown', `there is no service ${JSON.stringify(service)}`);
    call.answer(healthMessage(this.#status));
  }

  /** The status now, and again whenever it changes. @param message a HealthCheckRequest */
  watch(watcher: Call, message: Buffer): void {
    if (this.#watchers.size >= this.#most)
      throw new ServerError('queue_full', `The server is busy: ${this.#most} calls of Watch are open, which is the limit. Ask Check.`);
    // The status of a service that there is not never changes.
    const status = this.#services.has(serviceOf(message)) ? this.#status : ServingStatus.serviceUnknown;
    watcher.push(healthMessage(status));
    this.#watchers.set(watcher, status);
    watcher.work = { cancel: () => this.#letGo(watcher) };
    this.#timer ??= setInterval(() => this.#tell(), WATCH_MS).unref();
  }

  /** Tells watchers the last news and lets them go, so that a drain need not wait for them. */
  end(): void {
    this.#tell();
    for (const watcher of Array.from(this.#watchers.keys())) this.#letGo(watcher);
  }

  get #status(): number {
    return this.#ready() ? ServingStatus.serving : ServingStatus.notServing;
  }

  #tell(): void {
    const status = this.#status;
    for (const [watcher, told] of this.#watchers) {
      // Who has not taken the last news gets the next when it has.
      if (told === status || told === ServingStatus.serviceUnknown || !watcher.taken) continue;
      watcher.push(healthMessage(status));
      this.#watchers.set(watcher, status);
    }
  }

  #letGo(watcher: Call): void {
    watcher.end();
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A message that cannot be read names no service that there is. */
function serviceOf(message: Buffer): string {
  try {
    return readService(message);
  } catch {
    return '\0';
  }
}
