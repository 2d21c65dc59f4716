import type { Readable } from 'node:stream';
import { pino } from 'pino';
import type { ServerError } from '../../server/errors.ts';
import { AnswerMemory } from '../../server/scoring/answer-memory.ts';
import type { ScoreReply, ScoreRequest, Scorer, Scoring, Served } from '../../server/scoring/scorer-types.ts';

type Outcome = Partial<ScoreReply> | ServerError;

export const served: Served = {
  entryScript: 'score.ts',
  rawHttp: false,
  parsesJson: true,
  redacts: false,
  concurrency: 32,
  models: [],
  noCode: false,
};

/** A reply with the body `{"ok":true}`, changed by `parts`. */
export function reply(parts: Partial<ScoreReply> = {}): ScoreReply {
  return {
    status: 200,
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from('{"ok":true}'),
    runMs: 1.5,
    queueMs: 0.25,
    runFailed: false,
    worker: 1,
    ...parts,
  };
}

/** A scorer that a test programs, and that counts reserved bytes. */
export class FakeScorer implements Scorer {
  readonly answers = new AnswerMemory(2 ** 28, pino({ level: 'silent' }));
  served: Served | undefined = served;
  concurrency = 32;
  ready = true;
  healthy = true;
  /** Thrown by the next calls of `admit` and `grow`. */
  refuseAdmit: Error | undefined;
  refuseGrow: Error | undefined;
  /** Makes the outcome of the scoring of a request. */
  outcome: (request: ScoreRequest) => Outcome | Promise<Outcome> = () => ({});

  readonly requests: ScoreRequest[] = [];
  readonly calls: string[] = [];
  reserved = 0;
  cancelled = 0;
  readonly #waiting = new Map<string, () => void>();

  admit(bytes: number): void {
    if (this.refuseAdmit !== undefined) throw this.refuseAdmit;
    this.reserved += bytes;
    this.#call('admit', bytes);
  }

  grow(bytes: number): void {
    if (this.refuseGrow !== undefined) throw this.refuseGrow;
    this.reserved += bytes;
    this.#call('grow', bytes);
  }

  release(bytes: number): void {
    this.reserved -= bytes;
    this.#call('release', bytes);
  }

  score(request: ScoreRequest): Scoring {
    this.requests.push(request);
    this.reserved -= request.bodyBytes;
    this.#call('score', request.bodyBytes);
    return { reply: this.#reply(request), workerNumber: 7, cancel: () => this.#cancel() };
  }

  /** Resolves at the next call of the method of that name; `cancel` is that of a scoring. */
  called(name: 'admit' | 'grow' | 'release' | 'score' | 'cancel'): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(name, resolve));
  }

  get body(): string {
    return Buffer.concat([...(this.requests.at(-1)?.body ?? [])]).toString();
  }

  async #reply(request: ScoreRequest): Promise<ScoreReply> {
    const outcome = await this.outcome(request);
    if (outcome instanceof Error) throw outcome;
    return reply(outcome);
  }

  #cancel(): void {
    this.cancelled++;
    this.#call('cancel', 0);
  }

  #call(name: string, bytes: number): void {
    this.calls.push(`${name} ${bytes}`);
    this.#waiting.get(name)?.();
    this.#waiting.delete(name);
  }
}

/** A reply that streams. */
export function streamed(body: Readable, parts: Partial<ScoreReply> = {}): Partial<ScoreReply> {
  return { headers: [['Content-Type', 'text/event-stream']], body, ...parts };
}
