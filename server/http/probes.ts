import { failures, ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { Lifecycle, State } from '../lifecycle.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { htmlHeaders } from './browser-headers.ts';
import type { DeepCheck, Verdict } from './deep-check.ts';
import { messageBody } from './error-reply.ts';
import type { HttpExchange } from './exchange.ts';

const JSON_TYPE = ['Content-Type', 'application/json'];
const RETRY_AFTER = String(failures.not_ready.retryAfter);

const REASONS: Record<Exclude<State, 'ready'>, string> = {
  starting: 'starting: the workers have not finished their start yet',
  draining: 'draining: the server is about to stop',
  stopped: 'stopped',
  failed: 'failed: see the log',
};

/** The probes, which are answered at once from the states of lifecycle and scorer. */
export class Probes {
  readonly #lifecycle: Lifecycle;
  readonly #scorer: Scorer;
  readonly #deep: DeepCheck | undefined;

  /** @param deep undefined: there is no deep check */
  constructor(lifecycle: Lifecycle, scorer: Scorer, deep?: DeepCheck) {
    this.#lifecycle = lifecycle;
    this.#scorer = scorer;
    this.#deep = deep;
  }

  /** `/`: docs/http-api.md. Azure uses it as liveness and as readiness probe. */
  health(exchange: HttpExchange): void {
    const reason = this.#notReady(this.#scorer.healthy);
    if (reason === undefined) return exchange.answer(200, htmlHeaders(), 'Healthy');
    exchange.answer(503, [...JSON_TYPE, 'x-ms-run-function-failed', 'False', 'Retry-After', RETRY_AFTER], messageBody(reason));
  }

  live(exchange: HttpExchange): void {
    const { live } = this.#lifecycle;
    exchange.answer(live ? 200 : 503, [...JSON_TYPE], JSON.stringify({ live }));
  }

  /** 200 without a body once the server is ready. */
  ping(exchange: HttpExchange): void {
    const reason = this.#notReady(this.#scorer.ready);
    if (reason === undefined) return exchange.answer(200, [], '');
    exchange.answer(503, [...JSON_TYPE, 'Retry-After', RETRY_AFTER], messageBody(reason));
  }

  /**
   * @param name of the model, where the answer has it
   * @throws ServerError bad_request for a deep check without the option
   */
  ready(exchange: HttpExchange, name?: string): void {
    const answer = (reason: string | undefined, deep?: Verdict): void =>
      exchange.answer(
        reason === undefined ? 200 : 503,
        [...JSON_TYPE],
        JSON.stringify({ name, ready: reason === undefined, reason, deep }),
      );
    const check = asksDeep(exchange.target) ? this.#required : undefined;
    const notReady = (): string | undefined => this.#notReady(this.#scorer.ready);
    const reason = notReady();
    if (check === undefined || reason !== undefined) return answer(reason);
    check
      .verdict()
      // The state may have changed meanwhile.
      .then((verdict) => ('reason' in verdict ? answer(verdict.reason) : answer(notReady(), verdict)))
      .catch((thrown: unknown) => exchange.fail(thrown));
  }

  /** Why it throws: a 200 without a check would be a lie. */
  get #required(): DeepCheck {
    if (this.#deep !== undefined) return this.#deep;
    throw new ServerError('bad_request', 'deep=true: expected a server with DEEP_CHECK=true, got one without: set it, or leave deep out');
  }

  /** Why the server is not ready, or undefined if it is. */
  #notReady(scorerReady: boolean): string | undefined {
    const { state } = this.#lifecycle;
    if (state !== 'ready') return REASONS[state];
    return scorerReady ? undefined : 'no worker can take requests: it is being replaced';
  }
}

/**
 * True if the query asks for a deep check. Other names in it mean nothing here.
 * @throws ServerError bad_request
 */
function asksDeep(target: string): boolean {
  if (!target.includes('?')) return false;
  const values = new URLSearchParams(target.slice(target.indexOf('?') + 1)).getAll('deep');
  const deep = values.length === 0 ? 'false' : values.join(',');
  if (deep !== 'true' && deep !== 'false') throw new ServerError('bad_request', `deep: expected true or false, once, got ${excerpt(deep)}`);
  return deep === 'true';
}
