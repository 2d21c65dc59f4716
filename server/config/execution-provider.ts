import type { Parser } from './option-values.ts';

/** What can run models here, by ONNX Runtime's names in Node. */
const PROVIDERS = ['cpu', 'cuda', 'tensorrt'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** How a worker opens models. */
export interface Execution {
  readonly provider: Provider;
  /** Refuse a model of which nothing runs on the provider; else say so, and serve it from the CPU. */
  readonly strict: boolean;
}

/** What somebody may ask for by name and cannot have, and why (reference/onnxruntime-node.md, section 5). */
const refused: Readonly<Record<string, string>> = {
  webgpu: 'ONNX Runtime for Node has it for browsers and desktops: it needs a Vulkan driver, and is not offered by this server',
  dml: 'DirectML is for Windows, and not offered by this server',
  coreml: 'CoreML is for macOS, and not offered by this server',
};

/**
 * Reads the name of an execution provider, or `auto`.
 * @throws Error that refuses what ONNX Runtime for Node does not have (fpga, openvino, rocm, ...) by its name
 */
export const executionProvider: Parser<Provider | 'auto'> = (value) => {
  const word = value
    .trim()
    .toLowerCase()
    .replace(/(?:execution)?provider$/, '');
  const known = [...PROVIDERS, 'auto' as const].find((name) => name === word);
  if (known !== undefined) return known;
  const why = Object.hasOwn(refused, word) ? refused[word] : `ONNX Runtime for Node has no execution provider ${JSON.stringify(word)}`;
  throw new Error(`${why}; expected one of ${[...PROVIDERS, 'auto'].join(', ')}`);
};
