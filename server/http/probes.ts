import { failures } from '../errors.ts';
import type { Lifecycle, State } from '../lifecycle.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { htmlHeaders } from './browser-headers.ts';
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

  constructor(lifecycle: Lifecycle, scorer: Scorer) {
    this.#lifecycle = lifecycle;
    this.#scorer = scorer;
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

  ready(exchange: HttpExchange): void {
    const reason = this.notReady;
    if (reason === undefined) return exchange.answer(200, [...JSON_TYPE], '{"ready":true}');
    exchange.answer(503, [...JSON_TYPE], JSON.stringify({ ready: false, reason }));
  }

  /** Why the server is not ready, or undefined if it is. */
  get notReady(): string | undefined {
    return this.#notReady(this.#scorer.ready);
  }

  #notReady(scorerReady: boolean): string | undefined {
    const { state } = this.#lifecycle;
    if (state !== 'ready') return REASONS[state];
    return scorerReady ? undefined : 'no worker can take requests: it is being replaced';
  }
}
