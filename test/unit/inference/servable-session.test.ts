import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { InferenceSession } from 'onnxruntime-node';
import { loadRuntime } from '../../../server/inference/runtime.ts';
import { openSession } from '../../../server/inference/session.ts';
import { servable, ServableSession } from '../../../server/inference/servable-session.ts';
import { modelBytes, writeModel } from '../../models/models.ts';
import { folder } from '../../set-up/folder.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

describe('external data behind links', () => {
  /** Puts the model and its data into a folder under other names. */
  function blobs(root: string): string {
    const at = path.join(root, 'blobs');
    mkdirSync(at);
    writeFileSync(path.join(at, 'a1'), modelBytes('zipmap_external'));
    writeFileSync(path.join(at, 'b2'), Float32Array.of(2));
    return at;
  }

  const layouts: Readonly<Record<string, (root: string) => string>> = {
    'in a cache of blobs': (root) => {
      blobs(root);
      mkdirSync(path.join(root, 'snapshot'));
      symlinkSync('../blobs/a1', path.join(root, 'snapshot', 'm.onnx'));
      symlinkSync('../blobs/b2', path.join(root, 'snapshot', 'weights.bin'));
      return path.join(root, 'snapshot', 'm.onnx');
    },
    'in a cache of blobs, with the model in a subfolder': (root) => {
      blobs(root);
      mkdirSync(path.join(root, 'snapshot', 'onnx'), { recursive: true });
      symlinkSync('../../blobs/a1', path.join(root, 'snapshot', 'onnx', 'm.onnx'));
      symlinkSync('../../blobs/b2', path.join(root, 'snapshot', 'onnx', 'weights.bin'));
      return path.join(root, 'snapshot', 'onnx', 'm.onnx');
    },
    'where only the model is a link': (root) => {
      symlinkSync('blobs/a1', path.join(root, 'm.onnx'));
      copyFileSync(path.join(blobs(root), 'b2'), path.join(root, 'weights.bin'));
      return path.join(root, 'm.onnx');
    },
    'where only the data is a link, to a folder below': (root) => {
      copyFileSync(path.join(blobs(root), 'a1'), path.join(root, 'm.onnx'));
      symlinkSync('blobs/b2', path.join(root, 'weights.bin'));
      return path.join(root, 'm.onnx');
    },
    'in a folder whose name is not ASCII': (root) => {
      blobs(root);
      mkdirSync(path.join(root, 'ż 大'));
      symlinkSync('../blobs/a1', path.join(root, 'ż 大', 'm.onnx'));
      symlinkSync('../blobs/b2', path.join(root, 'ż 大', 'weights.bin'));
      return path.join(root, 'ż 大', 'm.onnx');
    },
  };
  for (const [name, make] of Object.entries(layouts)) {
    it(`is found: ${name}`, async () => {
      const model = await openSession(make(folder()), { intraOpThreads: 1 });
      assert.deepEqual(model.about.omittedOutputs, []);
      assert.deepEqual((await model.run({ x: [[1, 2, 3]] })).probabilities?.data, Float32Array.of(2, 4, 6));
    });
  }

  it('is refused with advice where ONNX Runtime refuses the link', async () => {
    const root = folder();
    blobs(root);
    mkdirSync(path.join(root, 'other'));
    copyFileSync(path.join(root, 'blobs', 'a1'), path.join(root, 'other', 'm.onnx'));
    symlinkSync('../blobs/b2', path.join(root, 'other', 'weights.bin'));
    await assert.rejects(openSession(path.join(root, 'other', 'm.onnx'), { intraOpThreads: 1 }), {
      code: 'model_refused',
      message: /escapes model directory.* Put the file itself there/,
    });
  });
});

describe('a model that cannot be rewritten', () => {
  const session = (released: string[]): InferenceSession =>
    ({
      inputMetadata: [],
      outputMetadata: [
        { name: 'label', isTensor: true, type: 'int64', shape: [1] },
        { name: 'probabilities', isTensor: false },
      ],
      release: () => Promise.resolve(void released.push('first')),
    }) as unknown as InferenceSession;

  it('is served without the output, and the reason is ONNX Runtime’s', async () => {
    const released: string[] = [];
    const runtime = await loadRuntime();
    const failing = {
      ...runtime,
      InferenceSession: { create: () => Promise.reject(new Error('no\n  memory')) },
    } as unknown as typeof runtime;
    const first = session(released);
    const { session: left, facts } = await servable(failing, first, writeModel('zipmap', folder()), {});
    const { outputs, omitted } = new ServableSession(left, facts);
    assert.deepEqual([left, released], [first, []]);
    assert.deepEqual(
      outputs.map(({ name }) => name),
      ['label'],
    );
    const reason = 'nothing that can be carried, and the model with a tensor in its place cannot be loaded: no memory';
    assert.deepEqual(omitted, [{ name: 'probabilities', reason }]);
  });

  it('is served as it is where its graph cannot be read', async () => {
    const file = path.join(folder(), 'odd.onnx');
    writeFileSync(file, 'no protobuf');
    const { session: left, facts } = await servable(await loadRuntime(), session([]), file, {});
    const { omitted } = new ServableSession(left, facts);
    assert.match(omitted[0]?.reason ?? '', /^no tensor, and the model's graph cannot be read: expected /);
  });
});
