import type { Log } from '../log.ts';
import type { MetricsMessage } from '../ipc/metric-series.ts';
import { cutText, LONGEST_LINE, type OutputLine } from '../guards/output-lines.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LogMessage, ServedModel } from '../ipc/worker-messages.ts';
import type { PoolWorker } from './pool-worker.ts';

/** Hears of everything that an entry script says. */
export type Said = (message: LogMessage) => void;

/** Time between two lines that tell how much of the workers' output is lost. */
const LOSS_LOG_INTERVAL_MS = 1000;

/** Where what workers say beside their answers goes: lines to the log, numbers to the metrics. */
export class WorkerReports {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #said: Said | undefined;
  /** Lines that were cut or dropped since the log told of it. */
  #lost = { cut: 0, dropped: 0 };
  #lossTimer: NodeJS.Timeout | undefined;

  constructor(log: Log, metrics: Metrics, said: Said | undefined) {
    this.#log = log;
    this.#metrics = metrics;
    this.#said = said;
  }

  line(worker: PoolWorker, message: LogMessage): void {
    const { level, requestId, traceId, fields } = message;
    const dropped = Number.isSafeInteger(message.dropped) ? Number(message.dropped) : 0;
    // The worker cuts, too; but what it sends is up to its script.
    const msg = cutText(message.msg);
    const cut = message.cut === true || msg.length < message.msg.length;
    if (dropped > 0) this.#lose('dropped', dropped);
    if (cut) this.#lose('cut', 1);
    if (msg === '' && dropped > 0) return;
    this.#log[level]({ ...fields, worker: worker.number, requestId, traceId, ...(cut && { cut }) }, msg);
    this.#said?.(cut ? { ...message, msg } : message);
  }

  /** A line that the process wrote past the console. */
  output(worker: PoolWorker, stream: 'stdout' | 'stderr', { text, cut }: OutputLine): void {
    const level = stream === 'stderr' ? 'warn' : 'info';
    if (cut) this.#lose('cut', 1);
    this.#log[level]({ worker: worker.number, stream, ...(cut && { cut }) }, text);
    this.#said?.({ level, msg: text });
  }

  metrics(worker: PoolWorker, message: MetricsMessage): void {
    const odd = this.#metrics.workers.merge(worker, worker.number, message);
    if (odd.length > 0)
      this.#log.warn(
        { worker: worker.number, metrics: odd },
        'this worker defines metrics otherwise than another did: they are left out. init() must define the same metrics in every worker',
      );
  }

  loaded(worker: PoolWorker, model: ServedModel): void {
    this.#metrics.loaded(worker, model);
  }

  /** What a worker sent is not the protocol. */
  broke(worker: PoolWorker, why: string): void {
    this.#log.error(
      { worker: worker.number, pid: worker.process.pid },
      `a worker broke the protocol of its pipe (fd 3), which belongs to the server: it is killed and replaced; it sent ${why}`,
    );
  }

  restarted(cause: string): void {
    this.#metrics.workerRestarts.inc({ cause });
  }

  gone(worker: PoolWorker): void {
    this.#metrics.gone(worker);
    this.#tellLost();
  }

  #lose(reason: 'cut' | 'dropped', lines: number): void {
    this.#metrics.output.workerLost.inc({ reason }, lines);
    this.#lost[reason] += lines;
    this.#lossTimer ??= setTimeout(() => this.#tellLost(), LOSS_LOG_INTERVAL_MS).unref();
  }

  #tellLost(): void {
    if (this.#lossTimer === undefined) return;
    clearTimeout(this.#lossTimer);
    this.#lossTimer = undefined;
    const lost = this.#lost;
    this.#lost = { cut: 0, dropped: 0 };
    this.#log.warn(
      lost,
      `output of workers is not logged whole: lines are cut at ${LONGEST_LINE / 1024} KiB, and those that come faster than they can be logged are dropped (worker_output_lost_total)`,
    );
  }
}
