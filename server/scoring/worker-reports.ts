import type { Log } from '../log.ts';
import type { MetricsMessage } from '../ipc/metric-series.ts';
import { cutText, LONGEST_LINE, type OutputLine } from '../guards/output-lines.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LogMessage, ServedModel } from '../ipc/worker-messages.ts';
import type { PoolWorker } from './pool-worker.ts';
import { type RestartCause, restartCauses } from './worker-endings.ts';
import { WorkerUsage } from './worker-usage.ts';

/** Called with each line of an entry script. */
export type OnScriptLine = (message: LogMessage) => void;

/** Time between two lines that report lost output of workers. */
const LOSS_LOG_INTERVAL_MS = 1000;

/** Names that a line of the log has for itself. */
const OF_THE_LINE = ['level', 'time', 'msg'];

/** Brings the reports of workers to their place: lines to the log, numbers to the metrics. */
export class WorkerReports {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #onScriptLine: OnScriptLine | undefined;
  readonly #usage = new WorkerUsage();
  /** Lines that were cut or dropped since the last report of it. */
  #lost = { cut: 0, dropped: 0 };
  #lossTimer: NodeJS.Timeout | undefined;
  /** Series were left out. */
  #beyond = false;

  constructor(log: Log, metrics: Metrics, onScriptLine: OnScriptLine | undefined) {
    this.#log = log;
    this.#metrics = metrics;
    this.#onScriptLine = onScriptLine;
    metrics.processes.observe(() => this.#usage.rows());
    for (const cause of restartCauses) metrics.workerRestarts.inc({ cause }, 0);
  }

  line(worker: PoolWorker, message: LogMessage): void {
    const { level, requestId, traceId, fields } = message;
    const dropped = Number.isSafeInteger(message.dropped) ? Number(message.dropped) : 0;
    // The worker cuts, too; but its script decides what is sent.
    const msg = cutText(message.msg);
    const cut = message.cut === true || msg.length < message.msg.length;
    if (dropped > 0) this.#lose('dropped', dropped);
    if (cut) this.#lose('cut', 1);
    if (msg === '' && dropped > 0) return;
    this.#log[level]({ ...besides(fields), worker: worker.number, requestId, traceId, ...(cut && { cut }) }, msg);
    this.#onScriptLine?.(cut ? { ...message, msg } : message);
  }

  /** A line that the process wrote past the console. */
  output(worker: PoolWorker, stream: 'stdout' | 'stderr', { text, cut }: OutputLine): void {
    const level = stream === 'stderr' ? 'warn' : 'info';
    if (cut) this.#lose('cut', 1);
    this.#log[level]({ worker: worker.number, stream, ...(cut && { cut }) }, text);
    this.#onScriptLine?.({ level, msg: text });
  }

  metrics(worker: PoolWorker, message: MetricsMessage): void {
    const { odd, beyond } = this.#metrics.workers.merge(worker, worker.number, message);
    if (beyond !== undefined && !this.#beyond) {
      this.#beyond = true;
      this.#log.warn(
        { worker: worker.number, metric: beyond },
        'the metrics of scripts have too many names or label values, over all lives of workers: further series are left out (logged once)',
      );
    }
    if (odd.length > 0)
      this.#log.warn(
        { worker: worker.number, metrics: odd },
        'this worker defines metrics otherwise than another did: they are left out. init() must define the same metrics in every worker',
      );
  }

  loaded(worker: PoolWorker, model: ServedModel): void {
    this.#metrics.loaded(worker, model);
  }

  /** The pipe of a worker brought something that is not the protocol. */
  broke(worker: PoolWorker, why: string): void {
    this.#log.error(
      { worker: worker.number, pid: worker.process.pid },
      `a worker broke the protocol of its pipe (fd 3), which belongs to the server: it is killed and replaced; it sent ${why}`,
    );
  }

  /** The script's `close()` has taken longer than its limit. */
  late(worker: PoolWorker, limitMs: number): void {
    this.#log.warn(
      { worker: worker.number, pid: worker.process.pid, limitMs },
      `close() of the entry script did not finish within ${limitMs} ms, the rest of DRAIN_TIMEOUT_MS: its worker is killed`,
    );
  }

  /** A worker is replaced. */
  restarted(cause: RestartCause): void {
    this.#metrics.workerRestarts.inc({ cause });
  }

  /** A process was started. */
  started(worker: PoolWorker): void {
    this.#usage.started(worker);
  }

  gone(worker: PoolWorker): void {
    this.#usage.gone(worker);
    this.#metrics.gone(worker);
    this.#reportLost();
  }

  #lose(reason: 'cut' | 'dropped', lines: number): void {
    this.#metrics.output.lost(reason, lines);
    this.#lost[reason] += lines;
    this.#lossTimer ??= setTimeout(() => this.#reportLost(), LOSS_LOG_INTERVAL_MS).unref();
  }

  #reportLost(): void {
    if (this.#lossTimer === undefined) return;
    clearTimeout(this.#lossTimer);
    this.#lossTimer = undefined;
    const lost = this.#lost;
    this.#lost = { cut: 0, dropped: 0 };
    this.#log.warn(
      lost,
      `output of workers is not logged whole: lines are cut at ${LONGEST_LINE / 1024} KiB, and lines that come faster than they can be logged are dropped (worker_output_lost_total)`,
    );
  }
}

/** The fields of a script as members of a line, whose own members they do not replace. */
function besides(fields: LogMessage['fields']): LogMessage['fields'] {
  return fields !== undefined && OF_THE_LINE.some((name) => Object.hasOwn(fields, name)) ? { fields } : fields;
}
