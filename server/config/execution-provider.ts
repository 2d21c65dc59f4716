import { withoutKeys } from '../guards/addresses.ts';
import type { Parser } from './option-values.ts';

/** ONNX Runtime's own names in Node. */
const PROVIDERS = ['cpu', 'cuda', 'tensorrt'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** How a worker opens models: docs/gpu.md. */
export interface Execution {
  readonly provider: Provider;
  /**
   * True: a model without any node on the provider is refused. False: the CPU serves it, with a
   * warning.
   */
  readonly strict: boolean;
}

/** Providers that ONNX Runtime for Node has on other machines, with the reason for the refusal. */
const refused: Readonly<Record<string, string>> = {
  webgpu: 'ONNX Runtime for Node has WebGPU for desktops: it needs a Vulkan driver, and this server does not offer it',
  dml: 'DirectML is for Windows, and this server does not offer it',
  coreml: 'CoreML is for macOS, and this server does not offer it',
};

/**
 * Reads the name of an execution provider, or `auto`.
 * @throws Error that names a provider which ONNX Runtime for Node lacks (fpga, openvino, rocm, ...)
 */
export const executionProvider: Parser<Provider | 'auto'> = (value) => {
  const word = value
    .trim()
    .toLowerCase()
    .replace(/(?:execution)?provider$/, '');
  const known = [...PROVIDERS, 'auto' as const].find((name) => name === word);
  if (known !== undefined) return known;
  const why = Object.hasOwn(refused, word)
    ? refused[word]
    : `ONNX Runtime for Node has no execution provider ${JSON.stringify(withoutKeys(word))}`;
  throw new Error(`${why}; expected one of ${[...PROVIDERS, 'auto'].join(', ')}`);
};
