import type { BytesTensor, Tensor } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { checkModel } from '../../request/model-name.ts';
import { dtypes } from '../../tensors/dtypes.ts';
import { blockField, blockHead, FieldReader, packVarints, readVarints } from '../../tensors/protobuf.ts';
import { answerParts, type Parameters } from './answer-parts.ts';
import type { BodyChoices, Codec, Encoded, Serving } from './codec.ts';
import { initialMetadata } from './grpc-metadata.ts';
import { readEntries, writeEntries } from './grpc-parameters.ts';
import { failureText } from './encode-result.ts';
import { outputsOf } from './infer-outputs.ts';
import {
  type InferRequest,
  Inputs,
  type InputSpec,
  type InputTensors,
  inputSpec,
  misfit,
  NO_PARAMETERS,
  requestParameters,
  wantedOutputs,
} from '../../tensors/infer-request.ts';
import type { WorkerRequest } from '../request-context.ts';
import { readByteContents, readContents, writeContents } from '../../tensors/tensor-contents.ts';
import { byteElements, fromBytes, toBytes } from '../../tensors/tensor-bytes.ts';

/** Field numbers of the Open Inference Protocol's messages. */
const REQUEST = { modelName: 1, modelVersion: 2, id: 3, parameters: 4, input: 5, output: 6, raw: 7 };
const RESPONSE = { modelName: 1, modelVersion: 2, id: 3, parameters: 4, output: 5, raw: 6 };
const TENSOR = { name: 1, datatype: 2, shape: 3, parameters: 4, contents: 5 };
const WANTED = { name: 1, parameters: 2 };

/** The texts of a request. */
const TEXTS: ReadonlySet<number> = new Set([REQUEST.modelName, REQUEST.modelVersion, REQUEST.id]);

/**
 * Most fields of a request, and of a tensor outside its contents: far above the need of any model,
 * and little memory.
 */
const MOST_FIELDS = 16_384;
const LONGEST_NAME = 4096;
/** Most sizes that are read: more than any shape has. `inputSpec` checks them. */
const MOST_SIZES = 1024;

const EVERYTHING: InferRequest = { id: undefined, version: undefined, outputs: undefined, binary: true, parameters: NO_PARAMETERS };

/** The Open Inference Protocol's ModelInfer: protobuf messages, tensors raw or typed. */
export class OpenInferenceGrpcCodec implements Codec {
  readonly #serving: Serving;
  readonly #asBytes: boolean;

  /** @param choices of the script; absent: BYTES become strings */
  constructor(serving: Serving, choices?: Pick<BodyChoices, 'bytesInputs'>) {
    this.#serving = serving;
    this.#asBytes = choices?.bytesInputs === true;
  }

  decode(request: WorkerRequest, body: Buffer): InputTensors {
    try {
      return this.#read(request, body);
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      throw new ServerError('invalid_input', `the message is no ModelInferRequest: ${thrown.message}`, { cause: thrown });
    }
  }

  #read(request: WorkerRequest, body: Buffer): InputTensors {
    const texts = new Map<number, string>();
    const parts = new Map<number, Buffer[]>([REQUEST.parameters, REQUEST.input, REQUEST.output, REQUEST.raw].map((number) => [number, []]));
    const reader = new FieldReader(body, MOST_FIELDS);
    while (reader.next()) {
      if (TEXTS.has(reader.number)) texts.set(reader.number, stringOf(reader));
      else parts.get(reader.number)?.push(reader.content);
    }
    const partsOf = (number: number): readonly Buffer[] => parts.get(number) ?? [];
    const version = texts.get(REQUEST.modelVersion) || undefined;
    checkModel(this.#serving.modelName, texts.get(REQUEST.modelName) ?? '', version);
    const raw = partsOf(REQUEST.raw);
    const heads = partsOf(REQUEST.input).map(readHead);
    const outputs = partsOf(REQUEST.output).map(readWanted);
    request.infer = {
      id: texts.get(REQUEST.id) || undefined,
      version,
      outputs: wantedOutputs(outputs.map(({ name }) => ({ name, binary: undefined }))),
      binary: raw.length > 0,
      parameters: requestParameters(readEntries(partsOf(REQUEST.parameters), 'the request', stringOf), heads, outputs),
    };
    return readInputs(heads, raw, this.#asBytes);
  }

  /** Returns many parts, so that numbers are not copied. */
  encode({ infer = EVERYTHING }: WorkerRequest, result: unknown): Encoded {
    const { headers, parameters, ...answer } = answerParts(result);
    const outputs = outputsOf(answer, infer, this.#serving.answerLimitBytes);
    // All outputs are raw or none, and some dtypes have no typed contents.
    const raw = infer.binary || outputs.some(({ tensor }) => dtypes[tensor.type].contentsField === undefined);
    const parts: Uint8Array[] = [blockField(RESPONSE.modelName, this.#serving.modelName)];
    if (infer.version !== undefined) parts.push(blockField(RESPONSE.modelVersion, infer.version));
    if (infer.id !== undefined) parts.push(blockField(RESPONSE.id, infer.id));
    if (parameters !== undefined) parts.push(writeEntries(RESPONSE.parameters, parameters));
    for (const { name, tensor, parameters: own } of outputs) {
      const head = Buffer.concat([
        blockField(TENSOR.name, name),
        blockField(TENSOR.datatype, dtypes[tensor.type].datatype),
        blockField(TENSOR.shape, packVarints(tensor.dims)),
        writeEntries(TENSOR.parameters, own),
      ]);
      const contents = raw ? [] : writeContents(TENSOR.contents, tensor);
      parts.push(blockHead(RESPONSE.output, lengthOf([head, ...contents])), head, ...contents);
    }
    for (const { tensor } of raw ? outputs : []) {
      const bytes = toBytes(tensor);
      parts.push(blockHead(RESPONSE.raw, bytes.length), bytes);
    }
    return { headers: [['content-type', 'application/grpc'], ...initialMetadata(headers)], parts };
  }

  /** gRPC sends the text of an error in its status message: of an object its JSON. */
  failure(answer: string | object): string {
    return typeof answer === 'string' ? answer : failureText(answer, this.#serving);
  }
}

function readInputs(heads: readonly Head[], raw: readonly Buffer[], asBytes: boolean): InputTensors {
  if (raw.length > 0 && raw.length !== heads.length)
    throw misfit('raw_input_contents', `one entry for each of the ${heads.length} inputs, or none`, String(raw.length));
  const inputs = new Inputs();
  for (const [index, { name, datatype, shape, contents }] of heads.entries()) {
    const spec = inputSpec(index, name, datatype, shape);
    const bytes = raw[index];
    if (bytes !== undefined && contents.some(({ length }) => length > 0))
      throw misfit(`input ${spec.name}`, 'either raw_input_contents or contents', 'both');
    inputs.add(spec.name, asBytes && spec.type === 'string' ? bytesTensorOf(spec, bytes, contents) : tensorOf(spec, bytes, contents));
  }
  return inputs.tensors;
}

function tensorOf({ name, type, dims }: InputSpec, raw: Buffer | undefined, contents: readonly Buffer[]): Tensor {
  return { type, dims, data: raw === undefined ? readContents({ name, type, dims }, contents) : fromBytes(name, type, dims, raw) };
}

function bytesTensorOf({ name, type, dims }: InputSpec, raw: Buffer | undefined, contents: readonly Buffer[]): BytesTensor {
  const data = raw === undefined ? readByteContents({ name, type, dims }, contents) : byteElements(name, dims, raw);
  return { type: 'bytes', dims, data };
}

/** An InferInputTensor. */
interface Head {
  name: string;
  datatype: string;
  readonly shape: number[];
  /** Several, because protobuf allows a message to come in parts. */
  readonly contents: Buffer[];
  readonly parameters: Parameters | undefined;
}

function readHead(message: Buffer): Head {
  const head: Omit<Head, 'parameters'> = { name: '', datatype: '', shape: [], contents: [] };
  const entries: Buffer[] = [];
  const reader = new FieldReader(message, MOST_FIELDS);
  while (reader.next()) {
    if (reader.number === TENSOR.name) head.name = stringOf(reader);
    else if (reader.number === TENSOR.datatype) head.datatype = stringOf(reader);
    else if (reader.number === TENSOR.parameters) entries.push(reader.content);
    else if (reader.number === TENSOR.contents) head.contents.push(reader.content);
    else if (reader.number === TENSOR.shape) readShape(reader.content, head.shape);
  }
  return { ...head, parameters: readEntries(entries, `input ${head.name}`, stringOf) };
}

/** An InferRequestedOutputTensor. */
function readWanted(message: Buffer): Pick<Head, 'name' | 'parameters'> {
  const entries: Buffer[] = [];
  let name = '';
  const reader = new FieldReader(message, MOST_FIELDS);
  while (reader.next()) {
    if (reader.number === WANTED.name) name = stringOf(reader);
    else if (reader.number === WANTED.parameters) entries.push(reader.content);
  }
  return { name, parameters: readEntries(entries, `output ${name}`, stringOf) };
}

/** A string of the client, bounded because errors and logs repeat it. */
function stringOf({ content }: FieldReader): string {
  if (content.length > LONGEST_NAME)
    throw new RangeError(`expected names, ids and datatypes of at most ${LONGEST_NAME} bytes, got one of ${content.length}`);
  return content.toString();
}

/** Sizes beyond 2^53 come out inexact: `inputSpec` refuses them. */
function readShape(bytes: Buffer, shape: number[]): void {
  readVarints(bytes, (low, high) => {
    if (shape.length === MOST_SIZES) throw new RangeError(`expected a shape of fewer than ${MOST_SIZES} sizes`);
    shape.push((high | 0) * 2 ** 32 + low);
  });
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);
