import type { Provider } from '../config/execution-provider.ts';
import { ortText } from './refusals.ts';
import { loadRuntime } from './runtime.ts';

/** An ONNX model with one node, `y = MatMul(x, x)`, float32 [2,2]: every provider has it. */
const MODEL = Buffer.from(
  'CAgSDnNjb3Jpbmctc2VydmVyOk4KGwoBeAoBeBIBeRoIeS9NYXRNdWwiBk1hdE11bBIFY2hlY2taEwoBeBIOCgwIARIICgIIAgoCCAJiEwoBeRIOCgwIARIICgIIAgoCCAJCBAoAEBE=',
  'base64',
);

/**
 * Whether this process can run anything on a provider: a model of one node is run there and nowhere else.
 * @returns undefined when it can, else ONNX Runtime's words. What the loader of libraries says goes to stderr, by ONNX Runtime itself
 */
export async function checkProvider(provider: Provider): Promise<string | undefined> {
  const { InferenceSession, Tensor } = await loadRuntime();
  // Refused by ONNX Runtime for the CPU provider itself.
  const nowhereElse = provider === 'cpu' ? {} : { 'session.disable_cpu_ep_fallback': '1' };
  try {
    const session = await InferenceSession.create(MODEL, { executionProviders: [provider], intraOpNumThreads: 1, extra: nowhereElse });
    try {
      const { y } = await session.run({ x: new Tensor('float32', [1, 2, 3, 4], [2, 2]) });
      const got = Array.from((y?.data ?? []) as Float32Array);
      return got.join() === '7,10,15,22' ? undefined : `a product of matrices came out as [${got.join()}], expected [7,10,15,22]`;
    } finally {
      await session.release();
    }
  } catch (thrown) {
    return ortText(thrown);
  }
}
