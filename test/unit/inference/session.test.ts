import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { Dtype, TensorInput } from '../../../server/entry-script.ts';
import { type ErrorCode, ServerError } from '../../../server/errors.ts';
import { float16Bits } from '../../../server/tensors/float16.ts';
import type { OpenedModel } from '../../../server/inference/model.ts';
import { openSession } from '../../../server/inference/session.ts';
import { modelBytes, type ModelName, writeModel } from '../../models/models.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';
const folder = mkdtempSync(path.join(tmpdir(), 'session-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'weights.bin'), Float32Array.of(2));

const open = (name: ModelName): Promise<OpenedModel> => openSession(writeModel(name, folder), { intraOpThreads: 1 });

const failure = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ServerError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  assert.ok(!error.message.includes('\n'));
  return true;
};

describe('a model that loads', () => {
  it('reports its inputs and outputs, and how it runs', async () => {
    const model = await open('multi');
    assert.equal(model.name, 'multi');
    assert.equal(model.path, path.join(folder, 'multi.onnx'));
    assert.deepEqual(model.inputs, [
      { name: 'x', type: 'float32', dims: ['N', 3] },
      { name: 'ids', type: 'int64', dims: ['N', 3] },
    ]);
    assert.deepEqual(
      model.outputs.map(({ name, type }) => `${name} ${type}`),
      ['sum float32', 'gt bool', 'mean float32'],
    );
    const { loadSeconds, batching: _, ...about } = model.about;
    assert.deepEqual(about, { provider: 'cpu', placement: undefined, intraOpThreads: 1, ortVersion: '1.30.0', omittedOutputs: [] });
    assert.ok(loadSeconds > 0);
  });

  it('is found by a relative path', async () => {
    const model = await openSession(path.relative(process.cwd(), writeModel('ridge', folder)), { intraOpThreads: 1 });
    assert.equal(model.path, path.join(folder, 'ridge.onnx'));
  });

  it('may lie under a path that is not ASCII, with its data beside it', async () => {
    const odd = path.join(folder, 'ż 大 김');
    mkdirSync(odd);
    renameSync(writeModel('external', folder), path.join(odd, 'model ż.onnx'));
    writeFileSync(path.join(odd, 'weights.bin'), Float32Array.of(3));
    const model = await openSession(path.join(odd, 'model ż.onnx'), { intraOpThreads: 1 });
    assert.deepEqual((await model.run({ x: [[1, 2, 3]] })).y?.data, Float32Array.of(3, 6, 9));
  });

  it('leaves out outputs that are no tensors', async () => {
    const model = await open('split_sequence');
    assert.deepEqual(model.about.omittedOutputs, [{ name: 'parts', reason: 'a sequence whose number of tensors the graph does not fix' }]);
    assert.deepEqual(Object.keys(await model.run({ x: [[1, 2, 3]] })), ['y']);
    await assert.rejects(
      model.run({ x: [[1, 2, 3]] }, ['parts']),
      failure('invalid_input', /no output parts \(it is a sequence whose number of tensors the graph does not fix\); the outputs are y\.$/),
    );
  });

  it('gives the probabilities behind a ZipMap', async () => {
    const model = await open('zipmap');
    assert.deepEqual(model.about.omittedOutputs, []);
    assert.deepEqual(model.outputs[1], { name: 'probabilities', type: 'float32', dims: ['N', 3], classLabels: [0, 1, 2] });
    const { label, probabilities } = await model.run({ x: [[0, 0, 0]] });
    assert.deepEqual(label?.data, BigInt64Array.of(0n));
    assert.deepEqual(probabilities?.data, new Float32Array(3).fill(Math.fround(1 / 3)));
  });

  it('gives them also when its weights lie in another file', async () => {
    const model = await open('zipmap_external');
    assert.deepEqual((await model.run({ x: [[1, 2, 3]] })).probabilities?.data, Float32Array.of(2, 4, 6));
  });
});

describe('a model that cannot be served is refused', () => {
  const refused: [ModelName, RegExp][] = [
    ['unknown_operator', /cannot be loaded: This is an invalid model\. .*No Op registered for Foo .* Export it with operators that/],
    ['future_opset', /cannot be loaded: ONNX Runtime only .*Opset 314159 is under development.* Export it for an older operator set/],
    ['bfloat16_output', /cannot be loaded: Unsupported data type: bfloat16\. Cast its inputs and outputs/],
    ['float8_output', /cannot be loaded: Unsupported data type: float8e4m3fn\. Cast/],
    ['int4_output', /cannot be served: output y has a 4-bit dtype.* Cast it to int8/],
    ['uint4_output', /cannot be served: output y has a 4-bit dtype/],
    ['int4_input', /cannot be served: input x has the dtype int4/],
    ['sequence_input', /cannot be served: input parts is a sequence, map or optional.* Export it with tensor inputs\.$/],
    ['only_split_sequence', /cannot be served: no output is a tensor or can become one: parts is a sequence whose number of tensors/],
  ];
  for (const [name, message] of refused) {
    it(`when it is ${name}`, async () => {
      await assert.rejects(open(name), failure('model_refused', message));
      await assert.rejects(open(name), failure('model_refused', new RegExp(`^model ${folder}/${name}\\.onnx cannot be (loaded|served): `)));
    });
  }

  it('when it is damaged, cut short, empty, or lacks its data', async () => {
    const damaged: [string, Uint8Array, RegExp][] = [
      ['text.onnx', Buffer.from('some text that is no model'), /Protobuf parsing failed\. The file is damaged or no ONNX model/],
      ['cut.onnx', modelBytes('gbdt').subarray(0, 1000), /Protobuf parsing failed/],
      [
        'dataless.onnx',
        modelBytes('external').toString('latin1').replace('weights.bin', 'missing.bin') as unknown as Uint8Array,
        /missing\.bin/,
      ],
    ];
    for (const [name, bytes, message] of damaged) {
      const file = path.join(folder, name);
      writeFileSync(file, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      await assert.rejects(openSession(file, { intraOpThreads: 1 }), failure('model_refused', message));
    }
  });

  /** A file entry of a ZIP archive, as far as its head shows it. */
  const zip = (name: string): Buffer => {
    const head = Buffer.from('PK\x03\x04'.padEnd(30, '\0'), 'latin1');
    head.writeUInt16LE(name.length, 26);
    return Buffer.concat([head, Buffer.from(name), Buffer.from('content')]);
  };
  const tar = Buffer.alloc(1024);
  tar.write('model.onnx');
  tar.write('ustar', 257);
  const safetensors = '{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const other: [kind: string, bytes: Buffer, words: RegExp][] = [
    ['nothing', Buffer.alloc(0), /an empty file, .* Copy it again/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n'),
      /a Git LFS pointer.*git lfs pull/,
    ],
    ['an HTML page', Buffer.from('\n<!DOCTYPE html>\n<html><title>Log in</title>'), /an HTML page.*Download the model again/],
    ['an XML error', Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /an XML text.*Download/],
    ['a JSON error', Buffer.from('{"error": "not found"}'), /a JSON text.*Download/],
    ['an HTML page with a byte-order mark', Buffer.from('\ufeff<!doctype html>'), /an HTML page/],
    ['a pickle', Buffer.from('\x80\x04\x95\x10\x00\x00', 'latin1'), /a Python pickle.*skl2onnx/],
    ['an old PyTorch file', Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1'), /a PyTorch file.*torch\.onnx\.export/],
    ['a PyTorch file', zip('model/data.pkl'), /a PyTorch file.*torch\.onnx\.export/],
    ['a Keras file', zip('metadata.json'), /a Keras file.*tf2onnx/],
    ['a ZIP archive', zip('model.onnx'), /a ZIP archive.*Unpack/],
    ['a gzip file', gzipSync('x'), /a gzip file.*Unpack/],
    ['a zstd file', Buffer.from('\x28\xb5\x2f\xfd\x00', 'latin1'), /a compressed file.*Unpack/],
    ['a tar archive', tar, /a tar archive.*Unpack/],
    ['an HDF5 file', Buffer.from('\x89HDF\r\n\x1a\n\0', 'latin1'), /an HDF5 file.*tf2onnx/],
    ['a TFLite model', Buffer.from('\x1c\0\0\0TFL3\x14', 'latin1'), /a TFLite model.*tf2onnx/],
    ['a model in ORT format', Buffer.from('\x1c\0\0\0ORTM\x14', 'latin1'), /a model in ORT format.*ONNX model from which/],
    ['a GGUF model', Buffer.from('GGUF\x03\0'), /a GGUF model/],
    [
      'a safetensors file',
      Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(safetensors.length)).buffer), Buffer.from(safetensors)]),
      /a safetensors file.*weights without a graph/,
    ],
  ];
  const named: [name: string, bytes: Buffer][] = [
    ['of the first protocol.pkl', Buffer.from('(lp0\nF0.5\na.')],
    ['compressed by joblib.joblib', deflateSync('x')],
    ['in gzip.PICKLE', gzipSync('x')],
  ];
  for (const [name, bytes] of named) {
    it(`and called a pickle by its name: ${name}`, async () => {
      const file = path.join(folder, name);
      writeFileSync(file, bytes);
      await assert.rejects(openSession(file, { intraOpThreads: 1 }), failure('model_refused', /a Python pickle.*skl2onnx.*score\.py/));
    });
  }
  for (const [kind, bytes, words] of other) {
    it(`and called what it is: ${kind}`, async () => {
      const file = path.join(folder, 'renamed.onnx');
      writeFileSync(file, bytes);
      await assert.rejects(openSession(file, { intraOpThreads: 1 }), (error) => {
        assert.match((error as Error).message, /renamed\.onnx cannot be loaded: it is .*, no ONNX model\. /);
        return failure('model_refused', words)(error);
      });
    });
  }

  it('when it is not there', async () => {
    await assert.rejects(
      openSession(path.join(folder, 'nope.onnx'), { intraOpThreads: 1 }),
      failure('model_missing', /nope\.onnx: expected a file, found nothing/),
    );
    await assert.rejects(openSession(folder, { intraOpThreads: 1 }), failure('model_missing', /got a folder/));
    await assert.rejects(openSession('/dev/null', { intraOpThreads: 1 }), failure('model_missing', /got a pipe, socket or device/));
  });
});

describe('a run', () => {
  it('answers every output by name', async () => {
    const result = await (await open('multi')).run({ x: [[1, 2, 3]], ids: [[0, 2, 4]] });
    assert.deepEqual(result, {
      sum: { type: 'float32', dims: [1, 3], data: Float32Array.of(1, 4, 7) },
      gt: { type: 'bool', dims: [1, 3], data: Uint8Array.of(1, 0, 0) },
      mean: { type: 'float32', dims: [1], data: Float32Array.of(2) },
    });
  });

  it('answers the wanted outputs only', async () => {
    const model = await open('multi');
    const inputs = { x: [[1, 2, 3]], ids: [[0, 2, 4]] };
    assert.deepEqual(Object.keys(await model.run(inputs, ['mean', 'sum'])), ['mean', 'sum']);
    assert.deepEqual(Object.keys(await model.run(inputs, [])), ['sum', 'gt', 'mean']);
    await assert.rejects(
      model.run(inputs, ['men']),
      failure('invalid_input', /^model multi has no output men; the outputs are sum, gt, mean\.$/),
    );
  });

  it('refuses names that the model does not have, and missing ones', async () => {
    const model = await open('multi');
    await assert.rejects(
      model.run({ x: [[1, 2, 3]] }),
      failure('invalid_input', /^model multi: input ids is missing; the inputs are x, ids\.$/),
    );
    await assert.rejects(
      model.run({ x: [[1, 2, 3]], ids: [[1, 2, 3]], y: 1 }),
      failure('invalid_input', /^model multi has no input y; the inputs are x, ids\.$/),
    );
    await assert.rejects(model.run({ toString: 1 }), failure('invalid_input', /no input toString/));
  });

  it('refuses an initializer that is fed, because the binding would ignore it', async () => {
    const model = await open('overridable');
    assert.deepEqual((await model.run({ x: [[1, 2, 3]] })).y?.data, Float32Array.of(2, 4, 6));
    await assert.rejects(model.run({ x: [[1, 2, 3]], w: [5] }), failure('invalid_input', /has no input w; the inputs are x\.$/));
  });

  it('takes tensors of any name', async () => {
    const model = await open('strange_names');
    const result = await model.run(JSON.parse('{"__proto__": [1, 2], "foo/bar": [3, 4]}') as Record<string, TensorInput>);
    assert.deepEqual(result['input:0']?.data, Float32Array.of(4, 6));
    await assert.rejects(model.run({ 'foo/bar': [3, 4] }), failure('invalid_input', /input __proto__ is missing/));
  });

  it('takes scalars and tensors of unknown rank', async () => {
    const { scalar_out: scalar, any_out: any } = await (await open('ranks')).run({ scalar: 1.5, any: [[1], [2]] });
    assert.deepEqual(scalar, { type: 'float32', dims: [], data: Float32Array.of(1.5) });
    assert.deepEqual(any?.dims, [2, 1]);
  });

  it('takes no rows', async () => {
    const { variable } = await (await open('ridge')).run({ X: [] });
    assert.deepEqual(variable, { type: 'float32', dims: [0, 1], data: new Float32Array(0) });
  });

  it('names the model when ONNX Runtime fails', async () => {
    const model = await open('alloc');
    await assert.rejects(model.run({ shape: [-1] }), (error) => {
      assert.ok(error instanceof ServerError && error.cause instanceof Error);
      return failure('model_failed', /^model alloc failed: .*ConstantOfShape.* Tensor shape.Size\(\) must be >= 0$/)(error);
    });
  });

  it('refuses to run after release, and release may be called twice', async () => {
    const model = await open('ridge');
    await model.release();
    await model.release();
    await assert.rejects(model.run({ X: [] }), failure('run_failed', /^model ridge: run\(\) was called after release\(\)\.$/));
  });

  it('may be one of many at a time', async () => {
    const model = await open('diabetes');
    const results = await Promise.all(Array.from({ length: 8 }, () => model.run({ X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] })));
    for (const { variable } of results) assert.ok(Math.abs(Number(variable?.data[0]) - 11633.100167144921) < 1e-9);
  });
});

describe('elements come back as they were sent', () => {
  const elements: Partial<Record<Dtype, fc.Arbitrary<TensorInput>>> = {
    float32: fc.float32Array(),
    float64: fc.float64Array(),
    float16: fc.uint16Array().map((bits) => float16Bits(Float16Array.from(bits))),
    int32: fc.int32Array(),
    int64: fc.bigInt64Array(),
    uint8: fc.uint8Array(),
    bool: fc.array(fc.constantFrom(0, 1)).map((bits) => Uint8Array.from(bits)),
    string: fc.array(fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.includes('\0'))),
  };
  for (const [type, arbitrary] of Object.entries(elements)) {
    it(`as ${type}`, async () => {
      const model = await open(`echo_${type}` as ModelName);
      await fc.assert(
        fc.asyncProperty(arbitrary, async (data) => {
          const tensor = { type, dims: [1, (data as ArrayLike<unknown>).length], data } as TensorInput;
          assert.deepEqual((await model.run({ x: tensor })).y, tensor);
        }),
        { numRuns: 25 },
      );
    });
  }
});
