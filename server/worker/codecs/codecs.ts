import type { Protocol } from '../../entry-script.ts';
import type { Codec, Encoded, Serving } from './codec.ts';
import { decodeBody, decodeQuery, unreadable } from './content-types.ts';
import { encodeJson } from './encode-result.ts';
import type { LoadedScript } from '../script/load-entry-script.ts';
import { jsonText } from '../../ipc/message-text.ts';
import type { WorkerRequest } from '../request-context.ts';

/** One codec a protocol. Those of the Open Inference Protocol are loaded by its first request: most servers never get one. */
export class Codecs {
  readonly #serving: Serving;
  readonly #made: Partial<Record<Protocol, Codec>>;

  constructor(script: LoadedScript, serving: Serving) {
    this.#serving = serving;
    this.#made = { score: new ScoreCodec(script, serving) };
  }

  /** Undefined: it has to be loaded first. */
  get(protocol: Protocol): Codec | undefined {
    return this.#made[protocol];
  }

  async load(protocol: Protocol): Promise<Codec> {
    if (protocol === 'open-inference') {
      const { OpenInferenceCodec } = await import('./open-inference.ts');
      return (this.#made[protocol] ??= new OpenInferenceCodec(this.#serving));
    }
    const { OpenInferenceGrpcCodec } = await import('./open-inference-grpc.ts');
    return (this.#made[protocol] ??= new OpenInferenceGrpcCodec(this.#serving));
  }
}

/** What `run()` gets. @throws ServerError with the client's fault, whatever goes wrong: no script has seen the request yet */
export function decode(codec: Codec, request: WorkerRequest, body: Buffer): unknown {
  try {
    return codec.decode(request, body);
  } catch (thrown) {
    throw unreadable(thrown);
  }
}

/** The routes /score: the content type and the script's exports decide. */
class ScoreCodec implements Codec {
  readonly #script: LoadedScript;
  readonly #serving: Serving;

  constructor(script: LoadedScript, serving: Serving) {
    this.#script = script;
    this.#serving = serving;
  }

  decode(request: WorkerRequest, body: Buffer): unknown {
    const { rawHttp, inputType, exactIntegers } = this.#script;
    if (rawHttp) return request.toWebRequest(body);
    if (request.method !== 'GET') return decodeBody(body, request.contentType, inputType, exactIntegers);
    const query = decodeQuery(request.url, exactIntegers);
    if (inputType === 'text') return encodeJson(query, this.#serving.nonFinite);
    return inputType === 'bytes' ? Buffer.from(encodeJson(query, this.#serving.nonFinite)) : query;
  }

  encode(_request: WorkerRequest, result: unknown): Encoded {
    return { headers: undefined, parts: [encodeJson(result ?? {}, this.#serving.nonFinite, this.#serving.answerLimitBytes)] };
  }

  failure(message: string): string {
    return jsonText({ message });
  }
}
