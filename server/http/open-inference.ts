import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import { checkModel } from '../request/model-name.ts';
import { modelMetadata, serverMetadata } from '../scoring/model-metadata.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { htmlHeaders } from './browser-headers.ts';
import type { HttpExchange, HttpRoute } from './exchange.ts';
import type { Probes } from './probes.ts';
import { readOnly } from './router.ts';
import type { ScoreRoute } from './score.ts';

const MODEL = '/v2/models/:model';
const METHODS = ['POST', 'OPTIONS'];

/**
 * The Open Inference Protocol over REST: docs/open-inference.md. Workers read and write the bodies.
 */
export class OpenInference {
  readonly probes: Probes;
  readonly #modelName: string;
  readonly #scorer: Scorer;
  readonly #score: ScoreRoute;

  constructor(config: Pick<Config, 'modelName'>, scorer: Scorer, probes: Probes, score: ScoreRoute) {
    this.#modelName = config.modelName;
    this.#scorer = scorer;
    this.probes = probes;
    this.#score = score;
  }

  server(exchange: HttpExchange): void {
    show(exchange, 200, serverMetadata);
  }

  models(exchange: HttpExchange): void {
    show(exchange, 200, { models: [this.#modelName] });
  }

  metadata(exchange: HttpExchange): void {
    this.#check(exchange);
    show(exchange, 200, modelMetadata(this.#modelName, this.#scorer.served));
  }

  modelReady(exchange: HttpExchange): void {
    this.#check(exchange);
    this.probes.ready(exchange, this.#modelName);
  }

  infer(exchange: HttpExchange): void {
    if (exchange.method === 'OPTIONS') return exchange.answer(200, [...htmlHeaders(), 'Allow', METHODS.join(', ')], '');
    if (exchange.method !== 'POST') return exchange.refuseMethod(METHODS);
    this.#check(exchange);
    this.#score.score(exchange, 'open-inference');
  }

  #check({ parameters }: HttpExchange): void {
    checkModel(this.#modelName, parameters['model'] ?? '', parameters['version']);
  }
}

/** The routes of the protocol. Its probes are neither logged nor counted. */
export function openInferenceRoutes(open: OpenInference): readonly HttpRoute[] {
  const counted = { counted: true, cors: true, access: 'key', errorMember: 'error' } as const;
  const probe = { counted: false, cors: false, access: 'open', errorMember: 'error' } as const;
  const server = readOnly((exchange) => open.server(exchange));
  const ofModel = (path: string): readonly HttpRoute[] => [
    { path, ...counted, handle: readOnly((exchange) => open.metadata(exchange)) },
    { path: `${path}/ready`, ...probe, handle: readOnly((exchange) => open.modelReady(exchange)) },
    { path: `${path}/infer`, ...counted, scores: true, handle: (exchange) => open.infer(exchange) },
  ];
  return [
    { path: '/v2', ...counted, handle: server },
    { path: '/v2/', ...counted, handle: server },
    { path: '/v2/health/live', ...probe, handle: readOnly((exchange) => open.probes.live(exchange)) },
    { path: '/v2/health/ready', ...probe, handle: readOnly((exchange) => open.probes.ready(exchange)) },
    { path: '/v2/models', ...counted, handle: readOnly((exchange) => open.models(exchange)) },
    ...ofModel(MODEL),
    ...ofModel(`${MODEL}/versions/:version`),
    { path: '/v2/*', ...counted, handle: refuseUnknown },
  ];
}

function refuseUnknown(): never {
  throw new ServerError('not_found', 'no such route');
}

function show(exchange: HttpExchange, status: number, content: object): void {
  exchange.answer(status, ['Content-Type', 'application/json'], JSON.stringify(content));
}
