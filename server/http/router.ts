import { fastify, type FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { ServerError, toServerError } from '../errors.ts';
import type { FailureLog } from '../request/failure-log.ts';
import { LONGEST_MODEL_NAME } from '../config/option-values.ts';
import { Exchange, type Handler, type Route, type Shared } from './exchange.ts';
import { serverOptions } from './listen.ts';
import { methodNotAllowed } from './methods.ts';
import { createServer, METHODS } from './node-http.ts';
import { endWith, parserErrorListener, rawAnswer } from './parser-errors.ts';
import { LONGEST_PIPELINE, Pipelines } from './pipelines.ts';

/** @param parameters what a pattern found in the path */
export type Serve = (request: IncomingMessage, response: ServerResponse, parameters?: Readonly<Record<string, string>>) => void;

/**
 * Fastify finds the route, and nothing else: it parses no body, and its replies are not used. What is asked for by its plain path,
 * as nearly everything is, does not even need that.
 */
export function createRouter(config: Config, shared: Shared, exact: ReadonlyMap<string, Serve> = new Map()): FastifyInstance {
  const app: FastifyInstance = fastify({
    logger: false,
    serverFactory: (router) =>
      createServer(
        serverOptions(config),
        guarded(shared.failureLog, (request, response) => (exact.get(request.url ?? '') ?? router)(request, response)),
      ),
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
    endWith(socket, rawAnswer(new ServerError('method_not_allowed', 'The method is not allowed for the requested URL.'), randomUUID()));
  });
  addRoute(app, shared, UNKNOWN, refuseUnknown);
  return app;
}

/** What is thrown before there is an exchange costs the connection, and nothing else. */
function guarded(failureLog: FailureLog, handle: Serve): Serve {
  const pipelines = new Pipelines();
  return (request, response) => {
    if (request.socket.destroyed) return;
    try {
      if (!pipelines.admit(request, response))
        throw new ServerError('bad_request', `expected at most ${LONGEST_PIPELINE} requests ahead of their answers, got more`);
      handle(request, response);
    } catch (thrown) {
      request.socket.destroy();
      failureLog.write(toServerError(thrown), { id: randomUUID(), traceId: '' });
    }
  };
}

function noSchemas(): never {
  throw new ServerError('internal', 'a route declares a schema for fastify: this server checks requests itself');
}

/** What routes are registered for: each costs a start 0.1 ms, and Node's parser knows 35. */
const COMMON_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const UNKNOWN: Route = { path: '*', counted: true, cors: false };

/** A route takes any method and answers in the first hook: what comes after it refuses content types that we pass through. */
export function addRoute(app: FastifyInstance, shared: Shared, route: Route, handle: Handler): Serve {
  app.route({
    method: route === UNKNOWN ? app.supportedMethods : COMMON_METHODS,
    url: route.path,
    onRequest: (request, reply) => serve(shared, route, handle, request.raw, reply.raw, request.params as Record<string, string>),
    handler: () => undefined,
  });
  return (request, response, parameters) => serve(shared, route, handle, request, response, parameters);
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
