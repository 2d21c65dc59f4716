import type { FastifyInstance } from 'fastify';
import type { HostCollector } from '../collection/host/collector.ts';
import type { Config } from '../config/config.ts';
import { FailureLog } from '../request/failure-log.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { LargeBuffers } from '../system/large-buffers.ts';
import type { Sampler } from '../request/request-ids.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestExports } from '../telemetry/request-exports.ts';
import { Cors } from './cors.ts';
import type { Handler, Route, Shared } from './exchange.ts';
import { readOnly } from './methods.ts';
import { addMetrics } from './metrics-route.ts';
import { addOpenInference, OpenInference } from './open-inference.ts';
import { Probes } from './probes.ts';
import { addRoute, createRouter, type Serve } from './router.ts';
import { ScoreRoute } from './score.ts';
import { Swagger } from './swagger.ts';

interface Parts {
  readonly config: Config;
  readonly scorer: Scorer;
  /** Undefined: nothing is collected. */
  readonly collector?: HostCollector | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Undefined: no telemetry leaves the server. */
  readonly exports?: RequestExports | undefined;
  readonly sampler?: Sampler;
  /** Name and version of this server, for `x-ms-server-version`. */
  readonly serverVersion: string;
  /** Folder with the files that replace generated swagger documents: the application's root. */
  readonly swaggerFiles: string;
}

/** The HTTP side of the server, a function of its parts. Opened with `listen`. */
export function buildApp(parts: Parts): FastifyInstance {
  const { config, scorer, lifecycle, metrics } = parts;
  const model = config.modelName;
  const shared = sharedOf(parts);
  const exact = new Map<string, Serve>();
  const app = createRouter(config, shared, exact);
  const probes = new Probes(lifecycle, scorer);
  const score = new ScoreRoute(scorer, config, { sendsInput: parts.exports?.choice.modelData === true, collector: parts.collector });
  const swagger = new Swagger(config, scorer, parts.swaggerFiles);
  const route = (path: string, options: Omit<Route, 'path'>, handle: Handler): void => {
    const serveRoute = addRoute(app, shared, { path, ...options }, handle);
    if (path.includes(':version')) return;
    if (!path.includes(':')) exact.set(path, serveRoute);
    else exact.set(path.replace(':model', encodeURIComponent(model)), (request, response) => serveRoute(request, response, { model }));
  };

  route('/score', { counted: true, cors: true, scores: true }, (exchange) => score.handle(exchange));
  route(
    '/',
    { counted: false, cors: true },
    readOnly((exchange) => probes.health(exchange)),
  );
  route(
    '/swagger.json',
    { counted: true, cors: true },
    readOnly((exchange) => swagger.show(exchange)),
  );
  for (const path of ['/health/live', '/livez'])
    route(
      path,
      { counted: false, cors: false },
      readOnly((exchange) => probes.live(exchange)),
    );
  for (const path of ['/health/ready', '/readyz'])
    route(
      path,
      { counted: false, cors: false },
      readOnly((exchange) => probes.ready(exchange)),
    );
  if (config.metricsPort === 0) addMetrics(app, shared, config, metrics);
  addOpenInference(route, new OpenInference(config, scorer, probes, score));
  return app;
}

/** Where METRICS_PORT asks for it: the metrics, and nothing else. */
export function buildMetricsApp(parts: Parts): FastifyInstance {
  const shared = sharedOf(parts);
  const app = createRouter(parts.config, shared);
  addMetrics(app, shared, parts.config, parts.metrics);
  return app;
}

function sharedOf({ config, scorer, lifecycle, metrics, log, exports, sampler, serverVersion }: Parts): Shared {
  return {
    lifecycle,
    serverVersion: config.serverVersionHeader ? config.serverVersion || serverVersion : undefined,
    cors: new Cors(config.corsOrigins),
    failureLog: new FailureLog(log),
    accessLog: new AccessLog(config.accessLog ? log : undefined, metrics, exports),
    buffers: new LargeBuffers(),
    sampler,
    answerIdleMs: config.streamIdleTimeoutMs,
    answers: scorer.answers,
  };
}
