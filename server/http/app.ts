import { fastify, type FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Collector } from '../collection/collector.ts';
import type { Config } from '../config.ts';
import { ServerError } from '../errors.ts';
import { FailureLog } from '../failure-log.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { LONGEST_MODEL_NAME } from '../option-values.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Cors } from './cors.ts';
import { Exchange, type Handler, type Route, type Shared } from './exchange.ts';
import { serverOptions } from './listen.ts';
import { methodNotAllowed, readOnly } from './methods.ts';
import { showMetrics } from './metrics-route.ts';
import { createServer, METHODS } from './node-http.ts';
import { addOpenInference, OpenInference } from './open-inference.ts';
import { parserErrorListener, rawAnswer } from './parser-errors.ts';
import { Probes } from './probes.ts';
import { ScoreRoute } from './score.ts';
import { Swagger } from './swagger.ts';

interface Parts {
  readonly config: Config;
  readonly scorer: Scorer;
  /** Undefined: nothing is collected. */
  readonly collector?: Collector | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Name and version of this server, for `x-ms-server-version`. */
  readonly serverVersion: string;
  /** Folder with the files that replace generated swagger documents: the application's root. */
  readonly swaggerFiles: string;
}

/** The HTTP side of the server, a function of its parts. Opened with `listen`. */
export function buildApp(parts: Parts): FastifyInstance {
  const { config, scorer, lifecycle, metrics, log } = parts;
  const failureLog = new FailureLog(log);
  const shared: Shared = {
    lifecycle,
    serverVersion: config.serverVersionHeader ? config.serverVersion || parts.serverVersion : undefined,
    cors: new Cors(config.corsOrigins),
    failureLog,
    accessLog: new AccessLog(config.accessLog ? log : undefined, metrics),
    answerIdleMs: config.streamIdleTimeoutMs,
  };
  const exact = new Map<string, Serve>();
  const app = createRouter(config, shared, exact);
  const probes = new Probes(lifecycle, scorer);
  const score = new ScoreRoute(scorer, config, parts.collector);
  const swagger = new Swagger(config, scorer, parts.swaggerFiles);
  const route = (path: string, options: Omit<Route, 'path'>, handle: Handler): void => {
    const serveRoute = addRoute(app, shared, { path, ...options }, handle);
    if (!path.includes(':')) exact.set(path, serveRoute);
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
  route('/metrics', { counted: false, cors: false }, readOnly(showMetrics(metrics)));
  addOpenInference(route, new OpenInference(config, scorer, probes, score));
  addRoute(app, shared, UNKNOWN, refuseUnknown);
  return app;
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Fastify finds the route, and nothing else: it parses no body, and its replies are not used. What is asked for by its plain path,
 * as nearly everything is, does not even need that.
 */
function createRouter(config: Config, shared: Shared, exact: ReadonlyMap<string, Serve>): FastifyInstance {
  const app: FastifyInstance = fastify({
    logger: false,
    serverFactory: (router) =>
      createServer(serverOptions(config), (request, response) => (exact.get(request.url ?? '') ?? router)(request, response)),
    exposeHeadRoutes: false,
    forceCloseConnections: false,
    // No route has a schema; the compilers would be loaded all the same.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    clientErrorHandler: parserErrorListener(shared.failureLog),
    // The path cannot be decoded, so that no route has it.
    frameworkErrors: (_error, request, reply) => serve(shared, UNKNOWN, refuseUnknown, request.raw, reply.raw),
    routerOptions: { ignoreDuplicateSlashes: true, querystringParser: () => ({}), maxParamLength: LONGEST_MODEL_NAME },
  });
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  // Without these listeners Node asks for a body before it is admitted, and drops CONNECT without an answer.
  const handle: Serve = (request, response) => void app.server.emit('request', request, response);
  app.server.on('checkContinue', handle).on('checkExpectation', handle);
  app.server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.end(rawAnswer(new ServerError('method_not_allowed', 'The method is not allowed for the requested URL.'), randomUUID()));
  });
  return app;
}

function noSchemas(): never {
  throw new ServerError('internal', 'a route declares a schema for fastify: this server checks requests itself');
}

/** What routes are registered for: each costs a start 0.1 ms, and Node's parser knows 35. */
const COMMON_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const UNKNOWN: Route = { path: '*', counted: true, cors: false };

/** A route takes any method and answers in the first hook: what comes after it refuses content types that we pass through. */
function addRoute(app: FastifyInstance, shared: Shared, route: Route, handle: Handler): Serve {
  app.route({
    method: route === UNKNOWN ? app.supportedMethods : COMMON_METHODS,
    url: route.path,
    onRequest: (request, reply) => serve(shared, route, handle, request.raw, reply.raw, request.params as Record<string, string>),
    handler: () => undefined,
  });
  return (request, response) => serve(shared, route, handle, request, response);
}

function serve(
  shared: Shared,
  route: Route,
  handle: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  parameters?: Readonly<Record<string, string>>,
): void {
  const exchange = new Exchange(shared, route, request, response, parameters);
  try {
    if (exchange.ids.refusal !== undefined) throw exchange.ids.refusal;
    if (request.headers.host === undefined && request.httpVersion === '1.1')
      throw new ServerError('bad_request', 'The Host header is missing');
    handle(exchange);
  } catch (thrown) {
    exchange.fail(thrown);
  }
}

function refuseUnknown(exchange: Exchange): void {
  if (COMMON_METHODS.includes(exchange.method)) throw new ServerError('not_found', 'no such route');
  methodNotAllowed(exchange, ['GET', 'HEAD', 'POST', 'OPTIONS']);
}
