import type { Log } from '../log.ts';
import type { MetricsMessage } from '../metric-series.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LogMessage, ServedModel } from '../worker/protocol.ts';
import type { PoolWorker } from './pool-worker.ts';

/** Hears of everything that an entry script says. */
export type Said = (message: LogMessage) => void;

/** Where what workers say beside their answers goes: lines to the log, numbers to the metrics. */
export class WorkerReports {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #said: Said | undefined;

  constructor(log: Log, metrics: Metrics, said: Said | undefined) {
    this.#log = log;
    this.#metrics = metrics;
    this.#said = said;
  }

  line(worker: PoolWorker, message: LogMessage): void {
    const { level, msg, requestId, traceId, fields } = message;
    this.#log[level]({ ...fields, worker: worker.number, requestId, traceId }, msg);
    this.#said?.(message);
  }

  /** A line that the process wrote past the console. */
  output(worker: PoolWorker, stream: 'stdout' | 'stderr', line: string): void {
    if (line === '') return;
    const level = stream === 'stderr' ? 'warn' : 'info';
    this.#log[level]({ worker: worker.number, stream }, line);
    this.#said?.({ level, msg: line });
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
  }
}
