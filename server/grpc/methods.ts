import type { Config } from '../config/config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { checkModel } from '../request/model-name.ts';
import { modelMetadata, serverMetadata } from '../scoring/model-metadata.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import type { Call, GrpcMethod } from './call.ts';
import { Health } from './health.ts';
import type { GrpcLimits } from './limits.ts';
import { boolMessage, modelMessage, readModel, serverMessage } from './service-messages.ts';

const INFERENCE = 'inference.GRPCInferenceService';
const HEALTH = 'grpc.health.v1.Health';

interface MethodParts {
  readonly config: Pick<Config, 'bodyLimitBytes' | 'modelName'>;
  readonly scorer: Scorer;
  readonly lifecycle: Lifecycle;
}

/** The methods by path, and the health service, which ends its watchers before a drain. */
export function grpcMethods(
  parts: MethodParts,
  limits: GrpcLimits,
): { methods: ReadonlyMap<string | undefined, GrpcMethod>; health: Health } {
  const { config, scorer, lifecycle } = parts;
  const ready = (): boolean => lifecycle.state === 'ready' && scorer.ready;
  const health = new Health(ready, [INFERENCE, config.modelName], limits.watchers);
  const small = smallMethod(limits.smallMessageBytes);
  const methods = new Map<string | undefined, GrpcMethod>([
    ...inferenceMethods(parts, ready, small),
    small(HEALTH, 'Check', false, (call, message) => health.check(call, message)),
    small(HEALTH, 'Watch', false, (call, message) => health.watch(call, message)),
  ]);
  return { methods, health };
}

type Row = readonly [path: string, method: GrpcMethod];
type SmallMethod = (service: string, name: string, counted: boolean, handle: (call: Call, message: Buffer) => void) => Row;

/** Makes rows of methods whose messages have at most `limit` bytes. */
function smallMethod(limit: number): SmallMethod {
  return (service, name, counted, handle) => [
    `/${service}/${name}`,
    {
      path: `grpc ${name}`,
      counted,
      access: counted ? 'key' : 'open',
      limit,
      handle: (call, { pieces }) => handle(call, Buffer.concat(pieces)),
    },
  ];
}

function inferenceMethods({ config, scorer, lifecycle }: MethodParts, ready: () => boolean, small: SmallMethod): readonly Row[] {
  const { modelName, bodyLimitBytes } = config;
  const check = (message: Buffer): void => {
    const { name, version } = readModel(message);
    checkModel(modelName, name, version);
  };
  const infer: GrpcMethod = {
    path: 'grpc ModelInfer',
    counted: true,
    access: 'key',
    scores: true,
    limit: bodyLimitBytes,
    handle: (call, message) => call.infer(message),
  };
  return [
    small(INFERENCE, 'ServerLive', false, (call) => call.answer(boolMessage(lifecycle.live))),
    small(INFERENCE, 'ServerReady', false, (call) => call.answer(boolMessage(ready()))),
    small(INFERENCE, 'ModelReady', false, (call, message) => {
      check(message);
      call.answer(boolMessage(ready()));
    }),
    small(INFERENCE, 'ServerMetadata', true, (call) => call.answer(serverMessage(serverMetadata))),
    small(INFERENCE, 'ModelMetadata', true, (call, message) => {
      check(message);
      call.answer(modelMessage(modelMetadata(modelName, scorer.served)));
    }),
    [`/${INFERENCE}/ModelInfer`, infer],
  ];
}
