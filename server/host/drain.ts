import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { within } from '../guards/within.ts';

/** Time for the last answers, and for telemetry, to leave. */
const LAST_ANSWERS_MS = 500;
/** Time of the steps after a drain beyond the options: last answers, ports, threads, the log. */
const MARGIN_MS = 6000;

/** A port through which requests come in. */
export interface FrontDoor {
  /** Takes nothing new. Resolves when all requests have ended, uploads too. */
  close(): Promise<void>;
  /** Ends every connection now. */
  closeAll(): void;
}

/** The signals that end a server. */
export type EndingSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** The scorer, as a drain uses it. */
interface DrainedScorer {
  readonly load: { readonly queued: number; readonly inFlight: number };
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
  /**
   * Answers the rest with 503 and ends the workers.
   * @param closeMs limit of a script's `close()`
   */
  stop(closeMs: number): Promise<void>;
  kill(): void;
}

/** Data collection, as a drain uses it. */
interface DrainedCollector {
  /** Resolves when no record needs a worker. */
  redacted(): Promise<void>;
  /** Delivers the rest, within a limit of its own. Returns false if its thread does not end. */
  close(): Promise<boolean>;
}

/** Telemetry, as a drain uses it. */
interface DrainedTelemetry {
  /** Sends the rest. Returns false if its thread does not end. */
  stop(limitMs: number): Promise<boolean>;
}

export interface DrainParts {
  readonly config: Pick<Config, 'drainDelayMs' | 'drainTimeoutMs'>;
  readonly lifecycle: Lifecycle;
  readonly scorer: DrainedScorer;
  /** Undefined: nothing is collected. */
  readonly collector?: DrainedCollector | undefined;
  /** Limit of the last delivery, once the workers are gone; milliseconds. */
  readonly collectorMs?: number;
  readonly telemetry?: DrainedTelemetry | undefined;
  /** Those that were open when the signal came. */
  readonly doors: readonly FrontDoor[];
  readonly log: Log;
}

/** Longest exit: all of its limits together; milliseconds. */
export function longestExit({ config, collectorMs = 0 }: Pick<DrainParts, 'config' | 'collectorMs'>): number {
  return config.drainTimeoutMs + collectorMs + MARGIN_MS;
}

/**
 * Readiness is 503 at once. The ports stay open for the drain delay. Then admitted requests and
 * uploads finish, within the limit. Collected data is delivered once the workers are gone. Every
 * wait has a limit. Returns false if a thread does not end.
 */
export async function drain(signal: EndingSignal, parts: DrainParts): Promise<boolean> {
  const { config, lifecycle, scorer, collector, doors, log } = parts;
  const wasReady = lifecycle.state === 'ready';
  if (!lifecycle.to('draining')) return true;
  const delayMs = signal === 'SIGTERM' && wasReady ? config.drainDelayMs : 0;
  log.info({ signal, ...scorer.load, delayMs, limitMs: config.drainTimeoutMs }, 'draining');
  const left = timeLeft(config);
  await delay(Math.min(delayMs, left()));
  const closed = closeDoors(doors);
  await within(
    left(),
    closed.then(() => scorer.idle()),
  );
  const unfinished = scorer.load.queued + scorer.load.inFlight;
  await within(left(), collector?.redacted());
  const threadsEnded = await leave(parts, closed, left);
  lifecycle.to('stopped');
  if (unfinished > 0) log.warn({ unfinished }, 'drained; requests that were not done in time got 503 (DRAIN_TIMEOUT_MS)');
  else log.info('drained');
  return threadsEnded;
}

/**
 * Ends a server that has failed: requests that wait get 503, and collected data is delivered.
 * Returns as `drain`.
 */
export function leaveFailed(parts: DrainParts): Promise<boolean> {
  return leave(parts, closeDoors(parts.doors), timeLeft(parts.config));
}

/** Milliseconds that are left of a drain that begins now. */
function timeLeft({ drainTimeoutMs }: DrainParts['config']): () => number {
  const ends = performance.now() + drainTimeoutMs;
  return () => Math.max(0, ends - performance.now());
}

/** Answers the rest, ends workers and connections, and delivers collected data and telemetry. */
async function leave(
  { scorer, doors, collector, collectorMs = 0, telemetry }: DrainParts,
  closed: Promise<unknown>,
  left: () => number,
): Promise<boolean> {
  const closeMs = left();
  await within(closeMs + LAST_ANSWERS_MS, scorer.stop(closeMs));
  await within(LAST_ANSWERS_MS, closed);
  scorer.kill();
  for (const door of doors) door.closeAll();
  const telemetryMs = Math.max(left(), LAST_ANSWERS_MS);
  const ended = await Promise.all([
    endOf(telemetryMs + MARGIN_MS / 4, telemetry?.stop(telemetryMs)),
    endOf(collectorMs + MARGIN_MS / 2, collector?.close()),
  ]);
  return ended.every(Boolean);
}

/** False if the thread has not ended in time, or its end failed. */
async function endOf(limitMs: number, thread: Promise<boolean> | undefined): Promise<boolean> {
  let ended = thread === undefined;
  await within(
    limitMs,
    thread?.then((answer) => (ended = answer)),
  );
  return ended;
}

function closeDoors(doors: readonly FrontDoor[]): Promise<unknown> {
  return Promise.all(doors.map((door) => door.close()));
}
