import type { Tensor } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { checkModel } from '../model-name.ts';
import { oipDatatypes } from '../oip-datatypes.ts';
import { blockField, blockHead, contentOf, type Field, fieldsOf, packVarints, readVarints } from '../protobuf.ts';
import type { Codec, Encoded, Serving } from './codec.ts';
import { outputsOf } from './infer-outputs.ts';
import { type InferRequest, Inputs, inputSpec, misfit, wantedOutputs } from './infer-request.ts';
import type { WorkerRequest } from './request-context.ts';
import { readContents, writeContents } from './tensor-contents.ts';
import { fromBytes, toBytes } from './tensor-bytes.ts';

/** Field numbers: reference/open-inference-protocol.md, section 5. */
const REQUEST = { modelName: 1, modelVersion: 2, id: 3, input: 5, output: 6, raw: 7 };
const RESPONSE = { modelName: 1, modelVersion: 2, id: 3, output: 5, raw: 6 };
const TENSOR = { name: 1, datatype: 2, shape: 3, contents: 5 };

const EVERYTHING: InferRequest = { id: undefined, version: undefined, outputs: undefined, binary: true };

/** The Open Inference Protocol's ModelInfer: protobuf messages, tensors raw or typed. */
export class OpenInferenceGrpcCodec implements Codec {
  readonly #serving: Serving;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  decode(request: WorkerRequest, body: Buffer): Record<string, Tensor> {
    try {
      return this.#read(request, body);
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      throw new ServerError('invalid_input', `the message is no ModelInferRequest: ${thrown.message}`, { cause: thrown });
    }
  }

  #read(request: WorkerRequest, body: Buffer): Record<string, Tensor> {
    const fields = fieldsOf(body);
    const all = (number: number): Buffer[] => fields.filter((field) => field.number === number).map(contentOf);
    const version = stringOf(fields, REQUEST.modelVersion) || undefined;
    checkModel(this.#serving.modelName, stringOf(fields, REQUEST.modelName), version);
    const raw = all(REQUEST.raw);
    const outputs = all(REQUEST.output).map((output) => ({ name: stringOf(fieldsOf(output), TENSOR.name), binary: undefined }));
    request.infer = {
      id: stringOf(fields, REQUEST.id) || undefined,
      version,
      outputs: wantedOutputs(outputs),
      binary: raw.length > 0,
    };
    return readInputs(all(REQUEST.input), raw);
  }

  /** Numbers are not copied: heads stand between them. */
  encode({ infer = EVERYTHING }: WorkerRequest, result: unknown): Encoded {
    const outputs = outputsOf(result, infer, this.#serving.answerLimitBytes);
    // Raw is all or nothing, and FP16 has no other form.
    const raw = infer.binary || outputs.some(({ tensor }) => tensor.type === 'float16');
    const parts: Uint8Array[] = [blockField(RESPONSE.modelName, this.#serving.modelName)];
    if (infer.version !== undefined) parts.push(blockField(RESPONSE.modelVersion, infer.version));
    if (infer.id !== undefined) parts.push(blockField(RESPONSE.id, infer.id));
    for (const { name, tensor } of outputs) {
      const head = Buffer.concat([
        blockField(TENSOR.name, name),
        blockField(TENSOR.datatype, oipDatatypes[tensor.type]),
        blockField(TENSOR.shape, packVarints(tensor.dims)),
      ]);
      const contents = raw ? [] : writeContents(TENSOR.contents, tensor);
      parts.push(blockHead(RESPONSE.output, lengthOf([head, ...contents])), head, ...contents);
    }
    for (const { tensor } of raw ? outputs : []) {
      const bytes = toBytes(tensor);
      parts.push(blockHead(RESPONSE.raw, bytes.length), bytes);
    }
    return { headers: [['content-type', 'application/grpc']], parts };
  }

  /** gRPC has a place of its own for the text of an error. */
  failure(message: string): string {
    return message;
  }
}

function readInputs(messages: readonly Buffer[], raw: readonly Buffer[]): Record<string, Tensor> {
  if (raw.length > 0 && raw.length !== messages.length)
    throw misfit('raw_input_contents', `one entry for each of the ${messages.length} inputs, or none`, String(raw.length));
  const inputs = new Inputs();
  for (const [index, message] of messages.entries()) {
    const fields = fieldsOf(message);
    const shape = fields.filter(({ number }) => number === TENSOR.shape).flatMap(signedNumbers);
    const spec = inputSpec(index, stringOf(fields, TENSOR.name), stringOf(fields, TENSOR.datatype), shape);
    const contents = fields.filter(({ number }) => number === TENSOR.contents).flatMap((field) => fieldsOf(contentOf(field)));
    const bytes = raw[index];
    if (bytes !== undefined && contents.length > 0) throw misfit(`input ${spec.name}`, 'either raw_input_contents or contents', 'both');
    inputs.add(spec, bytes === undefined ? readContents(spec, contents) : fromBytes(spec.name, spec.type, spec.dims, bytes));
  }
  return inputs.tensors;
}

/** The last string under a number, as protobuf has it; empty where there is none. */
const stringOf = (fields: readonly Field[], number: number): string => {
  const found = fields.findLast((field) => field.number === number);
  return found === undefined ? '' : contentOf(found).toString();
};

/** Sizes beyond 2^53 are refused by whoever reads them. */
function signedNumbers(field: Field): number[] {
  const numbers: number[] = [];
  readVarints(contentOf(field), (low, high) => numbers.push((high | 0) * 2 ** 32 + low));
  return numbers;
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);
