import type { Provider } from '../config/execution-provider.ts';
import { providers } from './execution-providers.ts';
import { ortText } from './refusals.ts';
import { loadRuntime } from './runtime.ts';

/** An ONNX model of one node that every provider can run: `y = MatMul(x, x)`, float32 [2,2]. */
const MODEL = Buffer.from(
  'CAgSDnNjb3Jpbmctc2VydmVyOk4KGwoBeAoBeBIBeRoIeS9NYXRNdWwiBk1hdE11bBIFY2hlY2taEwoBeBIOCgwIARIICgIIAgoCCAJiEwoBeRIOCgwIARIICgIIAgoCCAJCBAoAEBE=',
  'base64',
);

/**
 * Checks whether this process can use a provider: runs a model of one node there and nowhere else.
 * @returns undefined if it can, else the text of ONNX Runtime's error. ONNX Runtime writes errors
 * of the library loader to stderr
 */
export async function checkProvider(provider: Provider): Promise<string | undefined> {
  const { InferenceSession, Tensor } = await loadRuntime();
  // ONNX Runtime refuses this option for the CPU provider itself.
  const nowhereElse = providers[provider].isDevice ? { 'session.disable_cpu_ep_fallback': '1' } : {};
  try {
    const session = await InferenceSession.create(MODEL, { executionProviders: [provider], intraOpNumThreads: 1, extra: nowhereElse });
    try {
      const { y } = await session.run({ x: new Tensor('float32', [1, 2, 3, 4], [2, 2]) });
      const got = Array.from<unknown>(y?.data ?? []);
      return got.join() === '7,10,15,22' ? undefined : `a product of matrices came out as [${got.join()}], expected [7,10,15,22]`;
    } finally {
      await session.release();
    }
  } catch (thrown) {
    return ortText(thrown);
  }
}
