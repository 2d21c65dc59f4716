import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import { type DoorParts, exchangeServices } from '../exchange/services.ts';
import { hostInUrl } from '../guards/addresses.ts';
import { Call, type GrpcMethod, type GrpcServices } from './call.ts';
import { type Accept, Connections } from './connections.ts';
import { defaultLimits, type GrpcLimits } from './limits.ts';
import { grpcMethods } from './methods.ts';

export interface GrpcParts extends DoorParts {
  readonly config: Pick<Config, 'host' | 'grpcPort' | 'bodyLimitBytes' | 'streamIdleTimeoutMs' | 'modelName'> & DoorParts['config'];
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<GrpcLimits>;
}

export interface GrpcListening {
  readonly port: number;
  /** Accepts no new calls; resolves when the open ones have ended. */
  close(): Promise<void>;
  /** Ends every connection now. */
  closeAll(): void;
}

/** Connections that wait to be accepted. */
const BACKLOG = 2048;

/** Opens the port for the Open Inference Protocol over gRPC. @throws ServerError listen_failed */
export async function listenGrpc(parts: GrpcParts): Promise<GrpcListening> {
  const { config } = parts;
  const limits: GrpcLimits = { ...defaultLimits, answerIdleMs: config.streamIdleTimeoutMs, ...parts.limits };
  const { methods, health } = grpcMethods(parts, limits);
  for (const { path, scores } of methods.values()) if (scores === true) parts.metrics.addRoute(path);
  const connections = new Connections(limits, acceptor(methods, { ...exchangeServices(parts), limits }), parts.certificates);
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

/** The call refuses it before it reads a message. */
const UNKNOWN: GrpcMethod = { path: 'grpc *', counted: true, unknown: true, access: 'key', limit: 0, handle: () => undefined };

const GRPC = /^application\/grpc(?:$|[+;])/;

/** Finds the method of a call. */
function acceptor(methods: ReadonlyMap<string | undefined, GrpcMethod>, services: GrpcServices): Accept {
  return (stream, headers, rawHeaders) => {
    const method = methods.get(headers[':path']);
    if (!GRPC.test(headers['content-type'] ?? '')) refuseOther(stream);
    else return new Call(services, method ?? UNKNOWN, stream, headers, rawHeaders);
    return undefined;
  };
}

/** Refuses a request that is not gRPC. */
function refuseOther(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 415 }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function bind({ server }: Connections, { host, grpcPort }: GrpcParts['config']): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      const text = `cannot listen on ${hostInUrl(host)}:${grpcPort} for gRPC: ${describeThrown(cause)}; check SCORING_HOST, or choose another GRPC_PORT`;
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
