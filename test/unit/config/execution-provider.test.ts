import assert from 'node:assert/strict';
import test from 'node:test';
import { executionProvider } from '../../../server/config/execution-provider.ts';

test("names are read in any case, and as ONNX Runtime's own", () => {
  assert.deepEqual(['cpu', 'CUDA', ' auto ', 'TensorrtExecutionProvider', 'CUDAExecutionProvider'].map(executionProvider), [
    'cpu',
    'cuda',
    'auto',
    'tensorrt',
    'cuda',
  ]);
});

test('what ONNX Runtime for Node does not have is refused by its name, with the list of what there is', () => {
  for (const name of ['fpga', 'openvino', 'rocm', 'migraphx', 'qnn', 'gpu', 'constructor'])
    assert.throws(
      () => executionProvider(name),
      new RegExp(`has no execution provider "${name}"; expected one of cpu, cuda, tensorrt, auto$`),
    );
});

test('what it has elsewhere is refused with the reason', () => {
  assert.throws(() => executionProvider('webgpu'), /Vulkan/);
  assert.throws(() => executionProvider('coreml'), /macOS/);
  assert.throws(() => executionProvider('dml'), /Windows/);
});
