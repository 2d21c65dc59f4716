import type * as onnxruntime from 'onnxruntime-node';

export type Runtime = typeof onnxruntime;

/**
 * The library, ready for float16. Imported late, so that scripts without a model do not pay for it.
 * ORT_DISABLE_TELEMETRY=1 must be in the environment: it is read when the library loads.
 */
export async function loadRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-node');
  // The first tensor of a process decides the class of float16 data. Where Float16Array exists it would be chosen, and
  // the binding of 1.30 cannot read it: hide it for a moment, and bits in a Uint16Array are taken. Harmless when repeated.
  const Float16 = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    void new runtime.Tensor('float32', [0], [1]);
  } finally {
    if (Float16 !== undefined) Object.defineProperty(globalThis, 'Float16Array', Float16);
  }
  return runtime;
}
