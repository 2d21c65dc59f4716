import type { FromWorker } from '../ipc/from-worker.ts';
import type { OutputEvents } from './worker-output.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why there was no process at all. */
  readonly notStarted?: string;
}

/** What a worker reports of its process. */
type ProcessFrames = 'ready' | 'startFailed' | 'loaded' | 'metrics' | 'log';

/** What a worker reports of the requests that it was given. */
export type AnswerEvents = Omit<FromWorker, ProcessFrames>;

/** What a worker reports, in the order in which it does. */
export interface WorkerEvents extends AnswerEvents, OutputEvents, Pick<FromWorker, Exclude<ProcessFrames, 'log'>> {
  /** What came over the pipe is not the protocol: nothing more is read, and the process has to be ended. */
  broke(why: string): void;
  exit(exit: Exit): void;
}
