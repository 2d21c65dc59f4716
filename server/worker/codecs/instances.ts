import { Answer } from '../../entry-script.ts';
import { jsonText } from '../../ipc/message-text.ts';
import { misfit, NO_PARAMETERS, show } from '../../tensors/infer-request.ts';
import type { JsonNumbers } from '../../tensors/json-numbers.ts';
import { isNumbers, isRecord, type Members, optional, readParameters } from '../../tensors/open-inference-json.ts';
import { predictionsOf } from '../../tensors/predictions.ts';
import type { WorkerRequest } from '../request-context.ts';
import { answerParts, jsonHeaders } from './answer-parts.ts';
import type { BodyChoices, Codec, Encoded, Serving } from './codec.ts';
import { decodeBody } from './content-types.ts';
import { encodeJson, failureText } from './encode-result.ts';
import { toWebRequest } from './web-request.ts';

/** Where `run()` may get its data from. */
type Instances = readonly unknown[] | JsonNumbers | Members;

const EXPECTED = 'an object with a list "instances", or with "inputs"';

/**
 * `{"instances": [...]}` to `{"predictions": [...]}`: KServe V1 and Vertex AI
 * (docs/platforms.md#instances-and-predictions).
 */
export class InstancesCodec implements Codec {
  readonly #choices: BodyChoices;
  readonly #serving: Serving;

  constructor(choices: BodyChoices, serving: Serving) {
    this.#choices = choices;
    this.#serving = serving;
  }

  decode(request: WorkerRequest, body: Buffer): unknown {
    const { rawHttp, inputType = 'json', exactIntegers } = this.#choices;
    const { nonFinite, jsonNan } = this.#serving;
    if (rawHttp) return toWebRequest(request, body);
    // A text is made of the values: no digit may be lost before.
    const isText = inputType === 'text' || inputType === 'bytes';
    const message = decodeBody(body, undefined, isText ? 'json' : inputType, exactIntegers || isText, jsonNan);
    const instances = readMessage(message, request);
    if (!isText) return instances;
    // A number of the client is no fault of the script.
    const text = encodeJson(instances, nonFinite === 'error' ? 'string' : nonFinite);
    return inputType === 'text' ? text : Buffer.from(text);
  }

  encode(request: WorkerRequest, result: unknown): Encoded {
    const { nonFinite, answerLimitBytes } = this.#serving;
    const { value, headers } = result instanceof Answer ? answerParts(result) : { value: result, headers: undefined };
    const body = predictionsOf(value ?? null, request.instances);
    return { headers: headers && jsonHeaders(headers), parts: [encodeJson(body, nonFinite, answerLimitBytes)] };
  }

  /** KServe V1 has a text there: of an object its JSON. */
  failure(answer: string | object): string {
    return jsonText({ error: typeof answer === 'string' ? answer : failureText(answer, this.#serving) });
  }
}

/**
 * The instances of a request, whose parameters and number of instances go to the request.
 * @throws ServerError invalid_input
 */
function readMessage(message: unknown, request: WorkerRequest): Instances {
  if (!isRecord(message)) throw misfit('the body', EXPECTED, isNumbers(message) ? 'a list' : show(message));
  const { instances, inputs } = message;
  const parameters = readParameters({ parameters: message['parameters'] });
  if (parameters.request !== NO_PARAMETERS.request)
    request.infer = { id: undefined, version: undefined, outputs: undefined, binary: false, parameters };
  if (optional(instances) !== undefined && optional(inputs) !== undefined)
    throw misfit('the body', 'either "instances" or "inputs"', 'both');
  if (optional(inputs) === undefined) return listOf('"instances"', 'a list of instances', instances, message, request);
  return isRecord(inputs) ? inputs : listOf('"inputs"', 'a list of instances, or an object of inputs by name', inputs, message, request);
}

function listOf(
  where: string,
  expected: string,
  list: unknown,
  message: Members,
  request: WorkerRequest,
): readonly unknown[] | JsonNumbers {
  if (optional(list) === undefined) throw misfit('the body', EXPECTED, `the members ${show(Object.keys(message))}`);
  if (!Array.isArray(list) && !isNumbers(list)) throw misfit(where, expected, show(list));
  request.instances = isNumbers(list) ? list.dims[0] : list.length;
  return list;
}
