import { readRedacted, type RedactableBody, type RedactedBody, type RedactHead, type RedactionFailure } from '../ipc/redaction.ts';
import type { PoolWorker } from './pool-worker.ts';

/** The pool, as redactions use it. */
export interface RedactingPool {
  /** @param any also a worker without credit: a hook is no `run()` */
  leastLoaded(any: boolean): Pick<PoolWorker, 'process'> | undefined;
}

interface RedactionJob {
  readonly id: string;
  readonly sides: readonly RedactableBody[];
  readonly resolve: (results: readonly RedactedBody[]) => void;
  worker: Pick<PoolWorker, 'process'> | undefined;
  tries: number;
}

/** After two workers ended in a hook, the record goes without its bodies. */
const MOST_TRIES = 2;

/** Lets workers redact bodies, off the request's path. Jobs of a lost worker go to another. */
export class Redactions {
  readonly #pool: RedactingPool;
  readonly #jobs = new Map<number, RedactionJob>();
  #lastNumber = 0;

  constructor(pool: RedactingPool) {
    this.#pool = pool;
  }

  /** Never rejects: a body that could not be redacted must not be collected either. */
  redact(id: string, sides: readonly RedactableBody[]): Promise<readonly RedactedBody[]> {
    return new Promise((resolve) => {
      this.#lastNumber = (this.#lastNumber % 0xffff_ffff) + 1;
      const job: RedactionJob = { id, sides, resolve, worker: undefined, tries: 0 };
      this.#jobs.set(this.#lastNumber, job);
      this.#give(this.#lastNumber, job);
    });
  }

  /** @param payload of a `redacted` frame @throws FrameError when it is not one */
  done(worker: PoolWorker, number: number, payload: Buffer): void {
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

  lost(worker: PoolWorker): void {
    for (const [number, job] of this.#jobs) {
      if (job.worker !== worker) continue;
      job.worker = undefined;
      if (job.tries >= MOST_TRIES) this.#abandon(number, job, 'worker_lost');
      else this.#give(number, job);
    }
  }

  /** A worker can take more. */
  available(): void {
    for (const [number, job] of this.#jobs) if (job.worker === undefined) this.#give(number, job);
  }

  /** The workers end: no redaction follows. */
  stop(): void {
    for (const [number, job] of this.#jobs) this.#abandon(number, job, 'stopped');
  }

  #give(number: number, job: RedactionJob): void {
    const worker = this.#pool.leastLoaded(true);
    if (worker === undefined) return;
    job.worker = worker;
    job.tries++;
    worker.process.redact(
      number,
      headOf(job),
      job.sides.flatMap(({ body }) => body),
    );
  }

  #abandon(number: number, job: RedactionJob, reason: RedactionFailure): void {
    this.#jobs.delete(number);
    job.resolve(job.sides.map(() => reason));
  }
}

function headOf({ id, sides }: RedactionJob): RedactHead {
  return {
    id,
    sides: sides.map(({ collection, contentType, body }) => ({
      collection,
      contentType,
      bytes: body.reduce((sum, { length: bytes }) => sum + bytes, 0),
    })),
  };
}
