import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { describeThrown, ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { Dtype } from '../tensors/dtypes.ts';
import type { OmittedOutput } from '../ipc/worker-messages.ts';
import { fileKind } from './file-kind.ts';

/**
 * Advice for the operator by the text of a load error, because ONNX Runtime's errors have no code.
 */
const advice: readonly (readonly [RegExp, string])[] = [
  [/Protobuf parsing failed|does not have a graph/, 'The file is damaged or no ONNX model: export or copy it again.'],
  [/is not a registered function\/op|No Op registered/, 'Export it with operators that ONNX Runtime has, without custom ones.'],
  [/Opset \d+ is under development/, 'Export it for an older operator set (opset_version, target_opset).'],
  [/Could not find an implementation/, 'Export it with dtypes or an operator set that ONNX Runtime implements for this operator.'],
  [/Unsupported data type/, 'Cast its inputs and outputs to a dtype such as float32 or int64 when exporting it.'],
  [/locale/, 'Install the locale en_US.UTF-8: text operators need it.'],
  [/SystemError : 13\b/, "A file of its external data may not be read: allow it with chmod a+r, or run the server as the file's owner."],
  [/escapes model directory/, 'Put the file itself there: a link out of the folder is read only if the model is a link, too.'],
  [/external data/i, 'Put the files of its external data beside it, under their own names.'],
];

/** Names of the element types that the binding reports by number only. */
const unsupported: Readonly<Record<string, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

/** The types of the binding that are no dtype of this server. */
const fourBit: Readonly<Record<Exclude<Tensor.Type, Dtype>, true>> = { int4: true, uint4: true };

/** Most characters of a message, which may quote texts of a client. */
const LONGEST = 2000;

/**
 * The text of ONNX Runtime's error on one line, without places in its source and without the path
 * of the model.
 */
export function ortText(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : describeThrown(thrown);
  return (
    excerpt(text, LONGEST)
      .replace(/^Load model from .* failed:/s, '')
      .replace(/\/onnxruntime_src\/\S+:\d+ [^()]*\([^()]*\)(?: const)?(?:::<lambda\([^()]*\)>)? /, '')
      // The template of a function, and a place without a path.
      .replace(/\[with [^\]]*\] /, '')
      .replace(/(?:\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : )?\b\w+\.(?:h|cc):\d+ \w+ /, '')
      .replace(/Unsupported data type: (\d+)/, (_, number: string) => `Unsupported data type: ${unsupported[number] ?? number}`)
      .replaceAll(/\s+/g, ' ')
      .trim()
  );
}

/** The refusal of a model that ONNX Runtime could not load, with the reason and advice. */
export function loadRefusal(file: string, thrown: unknown): ServerError {
  const kind = fileKind(file);
  if (kind !== undefined)
    return new ServerError('model_refused', `model ${file} cannot be loaded: it is ${kind.what}, no ONNX model. ${kind.remedy}`, {
      cause: thrown,
    });
  const reason = ortText(thrown);
  const remedy = advice.find(([pattern]) => pattern.test(reason))?.[1] ?? 'Check it with onnx.checker and export it again.';
  const stop = /[.!]$/.test(reason) ? '' : '.';
  return new ServerError('model_refused', `model ${file} cannot be loaded: ${reason}${stop} ${remedy}`, { cause: thrown });
}

/**
 * Refuses a model that loads but cannot be served.
 * @param omitted outputs that cannot be carried
 * @throws ServerError model_refused with the reason
 */
export function refuseUnservable(file: string, session: InferenceSession, omitted: readonly OmittedOutput[]): void {
  const refuse = (reason: string): never => {
    throw new ServerError('model_refused', `model ${file} cannot be served: ${reason}`);
  };
  for (const input of session.inputMetadata) {
    if (!input.isTensor) refuse(`input ${input.name} is a sequence, map or optional, which cannot be fed. Export it with tensor inputs.`);
    else if (isFourBit(input))
      refuse(`input ${input.name} has the dtype ${input.type}, which cannot be fed. Cast from int8 inside the model.`);
  }
  for (const output of session.outputMetadata) {
    // Such an output aborts the process at the first run.
    if (isFourBit(output)) refuse(`output ${output.name} has a 4-bit dtype, which cannot be read. Cast it to int8 inside the model.`);
  }
  if (omitted.length === session.outputMetadata.length) {
    const reasons = omitted.map(({ name, reason }) => `${name} is ${reason}`);
    refuse(`no output is a tensor or can become one: ${reasons.join('; ')}. Export it with tensor outputs.`);
  }
}

function isFourBit(value: InferenceSession.ValueMetadata): boolean {
  return value.isTensor && Object.hasOwn(fourBit, value.type);
}
