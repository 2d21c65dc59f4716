import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import type { InferenceSession } from 'onnxruntime-node';
import { Profile, providerInUse, readPlacement } from '../../../server/inference/placement.ts';
import { checkProvider } from '../../../server/inference/provider-check.ts';
import { openSession } from '../../../server/inference/session.ts';
import { ServerError } from '../../../server/errors.ts';
import { loadRuntime } from '../../../server/inference/runtime.ts';
import { SessionModel } from '../../../server/inference/model.ts';
import { ServableSession } from '../../../server/inference/servable-session.ts';
import { writeModel } from '../../models/models.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const event = (name: string, provider: string, operator: string, cat = 'Node'): unknown => ({
  cat,
  name,
  args: { provider, op_name: operator },
});

test('nodes are counted by the provider that ran them, once each; copies and other events are not', () => {
  const profile = [
    event('load', '', '', 'Session'),
    event('a_kernel_time', 'CUDAExecutionProvider', 'MatMul'),
    event('a_kernel_time', 'CUDAExecutionProvider', 'MatMul'),
    event('b_kernel_time', 'CUDAExecutionProvider', 'Add'),
    event('copy', 'CUDAExecutionProvider', 'MemcpyToHost'),
    event('s_kernel_time', 'CPUExecutionProvider', 'Shape'),
    event('g_kernel_time', 'CPUExecutionProvider', 'Gather'),
    event('g2_kernel_time', 'CPUExecutionProvider', 'Gather'),
  ];
  const text = JSON.stringify(profile);
  assert.deepEqual(readPlacement(text, 'cuda'), { onProvider: 2, elsewhere: 3, operators: ['Shape', 'Gather'] });
  assert.deepEqual(readPlacement(text, 'tensorrt'), { onProvider: 0, elsewhere: 5, operators: ['MatMul', 'Add', 'Shape', 'Gather'] });
});

test('a profile that is cut short or has no node gives no placement', () => {
  assert.equal(readPlacement('[{"cat": "No', 'cuda'), undefined);
  assert.equal(readPlacement('[]', 'cuda'), undefined);
  assert.equal(readPlacement(JSON.stringify([event('load', '', '', 'Session')]), 'cuda'), undefined);
});

test('a model without a node on the provider is refused, or with auto reported as on the CPU', () => {
  const all = { onProvider: 0, elsewhere: 2, operators: ['TreeEnsembleRegressor', 'Cast'] };
  assert.throws(
    () => providerInUse('/m/trees.onnx', { provider: 'cuda', strict: true }, all),
    (thrown) => {
      assert.ok(thrown instanceof ServerError && thrown.code === 'provider_unavailable');
      assert.match(thrown.message, /trees\.onnx: none of its 2 nodes runs on cuda, .* TreeEnsembleRegressor, Cast\./);
      return true;
    },
  );
  assert.equal(providerInUse('/m/trees.onnx', { provider: 'cuda', strict: false }, all), 'cpu');
  for (const strict of [true, false]) {
    assert.equal(providerInUse('/m/net.onnx', { provider: 'cuda', strict }, { ...all, onProvider: 1 }), 'cuda');
    assert.equal(providerInUse('/m/net.onnx', { provider: 'cuda', strict }, undefined), 'cuda');
  }
});

test("ONNX Runtime's own profile is read, and leaves no file behind", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'placement-'));
  const { InferenceSession, Tensor } = await loadRuntime();
  const profile = await Profile.begin();
  assert.ok(profile !== undefined);
  const prefix = profile.options.profileFilePrefix ?? '';
  try {
    // As where a model with ZipMap is loaded a second time without it.
    await (await InferenceSession.create(writeModel('multi', folder), profile.options)).release();
    const session = await InferenceSession.create(writeModel('ridge', folder), profile.options);
    await session.run({ X: new Tensor('float32', new Float32Array(10), [1, 10]) });
    const placement = await profile.end(session, 'cpu');
    assert.ok(placement !== undefined && placement.onProvider > 0 && placement.elsewhere === 0, JSON.stringify(placement));
    await session.release();
    assert.equal(readdirSync(path.dirname(prefix)).length, 2);
  } finally {
    await profile.remove();
    rmSync(folder, { recursive: true });
  }
  assert.equal(existsSync(path.dirname(prefix)), false);
});

test('the model that providers are tried with gives the right product on the CPU', async () => {
  assert.equal(await checkProvider('cpu'), undefined);
});

test('after a failed run a provider that no longer works is reported, one that works is not', async (t) => {
  if ((await checkProvider('tensorrt')) === undefined) return t.skip('TensorRT works here');
  const runtime = await loadRuntime();
  const session = {
    inputMetadata: [],
    outputMetadata: [{ name: 'y', isTensor: true, type: 'float32', shape: [1] }],
    run: () => Promise.reject(new Error('CUDA failure 700: an illegal memory access was encountered')),
  } as unknown as InferenceSession;
  const told: string[] = [];
  const about = { placement: undefined, intraOpThreads: 1, ortVersion: '', loadSeconds: 0, omittedOutputs: [] };
  for (const provider of ['cpu', 'tensorrt'] as const) {
    const model = new SessionModel(runtime, new ServableSession(session), '/m/net.onnx', { ...about, provider }, (problem) =>
      told.push(`${provider}: ${problem}`),
    );
    await assert.rejects(model.run({}), { code: 'model_failed' });
  }
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^tensorrt: the execution provider tensorrt no longer works in this process: .*Failed to load/);
});

test('a model that asks for a provider which cannot be used is refused as that, not as a bad model, and leaves no file behind', async (t) => {
  if ((await checkProvider('tensorrt')) === undefined) return t.skip('TensorRT works here');
  const folder = mkdtempSync(path.join(tmpdir(), 'placement-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const profiles = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('ort-profile-'));
  const before = profiles();
  await assert.rejects(
    openSession(writeModel('ridge', folder), { intraOpThreads: 1, execution: { provider: 'tensorrt', strict: true } }),
    (thrown) => {
      assert.ok(thrown instanceof ServerError);
      assert.equal(thrown.code, 'provider_unavailable');
      assert.match(thrown.message, /tensorrt cannot be used in this worker: .*Failed to load shared library/);
      return true;
    },
  );
  assert.deepEqual(profiles(), before);
});
