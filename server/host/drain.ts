import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { within } from '../guards/within.ts';

/** Answers that were given at the end of a drain need a moment to leave, and so does telemetry. */
const LAST_ANSWERS_MS = 500;
/** What the steps after a drain may take beyond the limits that are options: last answers, ports, threads, the log. */
const MARGIN_MS = 6000;

/** A port through which requests come in. */
export interface FrontDoor {
  /** Takes nothing new; resolves when what is open has ended, uploads too. */
  close(): Promise<void>;
  /** Ends every connection now. */
  closeAll(): void;
}

/** The signals that end a server. */
export type EndingSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** What a drain needs of the scorer. */
interface Drained {
  readonly load: { readonly queued: number; readonly inFlight: number };
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
  /** Answers what is left with 503 and ends the workers. */
  stop(): Promise<void>;
  kill(): void;
}

/** What a drain needs of data collection. */
interface Collecting {
  /** Resolves when no worker is needed for what was collected. */
  redacted(): Promise<void>;
  /** Delivers what is left, within a limit of its own. Answers false where its thread does not end. */
  close(): Promise<boolean>;
}

/** Sends what leaves the server besides answers and collected data. */
interface Telling {
  /** Answers false where its thread does not end. */
  stop(limitMs: number): Promise<boolean>;
}

export interface DrainParts {
  readonly config: Pick<Config, 'drainDelayMs' | 'drainTimeoutMs'>;
  readonly lifecycle: Lifecycle;
  readonly scorer: Drained;
  /** Undefined: nothing is collected. */
  readonly collector?: Collecting | undefined;
  /** What collected data may take once the workers are gone; milliseconds. */
  readonly collectorMs?: number;
  readonly telemetry?: Telling | undefined;
  /** Those that were open when the signal came. */
  readonly doors: readonly FrontDoor[];
  readonly log: Log;
}

/** What an exit takes at most, all of its limits together; milliseconds. */
export function longestExit({ config, collectorMs = 0 }: Pick<DrainParts, 'config' | 'collectorMs'>): number {
  return config.drainTimeoutMs + collectorMs + MARGIN_MS;
}

/**
 * Readiness 503 at once; the port stays open for the drain delay; then what was admitted, and what is still being uploaded, is
 * finished, within the limit. What workers collected is delivered when they are gone. Every wait has a limit.
 * Answers false where a thread does not end.
 */
export async function drain(signal: EndingSignal, parts: DrainParts): Promise<boolean> {
  const { config, lifecycle, scorer, collector, doors, log } = parts;
  const wasReady = lifecycle.state === 'ready';
  if (!lifecycle.to('draining')) return true;
  const delayMs = signal === 'SIGTERM' && wasReady ? config.drainDelayMs : 0;
  log.info({ signal, ...scorer.load, delayMs, limitMs: config.drainTimeoutMs }, 'draining');
  const ends = performance.now() + config.drainTimeoutMs;
  const left = (): number => Math.max(0, ends - performance.now());
  await delay(Math.min(delayMs, left()));
  const closed = closeDoors(doors);
  await within(
    left(),
    closed.then(() => scorer.idle()),
  );
  const unfinished = scorer.load.queued + scorer.load.inFlight;
  await within(left(), collector?.redacted());
  const threadsEnded = await leave(parts, closed, left());
  lifecycle.to('stopped');
  if (unfinished > 0) log.warn({ unfinished }, 'drained; requests that were not done in time got 503 (DRAIN_TIMEOUT_MS)');
  else log.info('drained');
  return threadsEnded;
}

/** The way out of a server that has failed: what waits gets its 503, what was collected is delivered. Answers as `drain`. */
export function giveUp(parts: DrainParts): Promise<boolean> {
  return leave(parts, closeDoors(parts.doors), parts.config.drainTimeoutMs);
}

/** Answers what is left, ends workers and connections, and delivers what is to leave the server. */
async function leave(
  { scorer, doors, collector, collectorMs = 0, telemetry }: DrainParts,
  closed: Promise<unknown>,
  leftMs: number,
): Promise<boolean> {
  await within(LAST_ANSWERS_MS, scorer.stop());
  await within(LAST_ANSWERS_MS, closed);
  scorer.kill();
  for (const door of doors) door.closeAll();
  const telemetryMs = Math.max(leftMs, LAST_ANSWERS_MS);
  const ended = await Promise.all([
    endOf(telemetryMs + MARGIN_MS / 4, telemetry?.stop(telemetryMs)),
    endOf(collectorMs + MARGIN_MS / 2, collector?.close()),
  ]);
  return ended.every(Boolean);
}

/** False where the thread has not ended in time, or it is not known. */
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
