import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { HostCollector } from '../collection/host/collector.ts';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import { FailureLog } from '../request/failure-log.ts';
import { LargeBuffers } from '../system/large-buffers.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { checkModel } from '../request/model-name.ts';
import type { Sampler } from '../request/request-ids.ts';
import { modelMetadata, serverMetadata } from '../scoring/model-metadata.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestExports } from '../telemetry/request-exports.ts';
import { AnswerStream } from './answer-stream.ts';
import { Call, INFER_PATH, type Route, type Shared } from './call.ts';
import { type Accept, Connections } from './connections.ts';
import { Health } from './health.ts';
import { infer } from './infer.ts';
import { defaultLimits, type GrpcLimits } from './limits.ts';
import { type Message } from './message.ts';
import { boolMessage, modelMessage, readModel, serverMessage } from './messages.ts';
import { status } from './status.ts';

export interface GrpcParts {
  readonly config: Pick<Config, 'host' | 'grpcPort' | 'bodyLimitBytes' | 'streamIdleTimeoutMs' | 'accessLog' | 'modelName'>;
  readonly scorer: Scorer;
  /** Undefined: nothing is collected. */
  readonly collector?: HostCollector | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly exports?: RequestExports | undefined;
  readonly sampler?: Sampler;
  /** Those that differ from the default ones. */
  readonly limits?: Partial<GrpcLimits>;
}

export interface GrpcListening {
  readonly port: number;
  /** Takes no new calls; resolves when those that are under way have ended. */
  close(): Promise<void>;
  /** Ends every connection now. */
  closeAll(): void;
}

const INFERENCE = 'inference.GRPCInferenceService';
const HEALTH = 'grpc.health.v1.Health';

/** Connections that wait to be accepted. */
const BACKLOG = 2048;

/** Opens the port for the Open Inference Protocol over gRPC. @throws ServerError listen_failed */
export async function listenGrpc(parts: GrpcParts): Promise<GrpcListening> {
  const { config, lifecycle, scorer } = parts;
  const limits: GrpcLimits = { ...defaultLimits, answerIdleMs: config.streamIdleTimeoutMs, ...parts.limits };
  const health = new Health(() => lifecycle.state === 'ready' && scorer.ready, [INFERENCE, config.modelName], limits.watchers);
  const routes = new Map([...inferenceRoutes(parts, limits), ...healthRoutes(health, limits)]);
  const connections = new Connections(limits, acceptor(routes, sharedOf(parts, limits)));
  const port = await bind(connections, config);
  return {
    port,
    close: () => {
      health.end();
      return connections.close();
    },
    closeAll: () => connections.closeAll(),
  };
}

type Routes = [path: string, Route][];

function inferenceRoutes(parts: GrpcParts, limits: GrpcLimits): Routes {
  const { config, scorer, lifecycle } = parts;
  const row = (name: string, counted: boolean, handle: (call: Call, message: Buffer) => void): Routes[number] => [
    `/${INFERENCE}/${name}`,
    { path: `grpc ${name}`, counted, limit: limits.smallMessageBytes, handle: (call, message) => handle(call, joined(message)) },
  ];
  const ready = (): boolean => lifecycle.state === 'ready' && scorer.ready;
  const check = (message: Buffer): void => {
    const { name, version } = readModel(message);
    checkModel(config.modelName, name, version);
  };
  const scores: Route = {
    path: 'grpc ModelInfer',
    counted: true,
    scores: true,
    limit: config.bodyLimitBytes,
    handle: (call, message) => infer(scorer, parts.collector, call, message),
  };
  return [
    row('ServerLive', false, (call) => call.answer(boolMessage(lifecycle.live))),
    row('ServerReady', false, (call) => call.answer(boolMessage(ready()))),
    row('ModelReady', false, (call, message) => {
      check(message);
      call.answer(boolMessage(ready()));
    }),
    row('ServerMetadata', true, (call) => call.answer(serverMessage(serverMetadata))),
    row('ModelMetadata', true, (call, message) => {
      check(message);
      call.answer(modelMessage(modelMetadata(config.modelName, scorer.served)));
    }),
    [INFER_PATH, scores],
  ];
}

function healthRoutes(health: Health, limits: GrpcLimits): Routes {
  const row = (name: string, handle: (call: Call, message: Buffer) => void): Routes[number] => [
    `/${HEALTH}/${name}`,
    { path: `grpc ${name}`, counted: false, limit: limits.smallMessageBytes, handle: (call, message) => handle(call, joined(message)) },
  ];
  return [row('Check', (call, message) => health.check(call, message)), row('Watch', (call, message) => health.watch(call, message))];
}

const joined = ({ pieces }: Message): Buffer => Buffer.concat(pieces);

function sharedOf({ config, scorer, log, metrics, exports, sampler }: GrpcParts, limits: GrpcLimits): Shared {
  return {
    failureLog: new FailureLog(log),
    accessLog: new AccessLog(config.accessLog ? log : undefined, metrics, exports),
    buffers: new LargeBuffers(),
    sampler,
    scorer,
    limits,
  };
}

const GRPC = /^application\/grpc(?:$|[+;])/;

/** Finds the method of a call. */
function acceptor(routes: ReadonlyMap<string | undefined, Route>, shared: Shared): Accept {
  return (stream, headers, rawHeaders) => {
    const route = routes.get(headers[':path']);
    if (!GRPC.test(headers['content-type'] ?? '')) refuseOther(stream);
    else if (route === undefined) refuseUnknown(stream, headers, shared);
    else return new Call(shared, route, stream, headers, rawHeaders);
    return undefined;
  };
}

/** Something that is not gRPC. */
function refuseOther(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 415 }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function refuseUnknown(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, { scorer }: Shared): void {
  stream.resume();
  const text = `The server does not implement the method ${headers[':path'] ?? ''}`;
  new AnswerStream(stream, [], scorer.answers).end(status.UNIMPLEMENTED, text);
}

function bind({ server }: Connections, { host, grpcPort }: GrpcParts['config']): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      const text = `cannot listen on ${host.includes(':') ? `[${host}]` : host}:${grpcPort} for gRPC: ${describeThrown(cause)}; check SCORING_HOST, or choose another GRPC_PORT`;
      reject(new ServerError('listen_failed', text, { cause }));
    };
    server.once('error', failed);
    server.listen({ host, port: grpcPort, backlog: BACKLOG }, () => {
      const address = server.address();
      // A connection that cannot be accepted is the client's loss.
      server.off('error', failed).on('error', () => undefined);
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
