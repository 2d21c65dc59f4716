import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { chooseProvider, type ProviderCheck, type ProviderChoice } from '../../../server/scoring/provider-choice.ts';
import { explain } from '../../../server/scoring/provider-findings.ts';

interface Case {
  readonly asked: 'cpu' | 'cuda' | 'tensorrt' | 'auto';
  readonly ids?: readonly number[];
  readonly gpus: number;
  readonly env?: Record<string, string>;
  /** Values of CUDA_VISIBLE_DEVICES with which the check fails. */
  readonly broken?: readonly string[];
  readonly counted?: boolean;
}

/** The choice on a made-up machine, and the devices that were tried. */
async function choose(
  t: TestContext,
  { asked, ids = [], gpus, env = {}, broken = [], counted = false }: Case,
): Promise<{ choice: ProviderChoice; tried: string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'dev'));
  if (gpus > 0) writeFileSync(join(root, 'dev/nvidiactl'), '');
  for (let number = 0; number < gpus; number++) writeFileSync(join(root, `dev/nvidia${number}`), '');
  const tried: string[] = [];
  const check: ProviderCheck = async (provider, { CUDA_VISIBLE_DEVICES: device = 'any' }) => {
    tried.push(`${provider} ${device}`);
    const problem = gpus === 0 || broken.includes(device) ? 'CUDA failure 999: unknown error' : undefined;
    return { problem, stderr: '' };
  };
  const signal = new AbortController().signal;
  const choice = await chooseProvider(
    { executionProvider: asked, cudaDeviceIds: ids },
    { env, signal, root, ...(counted ? { counted } : { check }) },
  );
  return { choice, tried };
}

const refusal =
  (...words: RegExp[]) =>
  (thrown: unknown) => {
    assert.ok(thrown instanceof ServerError && thrown.code === 'provider_unavailable' && thrown.failure.exitCode === 4);
    for (const word of words) assert.match(thrown.message, word);
    return true;
  };

test('the CPU is never tried, nor looked for', async (t) =>
  assert.deepEqual(await choose(t, { asked: 'cpu', gpus: 2 }), { choice: { provider: 'cpu', devices: [], problems: [] }, tried: [] }));

test('cuda uses every visible device, or those that are named, each tried as its worker will be', async (t) => {
  const all = await choose(t, { asked: 'cuda', gpus: 2 });
  assert.deepEqual(all, { choice: { provider: 'cuda', devices: ['0', '1'], problems: [] }, tried: ['cuda 0', 'cuda 1'] });
  const one = await choose(t, { asked: 'cuda', gpus: 3, ids: [1], env: { CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b' } });
  assert.deepEqual(one.choice.devices, ['GPU-b']);
  assert.deepEqual((await choose(t, { asked: 'tensorrt', gpus: 1 })).tried, ['tensorrt 0']);
});

test('cuda on device 3 of 1 is refused, and says which there are', (t) =>
  assert.rejects(
    choose(t, { asked: 'cuda', gpus: 1, ids: [3] }),
    refusal(/CUDA_DEVICE_IDS asks for device 3, but only device 0 is visible/),
  ));

test('cuda with one device of two broken is refused, and names it', (t) =>
  assert.rejects(
    choose(t, { asked: 'cuda', gpus: 2, broken: ['1'] }),
    refusal(/device 1: working cuda: ONNX Runtime says: CUDA failure 999/),
  ));

test('cuda without a device is refused: the driver, and what ONNX Runtime says', (t) =>
  assert.rejects(choose(t, { asked: 'cuda', gpus: 0 }), refusal(/EXECUTION_PROVIDER=cuda/, /NVIDIA driver:/, /CUDA failure 999/)));

test('auto takes the devices that work, else the CPU, and keeps why', async (t) => {
  const some = await choose(t, { asked: 'auto', gpus: 2, broken: ['0'] });
  assert.deepEqual([some.choice.provider, some.choice.devices], ['cuda', ['1']]);
  assert.match(some.choice.problems.join('\n'), /^device 0: /);
  const none = await choose(t, { asked: 'auto', gpus: 1, broken: ['0'] });
  assert.deepEqual([none.choice.provider, none.choice.devices], ['cpu', []]);
  assert.match(none.choice.problems.join('\n'), /CUDA failure 999/);
  const absent = await choose(t, { asked: 'auto', gpus: 0 });
  assert.deepEqual([absent.choice.provider, absent.tried], ['cpu', []]);
  assert.match(absent.choice.problems.join('\n'), /NVIDIA driver/);
});

/** As ONNX Runtime 1.30 prints it, colours included. */
const printed = (words: string): string =>
  `\u001b[1;31m2026-01-01 00:00:00.1 [E:onnxruntime:onnxruntime-node, provider_bridge_ort.cc:2146 Create] /onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1988 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : ${words}\n\u001b[m\n`;
const PROBLEM = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';
const CUDA = '/app/bin/libonnxruntime_providers_cuda.so';

test('what the loader says becomes the name of what is missing', () => {
  const found = (words: string): string => explain('cuda', { problem: PROBLEM, stderr: printed(words) }, 'linux/x64').join('\n');
  const absent = (library: string): string =>
    found(`Failed to load library ${CUDA} with error: ${library}: cannot open shared object file: No such file or directory`);
  assert.match(absent('libcudnn.so.9'), /^library libcudnn\.so\.9, which libonnxruntime_providers_cuda\.so needs: install it \(cuDNN 9/);
  assert.match(absent('libcublasLt.so.12'), /^library libcublasLt\.so\.12, .*CUDA 12 runtime/);
  assert.match(absent('libnvinfer.so.10'), /TensorRT 10/);
  assert.match(absent('libcuda.so.1'), /^NVIDIA driver library libcuda\.so\.1/);
  assert.match(absent(CUDA), /^provider library libonnxruntime_providers_cuda\.so: it is not in \/app\/bin\. .*install\.js/);
  assert.match(found(`Failed to load library ${CUDA} with error: ${CUDA}: invalid ELF header`), /the loader says: .*invalid ELF header/);
  assert.match(
    found(`Failed to get symbol GetProvider with error: ${CUDA}: undefined symbol: GetProvider`),
    /^symbol GetProvider in .*_cuda\.so/,
  );
});

test("a library that loads leaves the rest to ONNX Runtime's words, with advice by CUDA's own number", () => {
  const says = (problem: string): string => explain('cuda', { problem, stderr: '' }, 'linux/x64').join('\n');
  assert.match(says('CUDA failure 35: CUDA driver version is insufficient ; GPU=0'), /failure 35.*525\.60\.13/);
  assert.match(says('CUDA failure 100: no CUDA-capable device is detected'), /--gpus all/);
  assert.match(says('CUDA failure 101: invalid device ordinal'), /CUDA_DEVICE_IDS/);
  assert.equal(says('something new'), 'working cuda: ONNX Runtime says: something new');
});

test('on another platform that is all there is to say', () =>
  assert.deepEqual(explain('cuda', { problem: PROBLEM, stderr: '' }, 'linux/arm64'), [
    'platform: ONNX Runtime for Node has cuda for linux/x64 only, this is linux/arm64.',
  ]));

test('for a script in Python devices are counted, and ONNX Runtime for Node is not asked', async (t) => {
  const counted = async (rest: Omit<Case, 'counted'>): Promise<ProviderChoice> => (await choose(t, { ...rest, counted: true })).choice;
  // A check by ONNX Runtime for Node would find no GPU here.
  assert.deepEqual(await counted({ asked: 'cuda', gpus: 2 }), { provider: 'cuda', devices: ['0', '1'], problems: [] });
  assert.deepEqual((await counted({ asked: 'tensorrt', gpus: 2, ids: [1] })).devices, ['1']);
  const without = await counted({ asked: 'auto', gpus: 0, env: { CUDA_VISIBLE_DEVICES: '0' } });
  assert.deepEqual([without.provider, without.devices], ['cpu', []]);
  await assert.rejects(counted({ asked: 'cuda', gpus: 0 }), refusal(/NVIDIA driver: there is neither/));
  await assert.rejects(counted({ asked: 'cuda', gpus: 1, ids: [3] }), refusal(/only device 0 is visible here/));
});
