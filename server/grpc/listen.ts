import { logVerbosity, type MethodDefinition, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import type { Collector } from '../collection/collector.ts';
import type { Config } from '../config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import { FailureLog } from '../failure-log.ts';
import { LargeBuffers } from '../large-buffers.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { checkModel } from '../model-name.ts';
import type { Sampler } from '../request-ids.ts';
import { modelMetadata, serverMetadata } from '../scoring/model-metadata.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestExports } from '../telemetry/request-exports.ts';
import { type Call, type Shared, unary } from './call.ts';
import { Health } from './health.ts';
import { infer } from './infer.ts';
import { boolMessage, modelMessage, readModel, serverMessage } from './messages.ts';

export interface GrpcParts {
  readonly config: Pick<Config, 'host' | 'grpcPort' | 'bodyLimitBytes' | 'accessLog' | 'modelName'>;
  readonly scorer: Scorer;
  /** Undefined: nothing is collected. */
  readonly collector?: Collector | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly exports?: RequestExports | undefined;
  readonly sampler?: Sampler;
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

/** Opens the port for the Open Inference Protocol over gRPC. @throws ServerError listen_failed */
export async function listenGrpc(parts: GrpcParts): Promise<GrpcListening> {
  const { config, lifecycle, scorer } = parts;
  // What fails is reported by us, in lines of our log.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': config.bodyLimitBytes,
    'grpc.max_send_message_length': -1,
  });
  const health = new Health(() => lifecycle.state === 'ready' && scorer.ready, [INFERENCE, config.modelName]);
  addInference(server, parts);
  addHealth(server, parts, health);
  const port = await bind(server, config);
  return {
    port,
    close: () => {
      health.end();
      return new Promise((resolve) => server.tryShutdown(() => resolve()));
    },
    closeAll: () => server.forceShutdown(),
  };
}

function addInference(server: Server, parts: GrpcParts): void {
  const { config, scorer, lifecycle } = parts;
  const shared = sharedOf(parts);
  const probe = (name: string, handle: (call: Call) => void) => unary(shared, { path: `grpc ${name}`, counted: false }, handle);
  const counted = (name: string, handle: (call: Call) => void) => unary(shared, { path: `grpc ${name}`, counted: true }, handle);
  const ready = (): boolean => lifecycle.state === 'ready' && scorer.ready;
  const checked = (call: Call): void => {
    const { name, version } = readModel(call.message);
    checkModel(config.modelName, name, version);
  };
  server.addService(definitions(INFERENCE, ['ServerLive', 'ServerReady', 'ModelReady', 'ServerMetadata', 'ModelMetadata', 'ModelInfer']), {
    ServerLive: probe('ServerLive', (call) => call.answer(boolMessage(lifecycle.live))),
    ServerReady: probe('ServerReady', (call) => call.answer(boolMessage(ready()))),
    ModelReady: probe('ModelReady', (call) => {
      checked(call);
      call.answer(boolMessage(ready()));
    }),
    ServerMetadata: counted('ServerMetadata', (call) => call.answer(serverMessage(serverMetadata))),
    ModelMetadata: counted('ModelMetadata', (call) => {
      checked(call);
      call.answer(modelMessage(modelMetadata(config.modelName, scorer.served)));
    }),
    ModelInfer: unary(shared, { path: 'grpc ModelInfer', counted: true, scores: true }, (call) => infer(scorer, parts.collector, call)),
  });
}

function addHealth(server: Server, parts: GrpcParts, health: Health): void {
  server.addService(
    { ...definitions(HEALTH, ['Check']), ...definitions(HEALTH, ['Watch'], true) },
    {
      Check: unary(sharedOf(parts), { path: 'grpc Check', counted: false }, (call) => health.check(call)),
      Watch: health.watch.bind(health),
    },
  );
}

function sharedOf({ config, log, metrics, exports, sampler }: GrpcParts): Shared {
  return {
    failureLog: new FailureLog(log),
    accessLog: new AccessLog(config.accessLog ? log : undefined, metrics, exports),
    buffers: new LargeBuffers(),
    sampler,
  };
}

/** Messages stay bytes on both sides. */
function definitions(service: string, names: readonly string[], streams = false): Record<string, MethodDefinition<Buffer, Buffer>> {
  const same = (bytes: Buffer): Buffer => bytes;
  const row = (name: string): MethodDefinition<Buffer, Buffer> => ({
    path: `/${service}/${name}`,
    requestStream: false,
    responseStream: streams,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  });
  return Object.fromEntries(names.map((name) => [name, row(name)]));
}

function bind(server: Server, { host, grpcPort }: GrpcParts['config']): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${grpcPort}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) return resolve(port);
      reject(
        new ServerError(
          'listen_failed',
          `cannot listen on ${address} for gRPC: ${describeThrown(error)}; check SCORING_HOST, or choose another GRPC_PORT`,
          {
            cause: error,
          },
        ),
      );
    });
  });
}
