import type * as onnxruntime from 'onnxruntime-node';

export type Runtime = typeof onnxruntime;

/**
 * Loads the library, ready for float16. Imported late, so that scripts without a model do not pay
 * for it. The library reads ORT_DISABLE_TELEMETRY=1 from the environment as it loads.
 */
export async function loadRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-node');
  // The first tensor of a process fixes the class of float16 data: Float16Array where it exists,
  // which the binding of 1.30 cannot read. While it is hidden the library chooses bits in a
  // Uint16Array. A second call changes nothing.
  const Float16 = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    void new runtime.Tensor('float32', [0], [1]);
  } finally {
    if (Float16 !== undefined) Object.defineProperty(globalThis, 'Float16Array', Float16);
  }
  return runtime;
}
