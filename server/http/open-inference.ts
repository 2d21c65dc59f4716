import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import { checkModel } from '../request/model-name.ts';
import { modelMetadata, serverMetadata } from '../scoring/model-metadata.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import type { Exchange, Handler, Route } from './exchange.ts';
import { methodNotAllowed, readOnly } from './methods.ts';
import type { Probes } from './probes.ts';
import type { ScoreRoute } from './score.ts';

const MODEL = '/v2/models/:model';
const METHODS = ['POST', 'OPTIONS'];

/** The Open Inference Protocol over REST: reference/open-inference-protocol.md, section 1. Bodies belong to the workers. */
export class OpenInference {
  readonly probes: Probes;
  readonly #modelName: string;
  readonly #scorer: Scorer;
  readonly #score: ScoreRoute;

  constructor(config: Config, scorer: Scorer, probes: Probes, score: ScoreRoute) {
    this.#modelName = config.modelName;
    this.#scorer = scorer;
    this.probes = probes;
    this.#score = score;
  }

  server(exchange: Exchange): void {
    show(exchange, 200, serverMetadata);
  }

  models(exchange: Exchange): void {
    show(exchange, 200, { models: [this.#modelName] });
  }

  metadata(exchange: Exchange): void {
    this.#check(exchange);
    show(exchange, 200, modelMetadata(this.#modelName, this.#scorer.served));
  }

  modelReady(exchange: Exchange): void {
    this.#check(exchange);
    const reason = this.probes.notReady;
    show(exchange, reason === undefined ? 200 : 503, { name: this.#modelName, ready: reason === undefined, reason });
  }

  infer(exchange: Exchange): void {
    if (exchange.method === 'OPTIONS')
      return exchange.answer(200, ['Content-Type', 'text/html; charset=utf-8', 'Allow', METHODS.join(', ')], '');
    if (exchange.method !== 'POST') return methodNotAllowed(exchange, METHODS);
    this.#check(exchange);
    this.#score.score(exchange, 'open-inference');
  }

  #check({ parameters }: Exchange): void {
    checkModel(this.#modelName, parameters['model'] ?? '', parameters['version']);
  }
}

/** Probes are neither logged nor counted, as elsewhere. */
export function addOpenInference(route: (path: string, options: Omit<Route, 'path'>, handle: Handler) => void, open: OpenInference): void {
  const counted = { counted: true, cors: true, errorMember: 'error' } as const;
  const probe = { counted: false, cors: false, errorMember: 'error' } as const;
  const see = (path: string, options: Omit<Route, 'path'>, handle: Handler): void => route(path, options, readOnly(handle));

  for (const path of ['/v2', '/v2/']) see(path, counted, (exchange) => open.server(exchange));
  see('/v2/health/live', probe, (exchange) => open.probes.live(exchange));
  see('/v2/health/ready', probe, (exchange) => open.probes.ready(exchange));
  see('/v2/models', counted, (exchange) => open.models(exchange));
  for (const path of [MODEL, `${MODEL}/versions/:version`]) {
    see(path, counted, (exchange) => open.metadata(exchange));
    see(`${path}/ready`, probe, (exchange) => open.modelReady(exchange));
    route(`${path}/infer`, { ...counted, scores: true }, (exchange) => open.infer(exchange));
  }
  route('/v2/*', counted, () => {
    throw new ServerError('not_found', 'no such route');
  });
}

function show(exchange: Exchange, status: number, content: object): void {
  exchange.answer(status, ['Content-Type', 'application/json'], JSON.stringify(content));
}
