import type { Log } from '../log.ts';
import { readRedacted, type RedactableBody, type RedactedBody, type RedactHead, type RedactionFailure } from '../ipc/redaction.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { EndReason } from './worker-endings.ts';

/** A worker, as redactions use it. */
export type RedactingWorker = Pick<PoolWorker, 'number' | 'process' | 'endedFor' | 'retiredFor' | 'heldByHook' | 'mayHaveBegun'>;

/** The pool, as redactions use it. */
interface RedactingPool<Worker> {
  /** @param any also a worker without credit: a hook is no `run()` */
  leastLoaded(need: 'nothing'): Worker | undefined;
  end(worker: Worker, reason: EndReason): void;
}

interface RedactionSettings<Worker> {
  readonly pool: RedactingPool<Worker>;
  readonly answers: Pick<AnswerMemory, 'pausedUntil'>;
  readonly log: Pick<Log, 'error'>;
  /** Milliseconds that a hook may have the thread of its worker; 0: no limit. */
  readonly limitMs: number;
}

interface RedactionJob<Worker> {
  readonly id: string;
  readonly sides: readonly RedactableBody[];
  readonly resolve: (results: readonly RedactedBody[]) => void;
  worker: Worker | undefined;
  /** Its place among the jobs of its worker, from 1. */
  order: number;
  givenAt: number;
  /** Workers that ended while the hook may have had it. */
  losses: number;
}

/** A worker that has, or had, jobs. */
interface Given {
  jobs: number;
  /** The job whose hook has the thread, since the host saw it first; 0: none. */
  holder: number;
  since: number;
}

/** After two workers ended in a hook, the record goes without its bodies. */
const MOST_LOSSES = 2;
/** A hook that has the thread for longer is seen, and others get the requests. */
const LOOK_MS = 100;
/** A worker reports a hook that awaits for too long by itself, within this time. */
const REPORT_MS = 1000;

/**
 * Lets workers redact bodies, off the request's path. Jobs of a lost worker go to another. The host
 * times the hooks, because no timer of a worker fires while a hook has its thread: such a worker is
 * killed, and its job is not repeated.
 */
export class Redactions<Worker extends RedactingWorker = PoolWorker> {
  readonly #settings: RedactionSettings<Worker>;
  readonly #jobs = new Map<number, RedactionJob<Worker>>();
  readonly #workers = new Map<Worker, Given>();
  #lastNumber = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(settings: RedactionSettings<Worker>) {
    this.#settings = settings;
  }

  /** Never rejects: a body that could not be redacted must not be collected either. */
  redact(id: string, sides: readonly RedactableBody[]): Promise<readonly RedactedBody[]> {
    // Requests that the stop ends come after it.
    if (this.#stopped) return Promise.resolve(sides.map(() => 'stopped'));
    return new Promise((resolve) => {
      this.#lastNumber = (this.#lastNumber % 0xffff_ffff) + 1;
      const job: RedactionJob<Worker> = { id, sides, resolve, worker: undefined, order: 0, givenAt: 0, losses: 0 };
      this.#jobs.set(this.#lastNumber, job);
      this.#give(this.#lastNumber, job);
    });
  }

  /** @param payload of a `redacted` frame @throws FrameError when it is not one */
  done(worker: Worker, number: number, payload: Buffer): void {
    const job = this.#jobs.get(number);
    if (job?.worker !== worker) return;
    const { heads, bodiesAt } = readRedacted(payload, job.sides.length);
    let at = bodiesAt;
    this.#jobs.delete(number);
    job.resolve(
      heads.map((head): RedactedBody => {
        if (head === null || typeof head === 'string') return head ?? undefined;
        return { contentType: head.contentType, body: payload.subarray(at, (at += head.bytes)) };
      }),
    );
  }

  /** Called while the mark of the worker can be read. */
  lost(worker: Worker): void {
    this.#workers.delete(worker);
    const { begun, holder } = worker.process.redactions;
    const wasStuck = worker.endedFor === 'deadline' && worker.retiredFor === undefined;
    for (const [number, job] of this.#jobs) {
      if (job.worker !== worker) continue;
      job.worker = undefined;
      if (job.order <= begun) job.losses++;
      if (wasStuck && job.order <= begun && (number === holder || this.#isOver(job))) this.#abandon(number, job, 'hook_timeout');
      else if (job.losses >= MOST_LOSSES) this.#abandon(number, job, 'worker_lost');
      else this.#give(number, job);
    }
  }

  #isOver({ givenAt }: RedactionJob<Worker>): boolean {
    return this.#settings.limitMs > 0 && performance.now() - givenAt >= this.#settings.limitMs;
  }

  /** A worker can take more. */
  available(): void {
    for (const [number, job] of this.#jobs) if (job.worker === undefined) this.#give(number, job);
  }

  /** The workers end: no redaction follows. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const [number, job] of this.#jobs) this.#abandon(number, job, 'stopped');
  }

  #give(number: number, job: RedactionJob<Worker>): void {
    const worker = this.#settings.pool.leastLoaded('nothing');
    if (worker === undefined) return;
    let given = this.#workers.get(worker);
    if (given === undefined) this.#workers.set(worker, (given = { jobs: 0, holder: 0, since: 0 }));
    job.worker = worker;
    job.order = ++given.jobs;
    job.givenAt = performance.now();
    worker.process.redact(
      number,
      headOf(job),
      job.sides.flatMap(({ body }) => body),
    );
    this.#watch();
  }

  #abandon(number: number, job: RedactionJob<Worker>, reason: RedactionFailure): void {
    this.#jobs.delete(number);
    job.resolve(job.sides.map(() => reason));
  }

  #watch(): void {
    if (this.#settings.limitMs > 0) this.#timer ??= setTimeout(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    this.#timer = undefined;
    for (const [worker, given] of this.#workers) this.#lookAt(worker, given);
    if (this.#jobs.size > 0) this.#watch();
  }

  #lookAt(worker: Worker, given: Given): void {
    const { holder, begun } = worker.process.redactions;
    const holds = this.#jobs.get(holder)?.worker === worker;
    worker.heldByHook = holds && holder === given.holder;
    if (!worker.heldByHook) {
      given.holder = holds ? holder : 0;
      given.since = performance.now();
    }
    const isLate = worker.heldByHook && performance.now() - given.since >= this.#settings.limitMs;
    const atFault = isLate ? [holder] : this.#silent(worker, begun);
    if (atFault.length > 0) this.#end(worker, atFault);
  }

  /**
   * Jobs whose hook may have the thread after an await, where the mark cannot show it: they are
   * overdue, their worker says nothing, and no run of it can have the thread.
   * @param begun jobs of the worker
   */
  #silent(worker: Worker, begun: number): number[] {
    const { answers, limitMs } = this.#settings;
    const before = performance.now() - limitMs - REPORT_MS;
    if (worker.process.lastReadAt > before || answers.pausedUntil > before || worker.mayHaveBegun) return [];
    return [...this.#jobs].flatMap(([number, job]) =>
      job.worker === worker && job.order <= begun && job.givenAt < before ? [number] : [],
    );
  }

  #end(worker: Worker, atFault: readonly number[]): void {
    const { pool, log, limitMs } = this.#settings;
    const jobs = atFault.flatMap((number) => this.#jobs.get(number) ?? []);
    log.error(
      { worker: worker.number, pid: worker.process.pid, requestId: jobs[0]?.id },
      `redact() of the entry script had the thread of its worker for more than ${limitMs} ms: the worker is killed and replaced, and the bodies are not collected`,
    );
    for (const [at, job] of jobs.entries()) this.#abandon(atFault[at] ?? 0, job, 'hook_timeout');
    this.#workers.delete(worker);
    pool.end(worker, 'redaction');
  }
}

function headOf({ id, sides }: Pick<RedactionJob<unknown>, 'id' | 'sides'>): RedactHead {
  return {
    id,
    sides: sides.map(({ collection, contentType, body }) => ({
      collection,
      contentType,
      bytes: body.reduce((sum, { length: bytes }) => sum + bytes, 0),
    })),
  };
}
