import { ServerError } from '../errors.ts';
import { ortText } from './refusals.ts';

/** Sentences of ONNX Runtime 1.30 about the inputs themselves, before any node runs. */
const ofChecks: readonly RegExp[] = [/^Got invalid dimensions for input: /, /^Invalid rank for input: /];

/**
 * Sentences of ONNX Runtime 1.30 that blame values or sizes of what a node gets. Why by the text:
 * its errors have no code. What is not listed, and what a new version words otherwise, is the
 * model's fault.
 */
const ofNodes: readonly RegExp[] = [
  // Indices out of a table's range.
  /indices element out of data bounds, idx=-?\d+ must be within the inclusive range \[/,
  /(?:^|: )invalid index found, index = -?\d+$/,
  /GatherElements op: Out of range value in index tensor/,
  /index is out of range: Y\[\d+\] \(-?\d+\) must be in \[/,
  /^input index out of range$/,
  // Sizes that do not go together.
  /Attempting to broadcast an axis by a dimension other than 1\. \d+ by \d+/,
  /MatMul dimension mismatch/,
  /^GEMM: Dimension mismatch, W: /,
  /Non concat axis dimensions must match: Axis \d+ has mismatched dimensions of \d+ and \d+/,
  /^Input channels C is not equal to kernel channels \* group\./,
  /^Einsum operands could not be broadcast together\./,
  /must have the same batch size\. Input \d+ batch size: \d+/,
  /requests feature \d+ but input tensor has \d+ features/,
  // No rows.
  /^Invalid Y argument: num_indices = 0$/,
  // Images that are smaller than a kernel or window.
  /^Invalid input shape: \{[\d,]+\}$/,
  /Calculated output dimension is negative\./,
  // Texts that are no numbers, and categories without a column.
  /^sto(?:f|d|l|ll|ull|ul|i)$/,
  /^Unknown Category and zeros = 0\.$/,
];

/** Head of a sentence of a node. */
const NODE = /^Non-zero status code returned while running (\S+) node\. Name:'.*?' Status Message: (.*)$/;

/**
 * The failure of an inference. `input_refused` quotes ONNX Runtime's sentence about the input,
 * `model_failed` is everything else.
 * @param model its name
 * @param thrown error of ONNX Runtime
 */
export function runRefusal(model: string, thrown: unknown): ServerError {
  const text = ortText(thrown);
  const [, operator, sentence = text] = NODE.exec(text) ?? [];
  if ((operator === undefined ? ofChecks : ofNodes).some((pattern) => pattern.test(sentence))) {
    const by = operator === undefined ? '' : ` (operator ${operator})`;
    return new ServerError('input_refused', `model ${model}: ONNX Runtime refused the input${by}: ${sentence}`, { cause: thrown });
  }
  return new ServerError('model_failed', `model ${model} failed: ${text}`, { cause: thrown });
}
