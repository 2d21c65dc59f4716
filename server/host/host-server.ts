import type { HostCollector } from '../collection/host/collector.ts';
import { ServerError, stackOfThrown, toServerError } from '../errors.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';
import { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { PoolScorer } from '../scoring/scorer.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { curlLine, exampleOf } from './curl-line.ts';
import type { DoorParts } from '../exchange/services.ts';
import { openDoors } from './doors.ts';
import { drain, type DrainParts, type EndingSignal, type FrontDoor, leaveFailed, longestExit } from './drain.ts';
import type { Ending, EndingProcess } from './ending.ts';
import { LastResort, strayErrorCodes } from './last-resort.ts';
import type { ScriptRedactor } from './open-collector.ts';
import type { ServingPlan } from './serving-plan.ts';
import { reportFailure, reportNoSample, reportOmitted, reportReady, reportWithheld } from './start-report.ts';
import { startScorer } from './start-scorer.ts';

/** The part of `process` that this server uses. Why: only main.ts touches the global one. */
export type HostProcess = Pick<NodeJS.Process, 'argv' | 'env' | 'cwd' | 'stdin' | 'stdout' | 'stderr' | 'on'> & EndingProcess;

/** Platforms and terminals may send one signal twice: to the process, and to its group. */
const SAME_SIGNAL_MS = 250;

/** A way in beside the ports, for requests that a client does not bring. */
export interface MessageDoor extends FrontDoor {
  /** Workers can take requests from now on. */
  ready(): void;
}
export type OpenMessages = (parts: DoorParts) => MessageDoor;

interface ServerParts {
  readonly plan: ServingPlan;
  readonly log: Log;
  /** A person reads the log. */
  readonly readable: boolean;
  readonly metrics: Metrics;
  readonly ending: Ending;
  readonly redactor: ScriptRedactor;
  readonly telemetry: Telemetry | undefined;
  readonly collector: HostCollector | undefined;
  /** Undefined: every request comes through a port. */
  readonly openMessages: OpenMessages | undefined;
}

/** A server from its start to its exit: workers, ports, and the ways out. */
export class HostServer {
  readonly #parts: ServerParts;
  readonly #lifecycle = new Lifecycle();
  readonly #scorer: PoolScorer;
  readonly #doors: FrontDoor[] = [];
  #port: number | undefined;
  #messages: MessageDoor | undefined;
  /** Resolves when all ports are open. */
  readonly #opened = Promise.withResolvers<void>();
  #signalledAt: number | undefined;

  /**
   * Starts the workers. Why before the ports: workers load beside the front doors, which are the
   * larger half of the host's code.
   */
  constructor(host: HostProcess, parts: ServerParts) {
    this.#parts = parts;
    this.#catchStrayErrors(host);
    this.#obeySignals(host);
    this.#scorer = this.#startScorer(host.env);
    parts.redactor.scorer = this.#scorer;
  }

  async open(): Promise<void> {
    const { plan, collector, metrics, log, telemetry, openMessages } = this.#parts;
    const { exports, sampler } = telemetry ?? {};
    try {
      const { access, rates, profile, config } = plan;
      const parts = { scorer: this.#scorer, access, rates, profile, collector, lifecycle: this.#lifecycle, metrics, log, exports, sampler };
      for await (const door of openDoors(config, parts)) {
        this.#port ??= door.port;
        this.#doors.push(door);
      }
      this.#messages = openMessages?.({ ...parts, config });
      if (this.#messages !== undefined) this.#doors.push(this.#messages);
      this.#opened.resolve();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #startScorer(env: NodeJS.ProcessEnv): PoolScorer {
    const { plan, log, metrics, collector, telemetry } = this.#parts;
    return startScorer(plan.config, plan.found, {
      env,
      user: plan.user,
      lifecycle: this.#lifecycle,
      log,
      metrics,
      collection: plan.collection,
      collecting: collector,
      events: {
        // Workers may be faster than the ports.
        ready: (message) => void this.#opened.promise.then(() => this.#ready(message)),
        failed: (error) => this.#fail(error),
        onScriptLine: telemetry && ((line) => telemetry.logged(line)),
      },
    });
  }

  #ready(message: ReadyMessage): void {
    if (!this.#lifecycle.to('ready')) return;
    const { plan, log, readable, telemetry } = this.#parts;
    reportReady(log, plan.found, message);
    reportOmitted(log, message.models);
    if (plan.config.deepCheck && message.checks !== true) reportNoSample(log);
    if (readable && this.#port !== undefined)
      log.info(`try it: ${curlLine(plan.config, this.#port, exampleOf(message), plan.access !== undefined)}`);
    if (telemetry?.withholds === true) reportWithheld(log);
    this.#messages?.ready();
  }

  #fail(thrown: unknown): void {
    const { plan, log, ending, telemetry } = this.#parts;
    const draining = this.#lifecycle.state === 'draining';
    if (!this.#lifecycle.to('failed')) return;
    const parts = this.#drainParts;
    ending.begin(longestExit(parts));
    const code = reportFailure(log, thrown, plan.config);
    telemetry?.failed(toServerError(thrown));
    void leaveFailed(parts).then(
      (threadsEnded) => ending.exit(draining ? 1 : code, threadsEnded),
      () => ending.atOnce(1),
    );
  }

  #catchStrayErrors(host: HostProcess): void {
    const { log, metrics } = this.#parts;
    for (const code of strayErrorCodes) metrics.strayErrors.inc({ code }, 0);
    const lastResort = new LastResort({
      log,
      count: (code) => metrics.strayErrors.inc({ code }),
      fatal: (thrown) => this.#fail(strayError(thrown)),
    });
    host.on('uncaughtException', (thrown) => lastResort.take(thrown));
    host.on('unhandledRejection', (thrown) => lastResort.take(thrown));
  }

  #obeySignals(host: HostProcess): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) host.on(signal, (name: EndingSignal) => this.#signalled(name));
    // Node's own answer to it is to open an inspector, which may read and change everything here.
    host.on('SIGUSR1', () => undefined);
  }

  #signalled(signal: EndingSignal): void {
    const { log, ending } = this.#parts;
    const now = performance.now();
    if (this.#signalledAt !== undefined) {
      if (now - this.#signalledAt < SAME_SIGNAL_MS) return;
      log.warn({ signal }, 'second signal: stopping at once');
      this.#scorer.kill();
      void ending.atOnce(1);
      return;
    }
    this.#signalledAt = now;
    // An exit with a code of its own is under way.
    if (!this.#lifecycle.live) return;
    const parts = this.#drainParts;
    ending.begin(longestExit(parts));
    void drain(signal, parts).then(
      (threadsEnded) => ending.exit(0, threadsEnded),
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  get #drainParts(): DrainParts {
    const { plan, collector, telemetry, log } = this.#parts;
    return {
      config: plan.config,
      lifecycle: this.#lifecycle,
      scorer: this.#scorer,
      collector,
      collectorMs: plan.collection?.flushTimeoutMs ?? 0,
      telemetry,
      doors: this.#doors,
      log,
    };
  }
}

function strayError(thrown: unknown): ServerError {
  return new ServerError('internal', stackOfThrown(thrown), { cause: thrown });
}
