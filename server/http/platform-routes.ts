import type { Profile } from '../config/platforms/platforms.ts';
import type { PlatformRoute, RouteKind } from '../config/platforms/platform.ts';
import type { HttpExchange, HttpRoute } from './exchange.ts';
import type { Probes } from './probes.ts';
import { readOnly } from './router.ts';
import type { ScoreRoute } from './score.ts';

interface Handlers {
  readonly probes: Probes;
  readonly score: ScoreRoute;
}

type Row = Omit<HttpRoute, 'path'>;

/** The routes that only the platform of this profile has. */
export function platformRoutes({ routes }: Pick<Profile, 'routes'>, handlers: Handlers): readonly HttpRoute[] {
  const rows = rowsOf(handlers);
  return routes.map(({ path, kind, told }: PlatformRoute) => ({
    path,
    told,
    ...rows[kind],
  }));
}

/** How each kind is answered. */
function rowsOf({ probes, score }: Handlers): Record<RouteKind, Row> {
  const probe = { counted: false, cors: false, access: 'open' } as const;
  const counted = { counted: true, cors: true, access: 'key' } as const;
  const scoring = { ...counted, scores: true } as const;
  const ready = readOnly((exchange) => probes.ready(exchange));
  return {
    score: { ...scoring, handle: (exchange) => score.handle(exchange) },
    instances: { ...scoring, errorMember: 'error', handle: (exchange) => score.score(exchange, 'instances') },
    invocations: { ...scoring, handle: (exchange) => score.score(exchange, 'invocations') },
    'azure-function': { ...scoring, handle: (exchange) => invoke(exchange, score) },
    live: { ...probe, handle: readOnly((exchange) => probes.live(exchange)) },
    ready: { ...probe, handle: ready },
    ping: { ...probe, handle: ready },
    'execution-parameters': { ...probe, handle: readOnly(notYet) },
    'model-list': { ...counted, errorMember: 'error', handle: readOnly(notYet) },
    'model-state': { ...probe, errorMember: 'error', handle: readOnly(notYet) },
  };
}

/** The Functions host sends each invocation by POST. */
function invoke(exchange: HttpExchange, score: ScoreRoute): void {
  if (exchange.method === 'POST') score.score(exchange, 'azure-function');
  else exchange.refuseMethod(['POST']);
}

function notYet(exchange: HttpExchange): void {
  exchange.answer(200, ['Content-Type', 'application/json'], '{}');
}
