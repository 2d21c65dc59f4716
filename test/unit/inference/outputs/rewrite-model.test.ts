import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { OnnxGraph } from '../../../../server/inference/outputs/onnx-graph.ts';
import { rewriteModel, withGraph } from '../../../../server/inference/outputs/rewrite-model.ts';
import { openSession } from '../../../../server/inference/session.ts';
import type { OpenedModel } from '../../../../server/inference/model.ts';
import { fieldsOf } from '../../../../server/tensors/protobuf.ts';
import { GraphBuilder } from '../../../models/graph-builder.ts';
import { modelBytes } from '../../../models/models.ts';
import { attribute, mapsValue, sequenceValue, type Shape, value } from '../../../models/onnx.ts';
import { folder } from '../../../set-up/folder.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';
const models = folder();

interface Options {
  readonly outputs?: readonly Buffer[];
  readonly opset?: number;
  readonly x?: Shape;
}

/** Opens a model of x [N,3] and what a test builds. By default it has the output `parts`. */
function open(
  name: string,
  build: (builder: GraphBuilder) => void,
  { outputs, opset = 17, x = ['N', 3] }: Options = {},
): Promise<OpenedModel> {
  const builder = new GraphBuilder(name);
  build(builder);
  const file = path.join(models, `${name}.onnx`);
  const ports = { inputs: [value('x', 'float32', x)], outputs: outputs ?? [parts()] };
  writeFileSync(file, builder.build(ports, { opset, opsets: { 'ai.onnx.ml': 1 } }));
  return openSession(file, { intraOpThreads: 1 });
}

const parts = (name = 'parts', dims: Shape = ['N', 3]): Buffer => sequenceValue(name, 'float32', dims);
const unknown = parts('parts', ['', '']);
const minus = (b: GraphBuilder): string => b.node('Neg', ['x']);
const both = (b: GraphBuilder, output = 'parts'): void => b.nodeOf('SequenceConstruct', ['x', minus(b)], [output]);

/** The answer to the one row [1,2,3]. */
const answer = async (model: OpenedModel): Promise<unknown> =>
  Object.entries(await model.run({ x: [[1, 2, 3]] })).map(([name, { dims, data }]) => [name, dims, Array.from<unknown>(data)]);

const stacked = [['parts', [1, 2, 3], [1, 2, 3, -1, -2, -3]]];

describe('a sequence of tensors of one shape is one tensor', () => {
  const carried: Readonly<Record<string, readonly [build: (b: GraphBuilder) => void, options?: Options]>> = {
    'of an operator set whose Unsqueeze has an attribute': [both, { opset: 12 }],
    'of an operator set whose Unsqueeze has an input': [both, { opset: 13 }],
    'of today': [both, { opset: 21 }],
    'whose shape follows from its elements': [both, { outputs: [unknown] }],
    'behind Identity': [
      (b) => {
        both(b, 'inner');
        b.node('Identity', ['inner'], { output: 'parts' });
      },
    ],
    'made by insertion': [
      (b) => {
        const first = b.node('SequenceInsert', [b.node('SequenceEmpty', []), 'x']);
        b.node('SequenceInsert', [first, minus(b)], { output: 'parts' });
      },
    ],
    'made by construction and insertion': [
      (b) => b.node('SequenceInsert', [b.node('SequenceConstruct', ['x']), minus(b)], { output: 'parts' }),
    ],
    'that another node uses, too': [
      (b) => {
        both(b);
        b.node('SequenceLength', ['parts'], { output: 'unused' });
      },
    ],
    'behind operators that keep the shape': [
      (b) => {
        const same = b.node('Identity', [b.node('Cast', ['x'], { attributes: [attribute.int('to', 1)] })]);
        b.nodeOf('SequenceConstruct', [same, minus(b)], ['parts']);
      },
      { outputs: [unknown] },
    ],
  };
  for (const [name, [build, options]] of Object.entries(carried)) {
    it(name, async () => {
      const model = await open(name.replaceAll(/\W+/g, '-'), build, options);
      assert.deepEqual(model.outputs, [{ name: 'parts', type: 'float32', dims: ['N', 2, 3] }]);
      assert.deepEqual([await answer(model), model.about.omittedOutputs], [stacked, []]);
    });
  }

  it('with the row axis first also where the elements have no other', async () => {
    const model = await open('rank-1', (b) => both(b), { x: ['N'], outputs: [parts('parts', ['N'])] });
    const { parts: found } = await model.run({ x: [1, 2] });
    assert.deepEqual([found?.dims, found?.data], [[2, 2], Float32Array.of(1, -1, 2, -2)]);
  });

  it('beside outputs that are none', async () => {
    const model = await open(
      'beside',
      (b) => {
        both(b);
        b.node('Identity', ['x'], { output: 'y' });
      },
      { outputs: [value('y', 'float32', ['N', 3]), parts()] },
    );
    assert.deepEqual(await answer(model), [['y', [1, 3], [1, 2, 3]], ...stacked]);
  });
});

describe('an output that cannot be carried is left out, and its reason is known', () => {
  const y = value('y', 'float32', ['N', 3]);
  const omitted: Readonly<Record<string, readonly [reason: RegExp, build: (b: GraphBuilder) => void, output?: Buffer]>> = {
    'a sequence of different shapes': [
      /^a sequence of tensors of different shapes$/,
      (b) => b.nodeOf('SequenceConstruct', ['x', 'more'], ['parts']),
      unknown,
    ],
    'a sequence of unknown shapes': [
      /^a sequence of tensors whose shapes the graph does not fix$/,
      (b) => b.nodeOf('SequenceConstruct', [b.node('NonZero', ['x'])], ['parts']),
      sequenceValue('parts', 'int64', ['', '']),
    ],
    'a sequence that a run splits': [
      /^a sequence whose number of tensors the graph does not fix$/,
      (b) => b.node('SplitToSequence', ['x'], { output: 'parts' }),
    ],
    'an empty sequence': [/^a sequence whose number of tensors/, (b) => b.node('SequenceEmpty', [], { output: 'parts' })],
    'a sequence with an insertion at a place': [
      /^a sequence whose number of tensors/,
      (b) =>
        b.node('SequenceInsert', [b.node('SequenceConstruct', ['x']), minus(b), b.constant('at', 'int64', [], BigInt64Array.of(0n))], {
          output: 'parts',
        }),
    ],
    'a sequence of scalars': [
      /^a sequence of scalars$/,
      (b) => b.nodeOf('SequenceConstruct', [b.filled('one', [], 1)], ['parts']),
      parts('parts', []),
    ],
  };
  for (const [name, [reason, build, output = parts()]] of Object.entries(omitted)) {
    it(name, async () => {
      const builder = new GraphBuilder('omitted');
      builder.node('Identity', ['x'], { output: 'y' });
      build(builder);
      const file = path.join(models, `${name.replaceAll(' ', '-')}.onnx`);
      const inputs = [value('x', 'float32', ['N', 3]), ...(name.includes('different') ? [value('more', 'float32', ['N', 4])] : [])];
      writeFileSync(file, builder.build({ inputs, outputs: [y, output] }));
      const model = await openSession(file, { intraOpThreads: 1 });
      assert.deepEqual(
        model.outputs.map((each) => each.name),
        ['y'],
      );
      const [only, ...others] = model.about.omittedOutputs;
      assert.deepEqual([only?.name, others], ['parts', []]);
      assert.match(only?.reason ?? '', reason);
    });
  }
});

describe('names that JavaScript objects have, too', () => {
  const odd = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'isPrototypeOf'];
  for (const name of odd) {
    it(`${name} is an output, alone and beside others`, async () => {
      const outputs = [value(name, 'float32', ['N', 3]), value('y', 'float32', ['N', 3])];
      const model = await open(
        `out-${name}`,
        (b) => {
          b.node('Neg', ['x'], { output: name });
          b.node('Identity', ['x'], { output: 'y' });
        },
        { outputs },
      );
      for (const wanted of [[name], ['y'], ['y', name], [name, 'y']]) {
        const found = await model.run({ x: [[1, 2, 3]] }, wanted);
        assert.deepEqual(Object.keys(found), wanted);
        for (const each of wanted) assert.equal(found[each]?.data[0], each === name ? -1 : 1);
      }
      await model.release();
    });

    it(`${name} is an input`, async () => {
      const builder = new GraphBuilder(`in-${name}`);
      builder.node('Neg', [name], { output: 'y' });
      const file = path.join(models, `in-${name}.onnx`);
      writeFileSync(file, builder.build({ inputs: [value(name, 'float32', ['N'])], outputs: [value('y', 'float32', ['N'])] }));
      const model = await openSession(file, { intraOpThreads: 1 });
      assert.deepEqual((await model.run(Object.fromEntries([[name, [2]]]))).y?.data, Float32Array.of(-2));
      await assert.rejects(model.run({}), { code: 'invalid_input' });
    });
  }

  it('name sequences and ZipMaps', async () => {
    const labels = [attribute.strings('classlabels_strings', ['a', 'b', 'c'])];
    const model = await open(
      'odd-kinds',
      (b) => {
        both(b, '__proto__');
        b.node('ZipMap', ['x'], { attributes: labels, output: 'constructor', domain: 'ai.onnx.ml' });
      },
      { outputs: [parts('__proto__'), mapsValue('constructor', 'string')] },
    );
    const found = await model.run({ x: [[1, 2, 3]] });
    assert.deepEqual(Object.keys(found), ['__proto__', 'constructor']);
    assert.deepEqual(found['constructor']?.data, Float32Array.of(1, 2, 3));
    assert.deepEqual(found['__proto__']?.dims, [1, 2, 3]);
  });
});

describe('the rewritten model', () => {
  /** The fields of a model, those of its graph one by one. */
  const fields = (model: Buffer): string[] =>
    fieldsOf(model)
      .flatMap((field) => (field.number === 7 && Buffer.isBuffer(field.value) ? fieldsOf(field.value) : [field]))
      .map(({ raw }) => raw.toString('latin1'));

  /** The fields of a model that another lacks, by a word in them. */
  const onlyIn = (model: Buffer, other: Buffer): (string | undefined)[] => {
    const known = new Set(fields(other));
    const fresh = fields(model).filter((part) => !known.has(part));
    return fresh.map((part) => ['ZipMap', 'Identity', 'probabilities'].find((word) => part.includes(word)));
  };

  it('is none where every output can be carried', () => {
    assert.equal(rewriteModel(new OnnxGraph(modelBytes('ridge'))).graph, undefined);
  });

  it('differs from the file in nodes and outputs only', () => {
    const before = modelBytes('zipmap');
    const graph = new OnnxGraph(before);
    const rewritten = rewriteModel(graph).graph;
    assert.ok(rewritten);
    const after = withGraph(graph, rewritten);
    assert.deepEqual(onlyIn(before, after), ['ZipMap', 'probabilities']);
    assert.deepEqual(onlyIn(after, before), ['probabilities', 'Identity']);
  });

  it('has a tensor for each of two ZipMaps on the same scores', async () => {
    const labels = [attribute.ints('classlabels_int64s', [0, 1, 2])];
    const model = await open(
      'two-zipmaps',
      (b) => {
        for (const output of ['p', 'q']) b.node('ZipMap', ['x'], { attributes: labels, output, domain: 'ai.onnx.ml' });
      },
      { outputs: [mapsValue('p', 'int64'), mapsValue('q', 'int64')] },
    );
    assert.deepEqual(
      model.outputs.map(({ dims, classLabels }) => [dims, classLabels]),
      Array.from({ length: 2 }, () => [
        ['N', 3],
        [0, 1, 2],
      ]),
    );
    assert.deepEqual(await answer(model), [
      ['p', [1, 3], [1, 2, 3]],
      ['q', [1, 3], [1, 2, 3]],
    ]);
  });

  it('names the error in bytes that are no protobuf', () => {
    assert.throws(() => fieldsOf(Buffer.from([0x0b])), /^RangeError: expected wire type 0, 1, 2 or 5, got 3$/);
    assert.throws(() => fieldsOf(Buffer.from([0x0a, 5, 1])), /^RangeError: expected 5 bytes at 2, got 1$/);
    assert.throws(() => fieldsOf(Buffer.from([0x80])), RangeError);
  });
});
