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

/**
 * The methods of all services, by path, and the health service, which ends its watchers before a
 * drain.
 */
export function grpcMethods(
  { config, scorer, lifecycle }: MethodParts,
  limits: GrpcLimits,
): { methods: ReadonlyMap<string | undefined, GrpcMethod>; health: Health } {
  const { modelName } = config;
  const ready = (): boolean => lifecycle.state === 'ready' && scorer.ready;
  const health = new Health(ready, [INFERENCE, modelName], limits.watchers);
  const infer: GrpcMethod = {
    path: 'grpc ModelInfer',
    counted: true,
    scores: true,
    limit: config.bodyLimitBytes,
    handle: (call, message) => call.infer(message),
  };
  const small = (name: string, counted: boolean, handle: (call: Call, message: Buffer) => void): GrpcMethod => ({
    path: `grpc ${name}`,
    counted,
    limit: limits.smallMessageBytes,
    handle: (call, { pieces }) => handle(call, Buffer.concat(pieces)),
  });
  const check = (message: Buffer): void => {
    const { name, version } = readModel(message);
    checkModel(modelName, name, version);
  };
  const methods = new Map<string | undefined, GrpcMethod>([
    [`/${INFERENCE}/ServerLive`, small('ServerLive', false, (call) => call.answer(boolMessage(lifecycle.live)))],
    [`/${INFERENCE}/ServerReady`, small('ServerReady', false, (call) => call.answer(boolMessage(ready())))],
    [
      `/${INFERENCE}/ModelReady`,
      small('ModelReady', false, (call, message) => {
        check(message);
        call.answer(boolMessage(ready()));
      }),
    ],
    [`/${INFERENCE}/ServerMetadata`, small('ServerMetadata', true, (call) => call.answer(serverMessage(serverMetadata)))],
    [
      `/${INFERENCE}/ModelMetadata`,
      small('ModelMetadata', true, (call, message) => {
        check(message);
        call.answer(modelMessage(modelMetadata(modelName, scorer.served)));
      }),
    ],
    [`/${INFERENCE}/ModelInfer`, infer],
    [`/${HEALTH}/Check`, small('Check', false, (call, message) => health.check(call, message))],
    [`/${HEALTH}/Watch`, small('Watch', false, (call, message) => health.watch(call, message))],
  ]);
  return { methods, health };
}
