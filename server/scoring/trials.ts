import type { StartMessage } from '../ipc/start-message.ts';
import type { Log } from '../log.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { Exit } from './worker-process.ts';

/**
 * Longest time of a model on made-up inputs, on the CPU; milliseconds. On devices only the limit of
 * `init()` holds, because a first run may build an engine for minutes.
 */
const TRIAL_MS = 20_000;

interface TrialSettings {
  /** Milliseconds; 0: no limit. */
  readonly limitMs?: number | undefined;
  readonly log: Log;
  /** Ends a worker whose model hangs on made-up inputs. */
  readonly end: (worker: PoolWorker) => void;
}

/**
 * Keeps inputs that nobody sent from deciding whether a model is served. A worker that ends or
 * hangs on them starts again without them, and every later worker does.
 */
export class Trials {
  readonly #settings: TrialSettings;
  #failed = false;

  constructor(settings: TrialSettings) {
    this.#settings = settings;
  }

  /** What the next worker is started with. */
  messageOf(start: StartMessage): StartMessage {
    return this.#failed && start.warmUp === 'on' ? { ...start, warmUp: 'failed' } : start;
  }

  /** A worker begins to run a model on made-up inputs. @param model undefined: it is done */
  tries(worker: PoolWorker, model: string | undefined): void {
    const { start } = worker;
    // A begin that is read after the kill explains the end. That a trial is done does not.
    if (start.warmUp !== 'on' || (worker.ending && model === undefined)) return;
    clearTimeout(worker.trialTimer);
    worker.trying = model;
    if (worker.ending) return;
    const { limitMs = TRIAL_MS, end } = this.#settings;
    if (model !== undefined && limitMs > 0 && start.execution.provider === 'cpu')
      worker.trialTimer = setTimeout(() => end(worker), limitMs);
  }

  /**
   * A worker is gone before it was ready. True if it ended on made-up inputs: then its place gets
   * another worker, which runs none.
   */
  lost(worker: PoolWorker, { code, signal }: Exit): boolean {
    const { trying: model, number, endedFor, tooLarge } = worker;
    if (model === undefined) return endedFor === 'trial';
    if (this.#failed) return true;
    this.#failed = true;
    const how =
      endedFor === 'trial' || endedFor === 'init_timeout'
        ? 'did not finish'
        : tooLarge !== undefined
          ? 'took too much memory'
          : `ended the worker ${signal === null ? `with exit code ${code ?? 'unknown'}` : `by signal ${signal}`}`;
    this.#settings.log.warn(
      { worker: number, model, code, signal },
      `model ${model} ${how} on made-up inputs, before any request: workers start without them, and MAX_BATCH_SIZE=auto merges no calls. WARM_UP=off avoids the attempt`,
    );
    return true;
  }
}
