import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gpuDevices, hasGpu, pinnedToGpu } from '../../../server/system/gpu-devices.ts';

function machine(t: TestContext, ...files: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

const DRIVER = ['dev/nvidiactl', 'dev/nvidia-uvm', 'proc/driver/nvidia/version'];

test('device nodes are counted, and numbered from 0 as CUDA numbers them, whatever their names', (t) => {
  assert.deepEqual(gpuDevices({}, machine(t, ...DRIVER, 'dev/nvidia0', 'dev/nvidia1')), { visible: ['0', '1'], missing: [] });
  assert.deepEqual(gpuDevices({}, machine(t, ...DRIVER, 'dev/nvidia3', 'dev/nvidia10', 'dev/nvidia-modeset')), {
    visible: ['0', '1'],
    missing: [],
  });
});

test('CUDA_VISIBLE_DEVICES says which of them are seen, up to the first invalid entry', (t) => {
  const root = machine(t, ...DRIVER, 'dev/nvidia0', 'dev/nvidia1', 'dev/nvidia2');
  const seen = (list: string): readonly string[] => gpuDevices({ CUDA_VISIBLE_DEVICES: list }, root).visible;
  assert.deepEqual(seen('2, 0'), ['2', '0']);
  assert.deepEqual(seen('GPU-8f5b,MIG-1a2b'), ['GPU-8f5b', 'MIG-1a2b']);
  assert.deepEqual(seen('1,-1,2'), ['1']);
  for (const hidden of ['', '-1', 'none']) {
    const { visible, missing } = gpuDevices({ CUDA_VISIBLE_DEVICES: hidden }, root);
    assert.deepEqual(visible, []);
    assert.match(missing.join('\n'), /^GPU device: CUDA_VISIBLE_DEVICES=".*" hides every device/);
  }
});

test('without a driver that is what is missing, and a variable that hides devices is named', (t) => {
  const { visible, missing } = gpuDevices({ NVIDIA_VISIBLE_DEVICES: 'void' }, machine(t));
  assert.deepEqual(visible, []);
  assert.equal(missing.length, 1);
  assert.match(missing[0]!, /^NVIDIA driver: .*\/dev\/nvidiactl.*docker run --gpus all \(NVIDIA_VISIBLE_DEVICES is "void"\)/);
});

test('a driver without a device says so', (t) => {
  assert.match(gpuDevices({}, machine(t, ...DRIVER)).missing.join('\n'), /^GPU device: the NVIDIA driver is there, but no device node/);
});

test('Windows Subsystem for Linux has one node for its devices', (t) => {
  assert.deepEqual(gpuDevices({}, machine(t, 'dev/dxg')), { visible: ['0'], missing: [] });
});

test('a pinned process sees its device as 0, numbered as nvidia-smi does unless the operator chose otherwise', () => {
  assert.deepEqual(pinnedToGpu({ A: '1' }, '2'), { A: '1', CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: '2' });
  assert.deepEqual(pinnedToGpu({ CUDA_DEVICE_ORDER: 'FASTEST_FIRST' }, '0'), {
    CUDA_DEVICE_ORDER: 'FASTEST_FIRST',
    CUDA_VISIBLE_DEVICES: '0',
  });
  assert.deepEqual(pinnedToGpu({ CUDA_VISIBLE_DEVICES: '3,1' }, '1'), { CUDA_VISIBLE_DEVICES: '1' });
  assert.deepEqual(pinnedToGpu({ A: '1' }, undefined), { A: '1' });
});

test('there is a GPU only with its driver and its device, unless it is hidden', (t) => {
  assert.equal(hasGpu({}, machine(t)), false);
  assert.equal(hasGpu({}, machine(t, ...DRIVER)), false);
  assert.equal(hasGpu({ CUDA_VISIBLE_DEVICES: '0' }, machine(t)), false);
  assert.equal(hasGpu({}, machine(t, ...DRIVER, 'dev/nvidia0')), true);
  assert.equal(hasGpu({ CUDA_VISIBLE_DEVICES: '' }, machine(t, ...DRIVER, 'dev/nvidia0')), false);
  assert.equal(hasGpu({}, machine(t, 'dev/dxg')), true);
});
