import { stringify } from '../../guards/built-ins.ts';
import type { HeaderPairs } from '../../ipc/header-fields.ts';
import { RunLines } from '../run-lines.ts';
import type { WorkerRequest } from '../request-context.ts';
import { answerParts } from './answer-parts.ts';
import type { BodyChoices, Codec, Encoded, HttpAnswer, Serving, WrappedAnswer } from './codec.ts';
import { encodeJson, failureText } from './encode-result.ts';
import { jsonText } from '../../ipc/message-text.ts';
import { type Invocation, readInvocation } from './function-invocation.ts';
import { invocationText, isJson, valueOfBytes, valueOfJson } from './function-outputs.ts';
import { ScoreCodec } from './score-codec.ts';

const JSON_HEADERS: HeaderPairs = [['content-type', 'application/json']];

/**
 * An invocation of the Functions host: `{"Data": ..., "Metadata": ...}` to `{"Outputs": ...,
 * "Logs": ..., "ReturnValue": ...}` (docs/azure-functions.md).
 */
export class AzureFunctionCodec implements Codec {
  readonly #choices: BodyChoices;
  readonly #serving: Serving;
  /** As on /score: of HTTP requests without forwarding, and of scripts that take raw requests. */
  readonly #score: ScoreCodec;
  /** Of requests with a script that takes no content type. */
  readonly #invocations = new WeakMap<WorkerRequest, Invocation>();

  constructor(choices: BodyChoices, serving: Serving) {
    this.#choices = choices;
    this.#serving = serving;
    this.#score = new ScoreCodec(choices, serving);
  }

  decode(request: WorkerRequest, body: Buffer): unknown {
    request.logged = new RunLines();
    const invocation = readInvocation(request, this.#choices);
    this.#invocations.set(request, invocation);
    const { data, http } = invocation.read(body, this.#serving.jsonNan);
    request.metadata = invocation.metadata;
    if (http !== undefined) {
      request.standFor(http);
      return this.#score.decode(request, http.body);
    }
    return this.#choices.rawHttp ? this.#score.decode(request, bytesOf(data)) : data;
  }

  encode(request: WorkerRequest, result: unknown): Encoded {
    const { nonFinite, answerLimitBytes } = this.#serving;
    const { value, headers } = answerParts(result);
    const text = encodeJson(value ?? {}, nonFinite, answerLimitBytes);
    return this.#wrapped(request, { status: 200, headers: [...JSON_HEADERS, ...(headers ?? [])], body: text });
  }

  failure(answer: string | object): string {
    return typeof answer === 'string' ? jsonText({ message: answer }) : failureText(answer, this.#serving);
  }

  /**
   * An answer of HTTP. Without a client that reads HTTP, a status that is no success fails the
   * invocation: the host then tries it again. A fault of a server fails it always.
   */
  wrap(request: WorkerRequest, answer: HttpAnswer): WrappedAnswer {
    const isSuccess = answer.status >= 200 && answer.status < 300;
    const isTold = this.#invocations.get(request)?.http === true && answer.status < 500;
    if (!isSuccess && !isTold) return { status: answer.status, headers: answer.headers, parts: [answer.body] };
    return { status: 200, ...this.#wrapped(request, answer) };
  }

  #wrapped(request: WorkerRequest, { status, headers, body }: HttpAnswer): Encoded {
    const outputs = this.#invocations.get(request)?.outputs ?? [];
    const value = typeof body === 'string' || isJson(headers, body) ? valueOfJson(String(body)) : valueOfBytes(body);
    return { headers: undefined, parts: [invocationText({ outputs, value, status, headers, lines: request.logged?.all ?? [] })] };
  }
}

function bytesOf(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Buffer.from(typeof data === 'string' ? data : (stringify(data) ?? ''));
}
