import {
  type InferRequest,
  type InputTensors,
  misfit,
  NO_PARAMETERS,
  show,
  wantedOutputs,
  type WantedOutput,
} from '../../tensors/infer-request.ts';
import {
  isRecord,
  type Members,
  optional,
  outputData,
  outputHead,
  parametersOf,
  readInputs,
  readParameters,
} from '../../tensors/open-inference-json.ts';
import { toBytes } from '../../tensors/tensor-bytes.ts';
import { jsonText } from '../../ipc/message-text.ts';
import type { WorkerRequest } from '../request-context.ts';
import { answerParts, jsonHeaders } from './answer-parts.ts';
import type { BodyChoices, Codec, Encoded, Serving } from './codec.ts';
import { decodeBody } from './content-types.ts';
import { encodeJson, failureText } from './encode-result.ts';
import { outputsOf } from './infer-outputs.ts';
import { rawInput } from './raw-input.ts';

const JSON_LENGTH = 'inference-header-content-length';
const VERSION = /\/versions\/([^/?]+)\/infer/;
const EVERYTHING: InferRequest = { id: undefined, version: undefined, outputs: undefined, binary: false, parameters: NO_PARAMETERS };

/** The Open Inference Protocol over REST, with binary tensors: docs/open-inference.md. */
export class OpenInferenceCodec implements Codec {
  readonly #serving: Serving;
  readonly #asBytes: boolean;

  /** @param choices of the script; absent: BYTES become strings */
  constructor(serving: Serving, choices?: Pick<BodyChoices, 'bytesInputs'>) {
    this.#serving = serving;
    this.#asBytes = choices?.bytesInputs === true;
  }

  decode(request: WorkerRequest, body: Buffer): InputTensors {
    const version = VERSION.exec(request.url)?.[1];
    const header = request.header(JSON_LENGTH);
    const jsonLength = header === undefined ? body.length : readJsonLength(header, body.length);
    if (header !== undefined && jsonLength === 0) {
      request.infer = { ...EVERYTHING, version, binary: true };
      return rawInput(this.#serving.inputs, body);
    }
    // The general parser is faster in front of binary tensors, because few numbers stand there.
    const form = header === undefined ? 'tensors' : 'json';
    const message = decodeBody(body.subarray(0, jsonLength), undefined, form, true, this.#serving.jsonNan);
    if (!isRecord(message) || !Array.isArray(message['inputs']))
      throw misfit('the request', 'an object with the array "inputs"', show(message));
    const { id, outputs, binary } = readRequest(message);
    const inputs = readInputs(message['inputs'], body.subarray(jsonLength), this.#asBytes);
    request.infer = { id, version, outputs, binary, parameters: readParameters(message) };
    return inputs;
  }

  encode({ infer = EVERYTHING }: WorkerRequest, result: unknown): Encoded {
    const { modelName, nonFinite, answerLimitBytes } = this.#serving;
    const { headers = [], parameters, ...answer } = answerParts(result);
    const bytes: Uint8Array[] = [];
    const outputs = outputsOf(answer, infer, answerLimitBytes).map(({ name, tensor, binary, parameters: own }) => {
      const head = outputHead(name, tensor);
      if (!binary)
        return own === undefined ? { ...head, data: outputData(tensor) } : { ...head, parameters: own, data: outputData(tensor) };
      const content = toBytes(tensor);
      bytes.push(content);
      return { ...head, parameters: { ...own, binary_data_size: content.length } };
    });
    const message = { model_name: modelName, model_version: infer.version, id: infer.id, parameters, outputs };
    const json = encodeJson(message, nonFinite, answerLimitBytes);
    if (bytes.length === 0) return { headers: jsonHeaders(headers), parts: [json] };
    // Spaces align the first tensor, so that a client can view it in place.
    const length = Buffer.byteLength(json);
    const padding = (8 - (length % 8)) % 8;
    return {
      headers: [['content-type', 'application/octet-stream'], [JSON_LENGTH, String(length + padding)], ...headers],
      parts: [json + ' '.repeat(padding), ...bytes],
    };
  }

  /** The protocol has a text there: of an object its JSON. */
  failure(answer: string | object): string {
    return jsonText({ error: typeof answer === 'string' ? answer : failureText(answer, this.#serving) });
  }
}

/** Bytes of JSON in front of the tensors. */
function readJsonLength(header: string, bodyLength: number): number {
  const length = /^\d{1,15}$/.test(header) ? Number(header) : Infinity;
  if (length > bodyLength)
    throw misfit('Inference-Header-Content-Length', `a whole number from 0 to ${bodyLength}, the length of the body`, header);
  return length;
}

function readRequest({ parameters, ...message }: Members): Omit<InferRequest, 'version' | 'parameters'> {
  const [id, outputs] = [optional(message['id']), optional(message['outputs'])];
  if (id !== undefined && typeof id !== 'string') throw misfit('id', 'a string', show(id));
  if (outputs !== undefined && !Array.isArray(outputs)) throw misfit('outputs', 'an array', show(outputs));
  const binary = flag(parametersOf({ parameters }, 'the request'), 'binary_data_output') ?? false;
  return { id, outputs: outputs && wantedOutputs(outputs.map(readOutput)), binary };
}

function readOutput(output: unknown, index: number): WantedOutput {
  const name = isRecord(output) ? output['name'] : undefined;
  if (!isRecord(output) || typeof name !== 'string') throw misfit(`outputs[${index}]`, 'an object with a "name"', show(output));
  const parameters = parametersOf(output, `output ${name}`);
  for (const extension of ['classification', 'shared_memory_region'])
    if (optional(parameters[extension]) !== undefined)
      throw misfit(`output ${name}`, `no parameter "${extension}" (this server does not have that extension)`, show(parameters[extension]));
  return { name, binary: flag(parameters, 'binary_data') };
}

function flag(parameters: Members, name: string): boolean | undefined {
  const value = optional(parameters[name]);
  if (value !== undefined && typeof value !== 'boolean') throw misfit(`parameter ${name}`, 'true or false', show(value));
  return value;
}
