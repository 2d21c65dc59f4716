import { ServerError } from '../errors.ts';
import { FrameError } from '../ipc/frames.ts';
import { InFlight } from '../ipc/in-flight.ts';
import type { ActiveScoring } from './active-scoring.ts';
import type { Exit, WorkerProcess } from './worker-process.ts';

/** starting -> ready -> retiring (takes nothing new, ends when it holds nothing that anybody waits for) -> gone. */
export type WorkerState = 'starting' | 'ready' | 'retiring' | 'gone';

/** A worker as the pool sees it: its state and the scorings that it holds. */
export class PoolWorker {
  readonly number: number;
  readonly startedAt = performance.now();
  readonly held = new InFlight<ActiveScoring>();
  state: WorkerState = 'starting';
  /** Requests that it was given so far. */
  given = 0;
  process!: WorkerProcess;
  /** `run()` calls that it takes at a time. */
  concurrency = 0;
  /** Why the host ended it, for the metric; undefined: it ended by itself. */
  endedFor: 'deadline' | 'stop' | 'init_timeout' | 'memory' | 'protocol' | undefined;
  /** How much memory it takes, and may take, where that is why it was ended. */
  tooLarge: string | undefined;
  initTimer: NodeJS.Timeout | undefined;

  constructor(number: number) {
    this.number = number;
  }

  /** When it was last told to cancel for a deadline; until it is heard again its thread may be stuck, and it gets nothing new. */
  askedAt = 0;

  /** @throws FrameError when it has said before how its start ended */
  checkStarting(): void {
    if (this.state !== 'starting') throw new FrameError('a second message that tells how its start ended');
  }

  /** It said why it cannot serve, and exits; an exit handler of its script may not end. @throws FrameError as `checkStarting` */
  endStart(): void {
    this.checkStarting();
    this.process.end();
  }

  get usable(): boolean {
    return this.state === 'ready' && this.endedFor === undefined;
  }

  get credit(): number {
    return this.usable && this.process.lastHeard >= this.askedAt ? this.concurrency - this.held.size : 0;
  }

  /** What it has certainly not begun, the latest first, but for what was given back before. */
  get notBegun(): readonly ActiveScoring[] {
    const { begun } = this.process;
    return this.held.items
      .filter((scoring) => !scoring.answered && !scoring.again && scoring.order > begun)
      .toSorted((one, other) => other.order - one.order);
  }

  /** What those are answered whose requests it held when it ended. */
  lossOf({ code, signal }: Exit): ServerError {
    if (this.endedFor === 'stop') return new ServerError('stopping', 'The server stopped before this request was done. Try again.');
    const how = this.tooLarge !== undefined ? 'too much memory' : signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
    return new ServerError('worker_lost', `The worker that held this request ended (${how}) and is being replaced. Try again.`);
  }

  /** Why a process that ended before it was ready is a failure. */
  diedAtStart({ code, signal, notStarted }: Exit, initTimeoutMs: number): ServerError {
    if (this.endedFor === 'init_timeout') {
      return new ServerError(
        'init_timeout',
        `init() did not finish within ${initTimeoutMs} ms (INIT_TIMEOUT_MS), and its worker did not react: it was killed.`,
      );
    }
    if (this.tooLarge !== undefined)
      return new ServerError('init_failed', `The worker took too much memory before init() was done, and was killed: ${this.tooLarge}.`);
    if (this.endedFor === 'protocol')
      return new ServerError('init_failed', 'The worker was killed before init() was done: the line above this one says what it sent.');
    if (notStarted !== undefined)
      return new ServerError(
        'init_failed',
        `The worker process could not be started: ${notStarted}. Check the limits of open files (ulimit -n), processes and memory.`,
      );
    const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by signal ${signal}`;
    return new ServerError(
      'init_failed',
      `The worker ended ${how} before init() was done: look for what the entry script or the model's runtime printed above this line.`,
    );
  }
}

/** Workers that serve, `run()` calls that they take, and how many more they would take now. */
export interface Capacity {
  readonly workers: number;
  readonly concurrency: number;
  readonly credits: number;
}

export function capacityOf(workers: readonly (PoolWorker | undefined)[]): Capacity {
  const sum = { workers: 0, concurrency: 0, credits: 0 };
  for (const worker of workers) {
    if (worker?.usable !== true) continue;
    sum.workers++;
    sum.concurrency += worker.concurrency;
    sum.credits += Math.max(0, worker.credit);
  }
  return sum;
}
