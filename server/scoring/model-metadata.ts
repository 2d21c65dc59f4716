import packageJson from '../../package.json' with { type: 'json' };
import type { TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { MODEL_VERSION } from '../request/model-name.ts';
import { dtypes } from '../tensors/dtypes.ts';
import type { Served, ServedModel } from './scorer-types.ts';

/** The server's metadata for clients of the Open Inference Protocol. */
export const serverMetadata = { name: packageJson.name, version: packageJson.version, extensions: ['binary_tensor_data'] } as const;

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1: each request chooses the size. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * Metadata of the served model. A script has no inputs and outputs here, because only it knows
 * them, and the models behind it are not served.
 * @throws ServerError not_ready
 */
export function modelMetadata(name: string, served: Served | undefined): ModelMetadata {
  if (served === undefined) throw new ServerError('not_ready', 'The server is not ready: its workers have not finished their start yet.');
  const [model] = served.noCode ? served.models : [];
  const versions = [MODEL_VERSION];
  if (model === undefined) return { name, versions, platform: `${packageJson.name}_script`, inputs: [], outputs: [] };
  return {
    name,
    versions,
    platform: 'onnx_onnxv1',
    inputs: model.inputs.map(tensorMetadata),
    outputs: model.outputs.map(tensorMetadata),
    properties: propertiesOf(model),
  };
}

/** Texts by name, as the protocol has them; lists are JSON. */
function propertiesOf({ provider, batching, outputs, omittedOutputs = [] }: ServedModel): Readonly<Record<string, string>> {
  const labels = outputs.filter(({ classLabels }) => classLabels !== undefined).map(({ name, classLabels }) => [name, classLabels]);
  return {
    execution_provider: provider,
    batching: `${batching.merges ? 'merged' : 'not merged'}: ${batching.reason}`,
    ...(batching.node !== undefined && { batching_node: batching.node }),
    ...(labels.length > 0 && { class_labels: JSON.stringify(Object.fromEntries(labels)) }),
    ...(omittedOutputs.length > 0 && { omitted_outputs: JSON.stringify(omittedOutputs.map(({ name }) => name)) }),
  };
}

function tensorMetadata({ name, type, dims }: TensorSpec): TensorMetadata {
  return { name, datatype: dtypes[type].datatype, shape: dims.map((dim) => (typeof dim === 'number' ? dim : -1)) };
}
