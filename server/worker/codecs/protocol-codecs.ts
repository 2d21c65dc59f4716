import type { Protocol } from '../../entry-script.ts';
import type { WorkerRequest } from '../request-context.ts';
import type { BodyChoices, Codec, Serving } from './codec.ts';
import { unreadable } from './content-types.ts';
import { ScoreCodec } from './score-codec.ts';

/**
 * Loads the codec of each protocol. All but the first are imported late, because
 * most servers never need them.
 */
const loaders: Readonly<Record<Protocol, (choices: BodyChoices, serving: Serving) => Codec | Promise<Codec>>> = {
  score: (choices, serving) => new ScoreCodec(choices, serving),
  'open-inference': async (choices, serving) => new (await import('./open-inference.ts')).OpenInferenceCodec(serving, choices),
  'open-inference-grpc': async (choices, serving) =>
    new (await import('./open-inference-grpc.ts')).OpenInferenceGrpcCodec(serving, choices),
  instances: async (choices, serving) => new (await import('./instances.ts')).InstancesCodec(choices, serving),
  invocations: async (choices, serving) => new (await import('./invocations.ts')).InvocationsCodec(choices, serving),
  'azure-function': async (choices, serving) => new (await import('./azure-function.ts')).AzureFunctionCodec(choices, serving),
};

/** The codecs of a worker, one a protocol, made by the first request that needs one. */
export class ProtocolCodecs {
  readonly #choices: BodyChoices;
  readonly #serving: Serving;
  readonly #loaded: Partial<Record<Protocol, Codec>>;

  constructor(choices: BodyChoices, serving: Serving) {
    this.#choices = choices;
    this.#serving = serving;
    this.#loaded = { score: new ScoreCodec(choices, serving) };
  }

  /** The codec of a protocol, or undefined if it must be loaded first. */
  get(protocol: Protocol): Codec | undefined {
    return this.#loaded[protocol];
  }

  async load(protocol: Protocol): Promise<Codec> {
    const codec = await loaders[protocol](this.#choices, this.#serving);
    return (this.#loaded[protocol] ??= codec);
  }
}

/**
 * The data for `run()`.
 * @throws ServerError with the client's fault, whatever fails: no script has seen the request yet
 */
export function decode(codec: Codec, request: WorkerRequest, body: Buffer): unknown {
  try {
    return codec.decode(request, body);
  } catch (thrown) {
    throw unreadable(thrown);
  }
}
