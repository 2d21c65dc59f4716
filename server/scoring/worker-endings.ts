import { languageOf } from '../config/script-language.ts';
import { ServerError } from '../errors.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { Exit } from './worker-process.ts';

/** Why a worker retires. */
export type RetireReason = 'deadline';

/** Why the host ends a worker. */
export type EndReason = RetireReason | 'stop' | 'init_timeout' | 'memory' | 'protocol' | 'redaction' | 'trial';

/** Why a replacement starts; the label `cause` of `worker_restarts_total`. */
export type RestartCause = (typeof restartCauses)[number];
export const restartCauses = ['exit', 'signal', 'init', 'init_timeout', 'deadline', 'memory', 'protocol', 'redaction'] as const;

/** Undefined: the end is not counted. */
export function restartCauseOf({ retiredFor, endedFor }: PoolWorker, { signal }: Exit): RestartCause | undefined {
  const reason = retiredFor ?? endedFor;
  if (reason === undefined) return signal === null ? 'exit' : 'signal';
  return reason === 'stop' || reason === 'trial' ? undefined : reason;
}

/** The log's text on a worker that begins to retire. */
export const retirements: Readonly<Record<RetireReason, string>> = {
  deadline: 'a run did not end after its cancel: its worker finishes its other requests and is replaced',
};

/** The answer to the requests that a worker held when it ended. */
export function lossOf({ endedFor, tooLarge }: PoolWorker, { code, signal }: Exit): ServerError {
  if (endedFor === 'stop') return new ServerError('stopping', 'The server stopped before this request was done. Try again.');
  const how = tooLarge !== undefined ? 'too much memory' : signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
  return new ServerError('worker_lost', `The worker that held this request ended (${how}) and is being replaced. Try again.`);
}

/**
 * Why a process that ended before it was ready is a failure. A model without code has no script to
 * look into. The host does not know whether `init()` or the run on the sample was under way.
 * @param initTimeoutMs limit of `init()`
 */
export function startFailureOf({ endedFor, tooLarge, start }: PoolWorker, exit: Exit, initTimeoutMs: number): ServerError {
  const { noCode } = start;
  const before = noCode ? 'before its model was loaded' : 'before init() was done, or in run() on an exported sample';
  if (endedFor === 'init_timeout') {
    const limit = `${initTimeoutMs} ms (INIT_TIMEOUT_MS)`;
    const late = noCode
      ? `The model was not loaded within ${limit}`
      : `User's init function failed: init(), or run() on an exported sample, did not finish within ${limit}`;
    return new ServerError('init_timeout', `${late}, and its worker did not react: it was killed.`);
  }
  if (tooLarge !== undefined)
    return new ServerError('init_failed', `The worker took too much memory ${before}, and was killed: ${tooLarge}.`);
  if (endedFor === 'protocol')
    return new ServerError('init_failed', `The worker was killed ${before}: the line above this one names what it sent.`);
  return new ServerError('init_failed', earlyExit(exit, before, start));
}

function earlyExit({ code, signal, notStarted }: Exit, before: string, start: StartMessage): string {
  if (notStarted !== undefined)
    return `The worker process could not be started: ${notStarted}. Check the limits of open files (ulimit -n), processes and memory.`;
  const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by signal ${signal}`;
  return `The worker ended ${how} ${before}. If ${whatPrints(start)} printed the reason, it is above this line.`;
}

function whatPrints({ noCode, entryScript }: StartMessage): string {
  if (noCode) return 'ONNX Runtime or a preload of NODE_OPTIONS';
  if (languageOf(entryScript) === 'python') return 'the entry script or a library of it';
  return "the entry script, the model's runtime or a preload of NODE_OPTIONS";
}
