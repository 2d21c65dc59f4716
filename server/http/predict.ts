import { ServerError } from '../errors.ts';
import { checkModel } from '../request/model-name.ts';
import { htmlHeaders } from './browser-headers.ts';
import type { HttpExchange } from './exchange.ts';
import type { Probes } from './probes.ts';
import type { ScoreRoute } from './score.ts';

const METHODS = ['POST', 'OPTIONS'];
const STATE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

interface PredictParts {
  readonly modelName: string;
  readonly probes: Probes;
  readonly score: ScoreRoute;
}

/** Routes of platforms that send instances: docs/platforms.md#instances-and-predictions. */
export class Predict {
  readonly #modelName: string;
  readonly #probes: Probes;
  readonly #score: ScoreRoute;

  constructor({ modelName, probes, score }: PredictParts) {
    this.#modelName = modelName;
    this.#probes = probes;
    this.#score = score;
  }

  /** A path without a model is that of the only one. @throws ServerError model_unknown */
  predict(exchange: HttpExchange): void {
    if (exchange.method === 'OPTIONS') return exchange.answer(200, [...htmlHeaders(), 'Allow', METHODS.join(', ')], '');
    if (exchange.method !== 'POST') return exchange.refuseMethod(METHODS);
    const { model } = exchange.parameters;
    if (model !== undefined) checkModel(this.#modelName, model.replace(/:predict$/, ''), undefined);
    this.#score.score(exchange, 'instances');
  }

  models(exchange: HttpExchange): void {
    exchange.answer(200, ['Content-Type', 'application/json'], JSON.stringify({ models: [this.#modelName] }));
  }

  /** Whether the model is ready. @throws ServerError model_unknown */
  state(exchange: HttpExchange): void {
    const { method } = exchange;
    const { model = '' } = exchange.parameters;
    const verb = /:(\w+)$/.exec(model)?.[1];
    if (model !== this.#modelName && verb !== undefined)
      throw new ServerError(
        'model_unknown',
        `${verb}: there is no such method of a model; this server answers POST /v1/models/${this.#modelName}:predict.`,
      );
    if (method === 'OPTIONS') return exchange.answer(200, [...htmlHeaders(), 'Allow', STATE_METHODS.join(', ')], '');
    if (!STATE_METHODS.includes(method)) return exchange.refuseMethod(STATE_METHODS);
    checkModel(this.#modelName, model, undefined);
    this.#probes.ready(exchange, this.#modelName);
  }
}
