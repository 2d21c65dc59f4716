import { answerable, ServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import type { Log } from '../log.ts';
import { readIds } from '../request/request-ids.ts';
import type { Scorer, Scoring } from '../scoring/scorer-types.ts';
import { Changes } from './changes.ts';
import type { BatchInput } from './inputs.ts';
import { answerLine, errorLine, type OutputLine } from './output-lines.ts';

/** How often a batch looks whether it goes on. */
const LOOK_MS = 250;

interface ScoringParts {
  readonly scorer: Pick<Scorer, 'admit' | 'score' | 'ready'>;
  readonly log: Log;
  /** Bytes of the largest answer. */
  readonly answerLimit: number;
  /**
   * Longest time without an answer; milliseconds, 0: no limit. Why not of each input: inputs wait
   * for each other in a worker, so that a slow model would fail those behind.
   */
  readonly stallMs: number;
}

/** Scores the inputs of a batch, each as a POST to /score. */
export class BatchScoring {
  readonly #parts: ScoringParts;
  readonly #changes = new Changes();
  /** In the order in which they began. */
  readonly #running = new Set<Scoring>();
  readonly #expired = new WeakSet<Scoring>();
  #lastAnswer = performance.now();
  /** The last of those that are scored alone. */
  #alone: Promise<unknown> = Promise.resolve();
  #waitingAlone = 0;

  constructor(parts: ScoringParts) {
    this.#parts = parts;
    // The batch lasts as long as its output, not as this timer.
    if (parts.stallMs > 0) setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** The line of an input. Never rejects. */
  async score(input: BatchInput): Promise<OutputLine> {
    try {
      while (this.#waitingAlone > 0) await this.#changes.next;
      return await this.#once(input);
    } catch (thrown) {
      const error = answerable(thrown);
      return error.code === 'worker_lost' ? this.#again(input) : this.#failed(input, error);
    }
  }

  /**
   * Scores an input without any other, whose worker was lost. Why: one input that ends its worker
   * must not cost those that were beside it.
   */
  async #again(input: BatchInput): Promise<OutputLine> {
    this.#waitingAlone++;
    const before = this.#alone;
    const turn = Promise.withResolvers<void>();
    this.#alone = turn.promise;
    try {
      await before;
      while (this.#running.size > 0) await this.#changes.next;
      return await this.#once(input);
    } catch (thrown) {
      return this.#failed(input, answerable(thrown));
    } finally {
      this.#waitingAlone--;
      turn.resolve();
      this.#changes.tell();
    }
  }

  /** @throws ServerError */
  async #once({ name, body, contentType, refusal }: BatchInput): Promise<OutputLine> {
    if (refusal !== undefined) throw refusal;
    const { scorer, answerLimit } = this.#parts;
    scorer.admit(body.length);
    const { id, clientRequestId, traceId } = readIds({});
    const scoring = scorer.score({
      protocol: 'score',
      method: 'POST',
      url: '/score',
      contentType,
      id,
      clientRequestId,
      traceId,
      rawHeaders: ['Content-Type', contentType],
      body: body.length === 0 ? [] : [body],
      bodyBytes: body.length,
    });
    if (this.#running.size === 0) this.#lastAnswer = performance.now();
    this.#running.add(scoring);
    try {
      return await answerLine(name, await scoring.reply, answerLimit);
    } catch (thrown) {
      throw this.#expired.has(scoring) ? this.#stalled() : thrown;
    } finally {
      this.#running.delete(scoring);
      this.#lastAnswer = performance.now();
      this.#changes.tell();
    }
  }

  /** Ends the oldest run if nothing was answered for too long. */
  #look(): void {
    const { scorer, stallMs } = this.#parts;
    const now = performance.now();
    // A worker that starts has its own limit.
    if (!scorer.ready) this.#lastAnswer = now;
    const [oldest] = this.#running;
    if (oldest === undefined || now - this.#lastAnswer < stallMs) return;
    this.#lastAnswer = now;
    this.#expired.add(oldest);
    oldest.expire?.();
  }

  #stalled(): ServerError {
    return new ServerError('deadline_exceeded', `Nothing was answered for ${this.#parts.stallMs} ms (SCORING_TIMEOUT_MS).`);
  }

  #failed({ name }: BatchInput, error: ServerError): OutputLine {
    // Nobody waits for the inputs that an early end cuts off.
    const level = error.failure.fault === 'client' || error.code === 'stopping' ? 'debug' : 'error';
    this.#parts.log[level]({ input: name, code: error.code }, withoutKeys(error.message));
    return errorLine(name, error);
  }
}
