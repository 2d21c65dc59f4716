import type { Provider } from '../config/execution-provider.ts';

/** What ONNX Runtime is asked for, the preferred one first. Its CPU provider is always there, for what the others leave. */
export const executionProviders = (provider: Provider): readonly Provider[] =>
  provider === 'tensorrt' ? ['tensorrt', 'cuda'] : [provider];

/** Names in ONNX Runtime's own profile. */
export const nameInProfile: Readonly<Record<Provider, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
};
