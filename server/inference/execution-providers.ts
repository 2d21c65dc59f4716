import type { Provider } from '../config/execution-provider.ts';

/** An execution provider as this room uses it. */
interface ProviderTraits {
  /**
   * Providers for ONNX Runtime, the preferred one first. Its CPU provider always follows and runs
   * the remaining nodes.
   */
  readonly requested: readonly Provider[];
  /** Name in ONNX Runtime's profile. */
  readonly nameInProfile: string;
  /**
   * False for the CPU, which always works. A device may be missing, lack kernels for a model, or
   * fail for good, and it gains from batches however long a row takes.
   */
  readonly isDevice: boolean;
}

/** Traits by provider. */
export const providers: Readonly<Record<Provider, ProviderTraits>> = {
  cpu: { requested: ['cpu'], nameInProfile: 'CPUExecutionProvider', isDevice: false },
  cuda: { requested: ['cuda'], nameInProfile: 'CUDAExecutionProvider', isDevice: true },
  tensorrt: { requested: ['tensorrt', 'cuda'], nameInProfile: 'TensorrtExecutionProvider', isDevice: true },
};

export const isProvider = (value: unknown): value is Provider => typeof value === 'string' && Object.hasOwn(providers, value);
