import type { Protocol } from '../entry-script.ts';
import { decodeBody, decodeQuery } from './content-types.ts';
import { encodeJson, type NonFinite } from './encode-result.ts';
import type { LoadedScript } from './load-entry-script.ts';
import type { WorkerRequest } from './request-context.ts';

/** A body on its way out. */
interface Encoded {
  /** Undefined: application/json. */
  readonly headers: readonly (readonly [string, string])[] | undefined;
  readonly parts: readonly (string | Uint8Array)[];
}

/** How the bodies of one front door become what `run()` gets, and what it answers becomes a body. */
interface Codec {
  /** @throws ServerError with the client's fault */
  decode(request: WorkerRequest, body: Buffer): unknown;
  /** @throws ServerError result_not_json */
  encode(request: WorkerRequest, result: unknown): Encoded;
}

export type Codecs = Readonly<Record<Protocol, Codec>>;

export function codecsOf(script: LoadedScript, nonFinite: NonFinite): Codecs {
  return { score: new ScoreCodec(script, nonFinite) };
}

/** The routes /score: the content type and the script's exports decide. */
class ScoreCodec implements Codec {
  readonly #script: LoadedScript;
  readonly #nonFinite: NonFinite;

  constructor(script: LoadedScript, nonFinite: NonFinite) {
    this.#script = script;
    this.#nonFinite = nonFinite;
  }

  decode(request: WorkerRequest, body: Buffer): unknown {
    const { rawHttp, inputType, exactIntegers } = this.#script;
    if (rawHttp) return request.toWebRequest(body);
    if (request.method !== 'GET') return decodeBody(body, request.contentType, inputType, exactIntegers);
    const query = decodeQuery(request.url, exactIntegers);
    if (inputType === 'text') return encodeJson(query, this.#nonFinite);
    return inputType === 'bytes' ? Buffer.from(encodeJson(query, this.#nonFinite)) : query;
  }

  encode(_request: WorkerRequest, result: unknown): Encoded {
    return { headers: undefined, parts: [encodeJson(result ?? {}, this.#nonFinite)] };
  }
}
