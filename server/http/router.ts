import { fastify, type FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { LONGEST_MODEL_NAME } from '../config/option-values.ts';
import { ServerError, toServerError } from '../errors.ts';
import { ambiguity } from './ambiguous.ts';
import { htmlHeaders } from './browser-headers.ts';
import { type Handler, HttpExchange, type HttpRoute, type HttpServices } from './exchange.ts';
import { LiteralRoutes } from './literal-routes.ts';
import { serverOptions } from './listen.ts';
import { createServer, createTlsServer, METHODS } from './node-http.ts';
import { endWith, parserErrorListener, rawAnswer } from './parser-errors.ts';
import { LONGEST_PIPELINE, Pipelines } from './pipelines.ts';

type Parameters = Readonly<Record<string, string>>;

/**
 * Answers a request of one route.
 * @param parameters decoded parts of the path that match the route's pattern
 */
export type Serve = (request: IncomingMessage, response: ServerResponse, parameters?: Parameters) => void;

interface Routes {
  /** Requests for these paths skip Fastify. */
  readonly exact?: ReadonlyMap<string, Serve>;
  /** They come before all others. */
  readonly literal?: LiteralRoutes;
  /** Refuses what matches no route. */
  readonly unknown?: HttpRoute;
}

/** Fastify only matches routes; it parses no body and sends no reply. */
export function createRouter(
  config: Config,
  services: HttpServices,
  { exact = new Map(), literal = new LiteralRoutes(), unknown = UNKNOWN }: Routes = {},
): FastifyInstance {
  const app: FastifyInstance = fastify({
    logger: false,
    serverFactory: (router) => {
      const handle = guarded(services, (request, response) =>
        (literal.find(request) ?? exact.get(request.url ?? '') ?? router)(request, response),
      );
      if (services.tls === undefined) return createServer(serverOptions(config), handle);
      return createTlsServer({ ...serverOptions(config), ...services.tls }, handle);
    },
    exposeHeadRoutes: false,
    forceCloseConnections: false,
    // No route has a schema, but Fastify would load its compilers.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    clientErrorHandler: parserErrorListener(services.failureLog),
    // A path that cannot be decoded matches no route.
    frameworkErrors: (_error, request, reply) => serve(services, unknown, request.raw, reply.raw),
    routerOptions: { ignoreDuplicateSlashes: true, querystringParser: () => ({}), maxParamLength: LONGEST_MODEL_NAME },
  });
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  // Without these listeners Node asks for a body before it is admitted, and drops CONNECT without
  // an answer.
  const handle: Serve = (request, response) => void app.server.emit('request', request, response);
  app.server.on('checkContinue', handle).on('checkExpectation', handle);
  app.server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    endWith(socket, rawAnswer(new ServerError('method_not_allowed', 'The method is not allowed for the requested URL.'), randomUUID()));
  });
  addRoute(app, services, unknown);
  return app;
}

/** An error before there is an exchange costs only the connection. */
function guarded(services: HttpServices, handle: Serve): Serve {
  const pipelines = new Pipelines();
  return (request, response) => {
    if (request.socket.destroyed || services.last.passed(request)) return;
    try {
      if (!pipelines.admit(request, response))
        throw new ServerError('bad_request', `expected at most ${LONGEST_PIPELINE} requests ahead of their answers, got more`);
      const reason = ambiguity(request);
      if (reason === undefined) return handle(request, response);
      new HttpExchange(services, UNKNOWN, request, response).refuseAmbiguous(reason);
    } catch (thrown) {
      request.socket.destroy();
      services.failureLog.write(toServerError(thrown), { id: randomUUID(), traceId: '' });
    }
  };
}

function noSchemas(): never {
  throw new ServerError('internal', 'a route declares a schema for fastify: this server checks requests itself');
}

/** Methods that routes are registered for: each costs 0.1 ms at start, and Node's parser has 35. */
const COMMON_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const UNKNOWN: HttpRoute = { path: '*', counted: true, unknown: true, access: 'key', cors: false, handle: refuseUnknown };
/** Of a port that asks for no key. */
export const UNKNOWN_OPEN: HttpRoute = { ...UNKNOWN, access: 'open' };

/**
 * Adds a route for any method. It answers in the first hook, because later ones refuse content
 * types that this server accepts.
 */
export function addRoute(app: FastifyInstance, services: HttpServices, route: HttpRoute): Serve {
  app.route<{ Params: Parameters }>({
    method: route.path === '*' ? app.supportedMethods : COMMON_METHODS,
    url: route.pattern ?? route.path,
    onRequest: (request, reply) => serve(services, route, request.raw, reply.raw, request.params),
    handler: () => undefined,
  });
  return serveOf(services, route);
}

/** Answers a request that has found its route. */
export function serveOf(services: HttpServices, route: HttpRoute): Serve {
  return (request, response, parameters) => serve(services, route, request, response, parameters);
}

function serve(
  services: HttpServices,
  route: HttpRoute,
  request: IncomingMessage,
  response: ServerResponse,
  parameters?: Parameters,
): void {
  const exchange = new HttpExchange(services, route, request, response, parameters);
  try {
    exchange.begin(request.rawHeaders, () => {
      if (request.headers.host === undefined && request.httpVersion === '1.1')
        throw new ServerError('bad_request', 'The Host header is missing');
      route.handle(exchange);
    });
  } catch (thrown) {
    exchange.fail(thrown);
  }
}

function refuseUnknown(exchange: HttpExchange): void {
  if (COMMON_METHODS.includes(exchange.method)) throw new ServerError('not_found', 'no such route');
  exchange.refuseMethod(['GET', 'HEAD', 'POST', 'OPTIONS']);
}

const READ_ONLY = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A handler that answers GET and HEAD by `show`, and OPTIONS by the methods. Node omits the body of
 * HEAD.
 */
export function readOnly(show: Handler): Handler {
  return (exchange) => {
    if (exchange.method === 'GET' || exchange.method === 'HEAD') return show(exchange);
    if (exchange.method !== 'OPTIONS') return exchange.refuseMethod(READ_ONLY);
    exchange.answer(200, [...htmlHeaders(), 'Allow', READ_ONLY.join(', ')], '');
  };
}
