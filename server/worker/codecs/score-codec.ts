import { Answer } from '../../entry-script.ts';
import { jsonText } from '../../ipc/message-text.ts';
import type { WorkerRequest } from '../request-context.ts';
import { answerParts, jsonHeaders } from './answer-parts.ts';
import type { BodyChoices, Codec, Encoded, Serving } from './codec.ts';
import { decodeBody, decodeQuery } from './content-types.ts';
import { encodeJson, failureText } from './encode-result.ts';
import { toWebRequest } from './web-request.ts';

/** The routes /score: the content type and the script's exports decide. */
export class ScoreCodec implements Codec {
  readonly #choices: BodyChoices;
  readonly #serving: Serving;

  constructor(choices: BodyChoices, serving: Serving) {
    this.#choices = choices;
    this.#serving = serving;
  }

  decode(request: WorkerRequest, body: Buffer): unknown {
    const { rawHttp, inputType, exactIntegers } = this.#choices;
    if (rawHttp) return toWebRequest(request, body);
    if (request.method !== 'GET') return decodeBody(body, request.contentType, inputType, exactIntegers, this.#serving.jsonNan);
    const query = decodeQuery(request.url, exactIntegers);
    if (inputType === 'text') return encodeJson(query, this.#serving.nonFinite);
    return inputType === 'bytes' ? Buffer.from(encodeJson(query, this.#serving.nonFinite)) : query;
  }

  encode(_request: WorkerRequest, result: unknown): Encoded {
    const { nonFinite, answerLimitBytes } = this.#serving;
    if (!(result instanceof Answer)) return { headers: undefined, parts: [encodeJson(result ?? {}, nonFinite, answerLimitBytes)] };
    const { value, headers } = answerParts(result);
    return { headers: jsonHeaders(headers), parts: [encodeJson(value ?? {}, nonFinite, answerLimitBytes)] };
  }

  failure(answer: string | object): string {
    return typeof answer === 'string' ? jsonText({ message: answer }) : failureText(answer, this.#serving);
  }
}
