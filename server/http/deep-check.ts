import { Readable } from 'node:stream';
import { ServerError, toServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import type { Log } from '../log.ts';
import { readIds } from '../request/request-ids.ts';
import type { Scorer, ScoreReply, Scoring } from '../scoring/scorer-types.ts';

/** What a check found: the milliseconds of a good answer, or why there is none. */
export type Verdict = { readonly ms: number } | { readonly reason: string };

/** Longest time of a check, where `SCORING_TIMEOUT_MS` is not shorter. */
const LIMIT_MS = 10_000;
/** Least time between the beginnings of two checks. Why: anybody may ask for one. */
const PACE_MS = 1000;
/** The `x-request-id` that a script sees, and its lines have. */
const ID = 'deep-check';

const NO_SAMPLE =
  'the deep check has no sample: give the entry script a `sample`; a model without code needs inputs of its warm-up (WARM_UP=on)';

/**
 * Scores the sample of a worker as a request is scored: through the queue, by the worker that would
 * take the next request. It is neither counted nor collected. All that ask share one check.
 */
export class DeepCheck {
  readonly #scorer: Scorer;
  readonly #log: Log;
  #verdict: Promise<Verdict> | undefined;
  #runs = false;
  #begunAt = -Infinity;
  /** The last one, whose run may ignore its cancel. */
  #scoring: Scoring | undefined;
  /** Code of the last verdict; undefined: it was good. */
  #failed: string | undefined;

  constructor(scorer: Scorer, log: Log) {
    this.#scorer = scorer;
    this.#log = log;
  }

  /** The verdict of the check that runs, of one a moment ago, or of a new one. Never rejects. */
  verdict(): Promise<Verdict> {
    if (this.#scorer.served?.checks !== true) return Promise.resolve({ reason: NO_SAMPLE });
    const now = performance.now();
    if (this.#verdict !== undefined && (this.#runs || now - this.#begunAt < PACE_MS)) return this.#verdict;
    this.#begunAt = now;
    this.#runs = true;
    this.#verdict = this.#check();
    return this.#verdict;
  }

  async #check(): Promise<Verdict> {
    try {
      const { status, worker } = await this.#reply();
      if (status >= 400) return this.#bad(`status ${status}`, `the sample was answered with the status ${status}`, worker);
      return this.#good(worker);
    } catch (thrown) {
      const { code, message } = toServerError(thrown);
      return this.#bad(code, message, this.#scoring?.workerNumber);
    } finally {
      this.#runs = false;
    }
  }

  /** @throws ServerError for any other end than an answer */
  async #reply(): Promise<ScoreReply> {
    if (this.#scoring?.held === true) throw late('the run of the check before has not ended');
    this.#scoring = undefined;
    this.#scorer.admit(0);
    const scoring = this.#scorer.score(sampleRequest());
    this.#scoring = scoring;
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      limit.reject(late(`no answer within ${LIMIT_MS} ms`));
      scoring.cancel();
    }, LIMIT_MS);
    try {
      const reply = await Promise.race([scoring.reply, limit.promise]);
      // The first chunk of a stream is enough. Nobody waits for an error of the rest.
      if (reply.body instanceof Readable) reply.body.on('error', () => undefined).destroy();
      return reply;
    } finally {
      clearTimeout(timer);
    }
  }

  #good(worker: number): Verdict {
    const ms = Math.round((performance.now() - this.#begunAt) * 1000) / 1000;
    if (this.#failed !== undefined) this.#log.info({ worker, ms }, 'the deep check succeeds again');
    this.#failed = undefined;
    return { ms };
  }

  /** @param why for the log alone: it may quote the script */
  #bad(code: string, why: string, worker: number | undefined): Verdict {
    if (this.#failed !== code)
      this.#log.warn(
        { requestId: ID, code, worker },
        `the deep check fails, and its further failures of this code are not logged: ${withoutKeys(why)}`,
      );
    this.#failed = code;
    return { reason: `the deep check failed: ${code}` };
  }
}

function late(message: string): ServerError {
  return new ServerError('deadline_exceeded', message);
}

function sampleRequest(): Parameters<Scorer['score']>[0] {
  const { traceId } = readIds({}, undefined);
  return {
    protocol: 'sample',
    method: 'POST',
    url: '/score',
    contentType: undefined,
    id: ID,
    clientRequestId: undefined,
    traceId,
    rawHeaders: [],
    body: [],
    bodyBytes: 0,
  };
}
