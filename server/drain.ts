import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';

/** Answers that were given at the end of a drain need a moment to leave, and so does telemetry. */
const LAST_ANSWERS_MS = 500;

/** A port through which requests come in. */
export interface FrontDoor {
  /** Takes nothing new; resolves when what is open has ended, uploads too. */
  close(): Promise<void>;
  /** Ends every connection now. */
  closeAll(): void;
}

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
}

interface Parts {
  readonly config: Pick<Config, 'drainDelayMs' | 'drainTimeoutMs'>;
  readonly lifecycle: Lifecycle;
  readonly scorer: Drained;
  readonly collector?: Collecting | undefined;
  /** Those that were open when the signal came. */
  readonly doors: readonly FrontDoor[];
  /** Sends what is to leave the server besides answers, telemetry for at most so long. */
  readonly deliver: (limitMs: number) => Promise<void>;
  readonly log: Log;
}

/**
 * Readiness 503 at once; the port stays open for the drain delay; then what was admitted, and what is still being uploaded, is
 * finished, within the limit. What workers collected is delivered when they are gone.
 */
export async function drain(
  signal: 'SIGTERM' | 'SIGINT',
  { config, lifecycle, scorer, collector, doors, deliver, log }: Parts,
): Promise<void> {
  const wasReady = lifecycle.state === 'ready';
  if (!lifecycle.to('draining')) return;
  const delayMs = signal === 'SIGTERM' && wasReady ? config.drainDelayMs : 0;
  log.info({ signal, ...scorer.load, delayMs, limitMs: config.drainTimeoutMs }, 'draining');
  const ends = performance.now() + config.drainTimeoutMs;
  const limit = delay(config.drainTimeoutMs, undefined, { ref: false });
  await Promise.race([delay(delayMs), limit]);
  const closed = Promise.all(doors.map((door) => door.close()));
  await Promise.race([closed.then(() => scorer.idle()), limit]);
  const unfinished = scorer.load.queued + scorer.load.inFlight;
  await Promise.race([collector?.redacted(), limit]);
  await Promise.race([scorer.stop(), delay(LAST_ANSWERS_MS)]);
  await Promise.race([closed, delay(LAST_ANSWERS_MS)]);
  scorer.kill();
  for (const door of doors) door.closeAll();
  await deliver(Math.max(ends - performance.now(), LAST_ANSWERS_MS));
  lifecycle.to('stopped');
  if (unfinished > 0) log.warn({ unfinished }, 'drained; requests that were not done in time got 503 (DRAIN_TIMEOUT_MS)');
  else log.info('drained');
}
