import type { Tensor, TensorData } from '../../entry-script.ts';
import { float16Numbers } from '../../tensors/float16.ts';
import { toTensor } from '../../inference/tensors.ts';
import { JsonNumbers } from '../../tensors/json-numbers.ts';
import { oipDatatypes } from '../../tensors/oip-datatypes.ts';
import type { Codec, Encoded, Serving } from './codec.ts';
import { decodeBody } from './content-types.ts';
import { encodeJson } from './encode-result.ts';
import { outputsOf } from './infer-outputs.ts';
import {
  type InferRequest,
  Inputs,
  inputSpec,
  type InputSpec,
  misfit,
  show,
  wantedOutputs,
  type WantedOutput,
} from '../../tensors/infer-request.ts';
import { jsonText } from '../../ipc/message-text.ts';
import { rawInput } from './raw-input.ts';
import type { WorkerRequest } from '../request-context.ts';
import { fromBytes, toBytes } from '../../tensors/tensor-bytes.ts';

const JSON_LENGTH = 'inference-header-content-length';
const VERSION = /\/versions\/([^/?]+)\/infer/;
const EVERYTHING: InferRequest = { id: undefined, version: undefined, outputs: undefined, binary: false };

type Members = Readonly<Record<string, unknown>>;

/** The Open Inference Protocol over REST, with binary tensors: reference/open-inference-protocol.md, sections 2 and 4. */
export class OpenInferenceCodec implements Codec {
  readonly #serving: Serving;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  decode(request: WorkerRequest, body: Buffer): Record<string, Tensor> {
    const version = VERSION.exec(request.url)?.[1];
    const header = request.header(JSON_LENGTH);
    const jsonLength = header === undefined ? body.length : readJsonLength(header, body.length);
    if (header !== undefined && jsonLength === 0) {
      request.infer = { ...EVERYTHING, version, binary: true };
      return rawInput(this.#serving.inputs, body);
    }
    // In front of binary tensors there are few numbers: the general parser is faster.
    const message = decodeBody(body.subarray(0, jsonLength), undefined, header === undefined ? 'tensors' : 'json', true);
    if (!isRecord(message) || !Array.isArray(message['inputs']))
      throw misfit('the request', 'an object with the array "inputs"', show(message));
    request.infer = { ...readRequest(message), version };
    return readInputs(message['inputs'], body.subarray(jsonLength));
  }

  encode({ infer = EVERYTHING }: WorkerRequest, result: unknown): Encoded {
    const { modelName, nonFinite, answerLimitBytes } = this.#serving;
    const bytes: Uint8Array[] = [];
    const outputs = outputsOf(result, infer, answerLimitBytes).map(({ name, tensor, binary }) => {
      const head = { name, datatype: oipDatatypes[tensor.type], shape: tensor.dims };
      if (!binary) return { ...head, data: jsonData(tensor) };
      const content = toBytes(tensor);
      bytes.push(content);
      return { ...head, parameters: { binary_data_size: content.length } };
    });
    const json = encodeJson({ model_name: modelName, model_version: infer.version, id: infer.id, outputs }, nonFinite, answerLimitBytes);
    if (bytes.length === 0) return { headers: undefined, parts: [json] };
    // Spaces, so that a client can view the first tensor where it lies.
    const length = Buffer.byteLength(json);
    const padding = (8 - (length % 8)) % 8;
    return {
      headers: [
        ['content-type', 'application/octet-stream'],
        [JSON_LENGTH, String(length + padding)],
      ],
      parts: [json + ' '.repeat(padding), ...bytes],
    };
  }

  failure(message: string): string {
    return jsonText({ error: message });
  }
}

/** Bytes of JSON in front of the tensors. */
function readJsonLength(header: string, bodyLength: number): number {
  const length = /^\d{1,15}$/.test(header) ? Number(header) : Infinity;
  if (length > bodyLength)
    throw misfit('Inference-Header-Content-Length', `a whole number from 0 to ${bodyLength}, the length of the body`, header);
  return length;
}

function readRequest({ id, parameters, outputs }: Members): Omit<InferRequest, 'version'> {
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
    if (parameters[extension] !== undefined)
      throw misfit(`output ${name}`, `no parameter "${extension}" (this server does not have that extension)`, show(parameters[extension]));
  return { name, binary: flag(parameters, 'binary_data') };
}

/** @param binary the bytes behind the JSON */
function readInputs(list: readonly unknown[], binary: Buffer): Record<string, Tensor> {
  const inputs = new Inputs();
  let at = 0;
  for (const [index, input] of list.entries()) {
    if (!isRecord(input)) throw misfit(`inputs[${index}]`, 'an object', show(input));
    const spec = inputSpec(index, input['name'], input['datatype'], plainList(input['shape']));
    const size = parametersOf(input, `input ${spec.name}`)['binary_data_size'];
    if (size === undefined) {
      inputs.add(spec, fromJson(spec, input['data']));
      continue;
    }
    const left = binary.length - at;
    if (input['data'] !== undefined) throw misfit(`input ${spec.name}`, 'either "data" or the parameter "binary_data_size"', 'both');
    if (!Number.isSafeInteger(size) || Number(size) < 0 || Number(size) > left)
      throw misfit(`input ${spec.name}`, `a binary_data_size from 0 to the ${left} bytes that are left of the body`, show(size));
    inputs.add(spec, fromBytes(spec.name, spec.type, spec.dims, binary.subarray(at, at + Number(size))));
    at += Number(size);
  }
  if (at !== binary.length) throw misfit('the body', `${at} bytes of binary tensors behind the JSON`, String(binary.length));
  return inputs.tensors;
}

/** Data may be flat, or nested as the shape says. */
function fromJson(spec: InputSpec, data: unknown): TensorData {
  const { name, type, dims } = spec;
  if (data === undefined) throw misfit(`input ${name}`, '"data", or the parameter "binary_data_size"', 'neither');
  if (!(data instanceof JsonNumbers)) return toTensor(spec, { type, dims, data: data as TensorData }).data;
  if (data.dims.length > 1 && String(data.dims) !== String(dims))
    throw misfit(`input ${name}`, `data nested as the shape [${dims.join(',')}] says, or flat`, `[${data.dims.join(',')}]`);
  return toTensor(spec, { type, dims, data: data.data }).data;
}

/** Flat data whose JSON form needs no dtype beside it. */
function jsonData({ type, data }: Tensor): unknown {
  if (type === 'bool') return Array.from(data as Uint8Array, Boolean);
  return type === 'float16' ? float16Numbers(data as Uint16Array) : data;
}

/** A list of numbers as an array; anything else as it is. */
const plainList = (value: unknown): unknown => (value instanceof JsonNumbers && value.dims.length === 1 ? Array.from(value.data) : value);

const isRecord = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumbers);

function parametersOf({ parameters }: Members, where: string): Members {
  if (parameters === undefined) return {};
  if (!isRecord(parameters)) throw misfit(`parameters of ${where}`, 'an object', show(parameters));
  return parameters;
}

function flag(parameters: Members, name: string): boolean | undefined {
  const value = parameters[name];
  if (value !== undefined && typeof value !== 'boolean') throw misfit(`parameter ${name}`, 'true or false', show(value));
  return value;
}
