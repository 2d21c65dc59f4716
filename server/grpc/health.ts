import type { ServerWritableStream } from '@grpc/grpc-js';
import { ServerError } from '../errors.ts';
import type { Call } from './call.ts';
import { healthMessage, readService, ServingStatus } from './messages.ts';

/** How often watchers are told of a change. */
const WATCH_MS = 100;

type Watcher = ServerWritableStream<Buffer, Buffer>;

/** The standard health service, which Kubernetes' gRPC probes ask: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export class Health {
  readonly #ready: () => boolean;
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Map<Watcher, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param services the names that have a health; the empty name is the server's */
  constructor(ready: () => boolean, services: readonly string[]) {
    this.#ready = ready;
    this.#services = new Set(['', ...services]);
  }

  check(call: Call): void {
    const service = readService(call.message);
    if (!this.#services.has(service)) throw new ServerError('model_unknown', `there is no service ${JSON.stringify(service)}`);
    call.answer(healthMessage(this.#status));
  }

  /** The status now, and again whenever it changes. */
  watch(watcher: Watcher): void {
    // The status of a service that there is not never changes.
    const known = this.#services.has(serviceOf(watcher.request));
    const status = known ? this.#status : ServingStatus.serviceUnknown;
    watcher.write(healthMessage(status));
    this.#watchers.set(watcher, status);
    watcher.on('cancelled', () => this.#forget(watcher));
    this.#timer ??= setInterval(() => this.#tell(), WATCH_MS).unref();
  }

  /** Tells watchers the last news and lets them go, so that a drain need not wait for them. */
  end(): void {
    this.#tell();
    for (const watcher of Array.from(this.#watchers.keys())) {
      watcher.end();
      this.#forget(watcher);
    }
  }

  get #status(): number {
    return this.#ready() ? ServingStatus.serving : ServingStatus.notServing;
  }

  #tell(): void {
    const status = this.#status;
    for (const [watcher, told] of this.#watchers) {
      if (told === status || told === ServingStatus.serviceUnknown) continue;
      watcher.write(healthMessage(status));
      this.#watchers.set(watcher, status);
    }
  }

  #forget(watcher: Watcher): void {
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
