import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.ts';
import { PLAIN_PROFILE } from '../config/platforms/platforms.ts';
import { type DoorParts, exchangeServices } from '../exchange/services.ts';
import { BrowserHeaders } from './browser-headers.ts';
import { Cors } from './cors.ts';
import type { DeepCheck } from './deep-check.ts';
import type { HttpRoute, HttpServices } from './exchange.ts';
import { ExecutionParameters } from './execution-parameters.ts';
import { Hold } from './hold.ts';
import { platformRoutes } from './platform-routes.ts';
import { metricsRoutes } from './metrics-route.ts';
import { OpenInference, openInferenceRoutes } from './open-inference.ts';
import { LastRequests } from './last-requests.ts';
import { Pacing } from './pacing.ts';
import { Probes } from './probes.ts';
import { LiteralRoutes } from './literal-routes.ts';
import { addRoute, createRouter, readOnly, type Serve, serveOf, UNKNOWN_OPEN } from './router.ts';
import { ScoreRoute } from './score.ts';
import { Swagger } from './swagger.ts';

interface AppParts extends DoorParts {
  readonly config: Config;
  /** Name and version of this server, for `x-ms-server-version`. */
  readonly serverVersion: string;
  /** Folder with the files that replace generated swagger documents: the application's root. */
  readonly swaggerFiles: string;
  /** Shared by all ports. Undefined: probes run nothing. */
  readonly deepCheck?: DeepCheck | undefined;
}

type RouteParts = Pick<AppParts, 'config' | 'scorer' | 'lifecycle' | 'swaggerFiles' | 'access' | 'deepCheck' | 'profile'>;

/** Builds the HTTP side of the server, which `listen` opens. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { config } = parts;
  const services = httpServices(parts);
  const exact = new Map<string, Serve>();
  const routes = appRoutes(parts);
  const shown = metricsBeside(routes, parts);
  const literal = literalRoutes(services, [...routes, ...shown]);
  const rest = routes.find(({ path }) => path === '*');
  const app = createRouter(config, services, { exact, literal, ...(rest !== undefined && { unknown: rest }) });
  for (const route of routes) {
    if (route === rest) continue;
    if (route.literal !== true) addExact(exact, route.path, config.modelName, addRoute(app, services, route));
    if (route.scores === true) parts.metrics.addRoute(route.path);
  }
  for (const route of shown) addRoute(app, services, route);
  return app;
}

/** The routes of the metrics that this port has, beside a function of that name, say. */
function metricsBeside(routes: readonly HttpRoute[], { config, metrics }: AppParts): readonly HttpRoute[] {
  if (config.metricsPort !== 0) return [];
  const taken = new Set(routes.filter(({ literal }) => literal !== true).map(({ path }) => path));
  return metricsRoutes(config, metrics).filter(({ path }) => !taken.has(path));
}

/** Builds the app of METRICS_PORT, which serves only the metrics. */
export function buildMetricsApp(parts: AppParts): FastifyInstance {
  const services = httpServices(parts);
  const app = createRouter(parts.config, services);
  for (const route of metricsRoutes(parts.config, parts.metrics)) addRoute(app, services, route);
  return app;
}

/** Builds the app of a port without TLS beside those with TLS. It serves only the probes. */
export function buildProbesApp(parts: AppParts): FastifyInstance {
  const services = { ...httpServices(parts), tls: undefined, scheme: 'http' } as const;
  const routes = appRoutes(parts).filter(({ access }) => access === 'open');
  const app = createRouter(parts.config, services, { literal: literalRoutes(services, routes), unknown: UNKNOWN_OPEN });
  for (const route of routes) if (route.literal !== true) addRoute(app, services, route);
  return app;
}

function literalRoutes(services: HttpServices, routes: readonly HttpRoute[]): LiteralRoutes {
  const literal = new LiteralRoutes(routes.filter((route) => route.literal !== true).map(({ path }) => path));
  for (const route of routes) if (route.literal === true) literal.add(route, serveOf(services, route));
  return literal;
}

/** All routes but those of the metrics. */
export function appRoutes({
  config,
  scorer,
  lifecycle,
  swaggerFiles,
  access,
  deepCheck,
  profile = PLAIN_PROFILE,
}: RouteParts): readonly HttpRoute[] {
  const probes = new Probes(lifecycle, scorer, deepCheck);
  const score = new ScoreRoute(scorer, config, profile.platform.holds ? new Hold(lifecycle, config) : undefined);
  const parameters = new ExecutionParameters(scorer, config, profile.batch);
  const swagger = new Swagger(config, scorer, swaggerFiles, { ...profile, needsCredential: access !== undefined });
  const live = readOnly((exchange) => probes.live(exchange));
  const ready = readOnly((exchange) => probes.ready(exchange));
  const probe = { counted: false, cors: false, access: 'open' } as const;
  const counted = { counted: true, cors: true, access: 'key' } as const;
  const own: readonly HttpRoute[] = [
    { path: '/score', ...counted, scores: true, handle: (exchange) => score.handle(exchange) },
    { path: '/', ...probe, cors: true, handle: readOnly((exchange) => probes.health(exchange)) },
    { path: '/swagger.json', ...counted, handle: readOnly((exchange) => swagger.show(exchange)) },
    { path: '/health/live', ...probe, handle: live },
    { path: '/livez', ...probe, handle: live },
    { path: '/health/ready', ...probe, handle: ready },
    { path: '/readyz', ...probe, handle: ready },
    ...openInferenceRoutes(new OpenInference(config, scorer, probes, score)),
  ];
  const platform = platformRoutes(profile, { modelName: config.modelName, probes, score, parameters });
  // A platform may choose a route that is there already, and then it means its own: a function of
  // Azure may be named `score`.
  const routes = new Map([...own, ...platform.filter(({ literal }) => literal !== true)].map((route) => [route.path, route]));
  return [...routes.values(), ...platform.filter(({ literal }) => literal === true)];
}

/**
 * Adds the one path that most clients of a route ask for, so that their requests skip the search
 * for a route.
 */
function addExact(exact: Map<string, Serve>, path: string, model: string, serve: Serve): void {
  if (path.includes(':version')) return;
  if (!path.includes(':')) exact.set(path, serve);
  else exact.set(path.replace(':model', encodeURIComponent(model)), (request, response) => serve(request, response, { model }));
}

function httpServices(parts: AppParts): HttpServices {
  const { config, lifecycle, serverVersion } = parts;
  return {
    ...exchangeServices(parts),
    lifecycle,
    serverVersion: config.serverVersionHeader ? config.serverVersion || serverVersion : undefined,
    cors: new Cors(config.corsOrigins),
    browser: new BrowserHeaders(config),
    answerIdleMs: config.streamIdleTimeoutMs,
    pacing: new Pacing(),
    last: new LastRequests(),
    tls: parts.certificates?.options,
  };
}
