import type { Profile } from '../config/platforms/platforms.ts';
import type { PlatformRoute, RouteKind } from '../config/platforms/platform.ts';
import { ServerError } from '../errors.ts';
import { htmlHeaders } from './browser-headers.ts';
import type { HttpExchange, HttpRoute } from './exchange.ts';
import type { ExecutionParameters } from './execution-parameters.ts';
import { Predict } from './predict.ts';
import type { Probes } from './probes.ts';
import { readOnly } from './router.ts';
import type { ScoreRoute } from './score.ts';

interface Handlers {
  readonly modelName: string;
  readonly probes: Probes;
  readonly score: ScoreRoute;
  readonly parameters: ExecutionParameters;
}

type Row = Omit<HttpRoute, 'path'>;

/** The routes that only the platform of this profile has. */
export function platformRoutes({ routes }: Pick<Profile, 'routes'>, handlers: Handlers): readonly HttpRoute[] {
  const rows = rowsOf(handlers);
  return routes.map(({ kind, ...place }: PlatformRoute) => ({
    ...place,
    ...rows[kind],
  }));
}

/** How each kind is answered. */
function rowsOf({ modelName, probes, score, parameters }: Handlers): Record<RouteKind, Row> {
  const predict = new Predict({ modelName, probes, score });
  const probe = { counted: false, cors: false, access: 'open' } as const;
  const counted = { counted: true, cors: true, access: 'key' } as const;
  const scoring = { ...counted, scores: true } as const;
  const ready = readOnly((exchange) => probes.ready(exchange));
  return {
    score: { ...scoring, handle: (exchange) => score.handle(exchange) },
    instances: { ...scoring, errorMember: 'error', handle: (exchange) => predict.predict(exchange) },
    invocations: { ...scoring, handle: posted((exchange) => score.score(exchange, 'invocations')) },
    'azure-function': { ...scoring, handle: posted((exchange) => score.score(exchange, 'azure-function')) },
    live: { ...probe, handle: readOnly((exchange) => probes.live(exchange)) },
    ready: { ...probe, handle: ready },
    ping: { ...probe, handle: readOnly((exchange) => probes.ping(exchange)) },
    'execution-parameters': { ...probe, handle: readOnly((exchange) => parameters.show(exchange)) },
    'several-models': { ...counted, handle: refuseSeveral },
    'model-list': { ...counted, errorMember: 'error', handle: readOnly((exchange) => predict.models(exchange)) },
    'model-state': { ...probe, errorMember: 'error', handle: (exchange) => predict.state(exchange) },
  };
}

const POSTED = ['POST', 'OPTIONS'];

/** A handler of a route that takes only POST. */
function posted(handle: (exchange: HttpExchange) => void): (exchange: HttpExchange) => void {
  return (exchange) => {
    if (exchange.method === 'POST') return handle(exchange);
    if (exchange.method !== 'OPTIONS') return exchange.refuseMethod(POSTED);
    exchange.answer(200, [...htmlHeaders(), 'Allow', POSTED.join(', ')], '');
  };
}

function refuseSeveral(): never {
  throw new ServerError(
    'model_unknown',
    'This server serves one model, on /invocations. For a multi-model endpoint, make an endpoint or an inference component for each.',
  );
}
