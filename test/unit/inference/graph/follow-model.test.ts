import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { followModel } from '../../../../server/inference/graph/follow-model.ts';
import { readWithoutWeights } from '../../../../server/inference/graph/onnx-file.ts';
import { tensorOf } from '../../../../server/inference/graph/onnx-tensor.ts';
import { blockField, packVarints, varintField } from '../../../../server/tensors/protobuf.ts';
import { attribute, graph, localFunction, modelOf, node, value, type Versions } from '../../../models/onnx.ts';
import { readModel } from '../../../models/onnx-text.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'follow-model-'));
after(() => rmSync(folder, { recursive: true }));

function fileOf(bytes: Buffer): string {
  const file = path.join(folder, 'model.onnx');
  writeFileSync(file, bytes);
  return file;
}

/** Reads any file as a large one is read. */
const cut = (file: string): Buffer => readWithoutWeights(file, 0);

/** `row-wise`, or `mixed: reason (node)`. */
function verdict(text: string | Buffer, outputs?: readonly string[]): string {
  const file = fileOf(typeof text === 'string' ? readModel(text, { opset: 17 }) : text);
  const { rows, reason, node: name } = followModel(file, outputs, cut);
  assert.equal(followModel(file, outputs).rows === 'row-wise', rows === 'row-wise', 'a file that is read whole gets the same verdict');
  return rows === 'row-wise' ? rows : `${rows}: ${reason}${name === undefined ? '' : ` (${name})`}`;
}

test('the first node that decides is named, with the reason', () => {
  const text = `(float32[N, 3] x) => (float32[N, 3] y) {
    a = Relu(x)
    [big] m = ReduceMax<axes = [0], keepdims = 1>(a)
    y = Div(a, m)
  }`;
  assert.equal(verdict(text), 'mixed: it reduces rows of different calls (ReduceMax "big")');
});

test('a value that mixes rows forbids nothing unless an output depends on it', () => {
  const text = `(float32[N, 3] x) => (float32[N, 3] y, float32[3] m) { m = ReduceMax<axes = [0], keepdims = 0>(x) y = Relu(x) }`;
  assert.match(verdict(text), /^mixed/);
  assert.equal(verdict(text, ['y']), 'row-wise');
});

test('an input without a symbolic first dimension forbids merging', () => {
  assert.equal(verdict('(float32[1, 3] x) => (float32[1, 3] y) { y = Relu(x) }'), 'mixed: input x has no symbolic first dimension');
  assert.equal(verdict('(float32 x) => (float32 y) { y = Relu(x) }'), 'mixed: input x has no symbolic first dimension');
  assert.equal(verdict('(float32[] x) => (float32[] y) { y = Relu(x) }'), 'unknown: input x has no shape');
});

test('an output that holds no row each forbids merging', () => {
  assert.match(verdict('(float32[N, 3] x) => (float32[3, N] y) { y = Transpose<perm = [1, 0]>(x) }'), /^mixed: output y does not hold/);
  assert.match(verdict('(float32[N, 3] x) => (float32[M] y) { [r] y = Flatten<axis = 2>(x) }'), /^mixed: output y does not hold/);
  assert.match(
    verdict('(float32[N, 3] x) => (float32[3] y) <float32[3] c = {1}> { y = Relu(c) }'),
    /^mixed: output y is the same for every row/,
  );
});

test('nodes are followed in any order', () => {
  assert.equal(verdict('(float32[N, 3] x) => (float32[N, 3] y) { y = Relu(b) b = Neg(a) a = Abs(x) }'), 'row-wise');
  assert.match(verdict('(float32[N, 3] x) => (float32[N, 3] y) { y = Add(x, b) b = ReduceSum(a) a = Abs(x) }'), /^mixed: .*ReduceSum/);
  assert.match(verdict('(float32[N, 3] x) => (float32[N, 3] y) { y = Add(x, z) z = Neg(y) }'), /^unknown: an output is not known/);
});

test('a function of the model is followed with its attributes, absent inputs and versions', () => {
  const calls = (attributes: string): string => `(float32[N, 3] x) => (float32[N, 3] y) { y = local.norm<${attributes}>(x) }
    function local.norm<axis>(a, b) => (c) { c = Softmax<axis: int = @axis>(a) }`;
  assert.equal(verdict(calls('axis = 1')), 'row-wise');
  assert.match(verdict(calls('axis = 0')), /^mixed: .*Softmax/);
});

test('an operator without a rule is unknown, also inside a function and a branch', () => {
  assert.match(
    verdict('(float32[N, 3] x) => (float32[N, 3] y) { y = other.Strange(x) }'),
    /^unknown: it has no rule \(other\.Strange "y\/Strange"\)/,
  );
  const inner = `(float32[N, 3] x) => (float32[N, 3] y) <bool t = {1}> {
    y = If<then_branch = () => (a) { a = other.Strange(x) }, else_branch = () => (b) { b = Neg(x) }>(t)
  }`;
  assert.match(verdict(inner), /^unknown: it has no rule \(other\.Strange/);
});

test('a condition and a loop are followed where rows do not decide', () => {
  const conditional = (condition: string): string => `(float32[N, 3] x) => (float32[N, 3] y) <bool t = {1}, float32 one = {1}> {
    ${condition}
    y = If<then_branch = () => (a) { a = Relu(x) }, else_branch = () => (b) { b = Neg(x) }>(c)
  }`;
  assert.equal(verdict(conditional('c = Identity(t)')), 'row-wise');
  assert.match(verdict(conditional('m = ReduceMax<keepdims = 0>(x) c = Greater(m, one)')), /^mixed: .*ReduceMax/);
  const loop = (body: string): string => `(float32[N, 3] x) => (float32[N, 3] y) <int64 n = {4}, bool t = {1}> {
    y = Loop<body = (int64 i, bool c, float32[] s) => (o, z) { o = Identity(c) ${body} }>(n, t, x)
  }`;
  assert.equal(verdict(loop('z = Add(s, x)')), 'row-wise');
  assert.match(verdict(loop('z = Softmax<axis = 0>(s)')), /^mixed: .*Softmax/);
});

test('weights are cut out of a large file, and what is left is followed', () => {
  const text = '(float32[N, 200] x) => (float32[1, 200] y) <float32[200, 200] w = {1}> { h = MatMul(x, w) y = ReduceMax<axes = [0]>(h) }';
  const bytes = readModel(text, { opset: 13 });
  assert.ok(bytes.length > 160_000);
  assert.ok(cut(fileOf(bytes)).length < 1000);
  assert.match(verdict(bytes), /^mixed: .*ReduceMax/);
});

test('a damaged file is unknown, wherever it is cut', () => {
  const whole = readModel('(float32[N, 3] x) => (float32[N, 3] y) <float32[3] w = {1}> { a = Add(x, w) y = Relu(a) }', { opset: 17 });
  for (let length = 1; length < whole.length; length++) {
    const found = verdict(whole.subarray(0, length));
    assert.match(found, /^(unknown|mixed)/, `${length} bytes: ${found}`);
  }
  assert.equal(verdict(whole), 'row-wise');
  assert.match(followModel(path.join(folder, 'absent.onnx')).reason, /^the graph cannot be read: ENOENT/);
});

const block = blockField;

const X = value('x', 'float32', ['N', 3]);
const Y = value('y', 'float32', ['N', 3]);
const LONG_TEXT = Buffer.alloc(70_000, 97);

function built(
  nodes: readonly Buffer[],
  { outputs = [Y], functions = [] as Buffer[], ...versions }: Versions & { outputs?: Buffer[]; functions?: Buffer[] } = {},
): Buffer {
  return modelOf(graph({ name: 'g', nodes, inputs: [X], outputs }), functions, versions);
}

/** `y = x + max(x)` over rows. */
const mixing = (sum = 'Add'): Buffer[] => [node('ReduceMax', ['x'], ['m'], [attribute.ints('axes', [0])]), node(sum, ['x', 'm'], ['y'])];

test('a long text hides no part of an attribute, whatever the order of its fields', () => {
  const [name, zero, one, doc] = [block(1, 'axis'), Buffer.from([24, 0]), Buffer.from([24, 1]), block(13, LONG_TEXT)];
  const type = Buffer.from([160, 1, 2]);
  for (const fields of [
    [name, doc, zero, type],
    [doc, name, zero, type],
    [name, one, doc, zero, type],
  ])
    assert.match(verdict(built([node('Softmax', ['x'], ['y'], [Buffer.concat(fields)])])), /^mixed: .*Softmax/);
});

test('a long text hides no output, and a name that is too long makes the graph unknown', () => {
  assert.match(verdict(built(mixing(), { outputs: [Buffer.concat([Y, block(3, LONG_TEXT)])] }), ['y']), /^mixed: .*ReduceMax/);
  assert.match(verdict(built(mixing()), ['other']), /^unknown: an output is not known/);
  const long = 'm'.repeat(70_000);
  const nodes = [node('ReduceMax', ['x'], [long], [attribute.ints('axes', [0])], '', 'a'), node('Sum', ['x', long], ['y'], [], '', 'b')];
  assert.match(verdict(built(nodes)), /^unknown: the graph cannot be read: expected a name/);
});

test('a list that was cut out is not an empty one', () => {
  const words = attribute.strings('stopwords', ['a'.repeat(70_000)]);
  const inputs = [value('x', 'string', ['N'])];
  const normalizer = node('StringNormalizer', ['x'], ['y'], [words]);
  const model = modelOf(graph({ name: 'g', nodes: [normalizer], inputs, outputs: [value('y', 'string', ['N'])] }), [], {});
  assert.match(verdict(model), /^unknown: its attribute stopwords cannot be read/);
});

test('what protobuf joins, replaces or skips makes the graph unknown', () => {
  const second = block(7, graph({ name: '', nodes: [node('Relu', ['x'], ['z'])], inputs: [], outputs: [] }));
  assert.match(verdict(Buffer.concat([built(mixing()), second])), /^unknown: .*expected field 7 once/);
  const version = block(8, Buffer.concat([block(1, 'ai.onnx'), Buffer.from([16, 11])]));
  assert.match(verdict(Buffer.concat([built([node('Softmax', ['x'], ['y'])]), version])), /^unknown: .*one version of each domain/);
  const number = Buffer.from([8, 120]);
  assert.match(verdict(built([Buffer.concat([number, node('Relu', ['x'], ['y'])])])), /^unknown: .*another kind of field 1/);
  const twice = node('Softmax', ['x'], ['y'], [attribute.int('axis', 0), attribute.int('axis', 1)]);
  assert.match(verdict(built([twice])), /^unknown: it has an attribute twice/);
  assert.match(
    verdict(built([node('Softmax', ['x'], ['y'], [attribute.float('axis', 1)])])),
    /^unknown: its attribute axis cannot be read/,
  );
});

test('functions of one name are told apart, and one of another version is unknown', () => {
  const local = (overload: string, nodes: Buffer[], opset: number): Buffer =>
    Buffer.concat([
      localFunction({ domain: 'local', name: 'f', inputs: ['x'], outputs: ['y'], attributes: [], nodes }, { opset }),
      block(13, overload),
    ]);
  const call = Buffer.concat([node('f', ['x'], ['y'], [], 'local'), block(8, 'one')]);
  const functions = (opset: number): Buffer[] => [local('one', mixing(), opset), local('two', [node('Relu', ['x'], ['y'])], opset)];
  const versions = { ir: 10, opset: 17, opsets: { local: 1 } };
  assert.match(verdict(built([call], { ...versions, functions: functions(17) })), /^mixed: .*ReduceMax/);
  assert.match(verdict(built([call], { ...versions, functions: functions(11) })), /^unknown: its function wants another operator set/);
});

test('an attribute that a function does not hand on has the default of the inner one', () => {
  const inner = Buffer.concat([
    localFunction(
      {
        domain: 'local',
        name: 'inner',
        inputs: ['x'],
        outputs: ['y'],
        attributes: [],
        nodes: [node('Softmax', ['x'], ['y'], [attribute.reference('axis', 'int', 'axis')])],
      },
      {},
    ),
    block(11, attribute.int('axis', 0)),
  ]);
  const outer = localFunction(
    {
      domain: 'local',
      name: 'outer',
      inputs: ['x'],
      outputs: ['y'],
      attributes: ['k'],
      nodes: [node('inner', ['x'], ['y'], [attribute.reference('axis', 'int', 'k')], 'local')],
    },
    { opsets: { local: 1 } },
  );
  assert.match(
    verdict(built([node('outer', ['x'], ['y'], [], 'local')], { functions: [outer, inner], opsets: { local: 1 } })),
    /^mixed: .*Softmax/,
  );
});

test('a negative size of an input is unknown, as in ONNX Runtime', () => {
  const text = `(float32[N, -1] x, float32[N, -1] z) => (float32[N, M] y) <int64[1] rest = {-1}> {
    n = Shape<start = 1>(z) s = Concat<axis = 0>(rest, n) y = Reshape(x, s)
  }`;
  assert.match(verdict(text), /^mixed: its new shape cuts through rows/);
  assert.equal(verdict('(float32[N, -1] x) => (float32[N, M] y) { y = Relu(x) }'), 'row-wise');
});

test('the name of a size stands for nothing but itself', () => {
  /** Names in the text that the syntax allows, and what they become. */
  const named = (text: string, names: Readonly<Record<string, string>>): string => {
    let bytes = readModel(text, { opset: 17 }).toString('latin1');
    for (const [name, other] of Object.entries(names)) bytes = bytes.replaceAll(name, other);
    return verdict(Buffer.from(bytes, 'latin1'));
  };
  const sum = `(float32[N, SIZEIT, 4] x, float32[N, a] z) => (float32[N, M, 4] y) <int64[1] rest = {-1}, int64[1] three = {3}, int64[1] four = {4}> {
    n = Shape<start = 1>(z) k = Add(n, three) s = Concat<axis = 0>(rest, k, four) y = Reshape(x, s)
  }`;
  assert.match(named(sum, { SIZEIT: '+(a,3)' }), /^mixed/);
  const without = `(float32[N, ?, 4] x, float32[N, SIZ] z) => (float32[N, M, 4] y) <int64[1] rest = {-1}, int64[1] four = {4}> {
    n = Shape<start = 1>(z) s = Concat<axis = 0>(rest, n, four) y = Reshape(x, s)
  }`;
  assert.match(named(without, { SIZ: 'x.1' }), /^mixed/);
  assert.match(named(without, { SIZ: '?x1' }), /^mixed/);
});

test('bits of float16 are no numbers', () => {
  // 1 and 2 as float16, in the list of int32 where exporters write them.
  const half = (name: string, bits: number): Buffer =>
    Buffer.concat([varintField(1, 1), varintField(2, 10), blockField(5, packVarints([bits])), blockField(8, name)]);
  const read = tensorOf(half('a', 0x4000), 0, half('a', 0x4000).length);
  assert.equal(read.value.elements, undefined);
});

/** A model of the operator set 12 that turns images, calls a function, and turns them back. */
function calling(nodes: readonly Buffer[], functions: readonly Buffer[]): Buffer {
  const turned = (from: string, to: string): Buffer => node('Transpose', [from], [to], [attribute.ints('perm', [1, 0, 2])]);
  const images = ['N', 2, 3];
  return modelOf(
    graph({
      name: 'g',
      nodes: [turned('x', 'a'), ...nodes, turned('b', 'y')],
      initializers: [],
      inputs: [value('x', 'float32', images)],
      outputs: [value('y', 'float32', images)],
    }),
    functions,
    { opset: 12, opsets: { local: 1 } },
  );
}

const body = (operator: string, opset: number): Buffer =>
  localFunction(
    { domain: 'local', name: 'f', inputs: ['a'], outputs: ['b'], attributes: [], nodes: [node(operator, ['a'], ['b'])] },
    { opset, opsets: { local: 1 } },
  );

test('functions of one name are told apart by their overload', () => {
  const functions = [
    Buffer.concat([body('Softmax', 12), blockField(13, 'images')]),
    Buffer.concat([body('Relu', 12), blockField(13, 'entries')]),
  ];
  const of = (overload: string): string =>
    verdict(calling([Buffer.concat([node('f', ['a'], ['b'], [], 'local'), blockField(8, overload)])], functions));
  assert.match(of('images'), /^mixed/);
  assert.equal(of('entries'), 'row-wise');
  assert.match(of('other'), /^unknown: it has no rule/);
});

test('a function of another operator set than its model is refused', () => {
  // Softmax of set 13 takes the last axis, of set 12 all from the second. The model decides.
  const call = node('f', ['a'], ['b'], [], 'local');
  assert.match(verdict(calling([call], [body('Softmax', 13)])), /^unknown: its function wants another operator set/);
  assert.match(verdict(calling([call], [body('Softmax', 12)])), /^mixed/);
  assert.equal(verdict(calling([call], [body('Relu', 12)])), 'row-wise');
});
