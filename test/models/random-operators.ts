import { fixed, isFixed, type RandomGraph, sameSize, type Size, Unsuitable, type Value } from './random-graph.ts';

/** Adds one operator, with an input and attributes at random. */
export type RandomOperator = (graph: RandomGraph) => unknown;

const ONE = fixed(1);
const product = (sizes: readonly Size[]): Size =>
  sizes.reduce((all, { alone, together }) => ({ alone: all.alone * alone, together: all.together * together }), ONE);

/** The shape of two values that broadcast, in both runs. @throws Unsuitable */
function broadcast(one: readonly Size[], other: readonly Size[]): Size[] {
  const rank = Math.max(one.length, other.length);
  const padded = (dims: readonly Size[]): Size[] => [...Array.from({ length: rank - dims.length }, () => ONE), ...dims];
  const [left, right] = [padded(one), padded(other)];
  const size = (a: number, b: number): number => {
    if (a !== b && a !== 1 && b !== 1) throw new Unsuitable();
    return a === 1 ? b : a;
  };
  return left.map((a, axis) => ({ alone: size(a.alone, right[axis]!.alone), together: size(a.together, right[axis]!.together) }));
}

/** Keeps numbers small, so that they stay exact. */
const clipped = (graph: RandomGraph, { name, dims, exact }: Value): Value =>
  graph.add(`$ = Clip(${name}, ${graph.constant('float32', [], [-8])}, ${graph.constant('float32', [], [8])})`, dims, exact);

/** Axes as the operator set takes them. Only ReduceSum, Squeeze and Unsqueeze changed in set 13. */
function withAxes(graph: RandomGraph, operator: string, input: string, axes: readonly number[], rest = ''): string {
  const early = ['ReduceSum', 'Squeeze', 'Unsqueeze'].includes(operator);
  const asInput = graph.opset >= (early ? 13 : 18);
  const attributes = [...(asInput ? [] : [`axes = [${axes.join(', ')}]`]), ...(rest === '' ? [] : [rest])].join(', ');
  return `$ = ${operator}${attributes === '' ? '' : `<${attributes}>`}(${input}${asInput ? `, ${graph.ints(axes)}` : ''})`;
}

const without = (dims: readonly Size[], axis: number): Size[] => dims.filter((_, at) => at !== axis);
const replaced = (dims: readonly Size[], axis: number, size: Size): Size[] => dims.map((each, at) => (at === axis ? size : each));

function unary(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value();
  const smooth = graph.chance(0.3) || !exact;
  const operator = graph.pick(
    smooth ? ['Sigmoid', 'Tanh', 'Neg', 'Abs', 'Relu', 'Softplus'] : ['Neg', 'Abs', 'Relu', 'Floor', 'Sign', 'Identity'],
  );
  return graph.add(`$ = ${operator}(${name})`, dims, exact && !['Sigmoid', 'Tanh', 'Softplus'].includes(operator));
}

function withConstant(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value();
  const last = dims.at(-1);
  const shape = last !== undefined && isFixed(last) && graph.chance(0.5) ? [last.alone] : [];
  const weights = graph.weights(shape);
  const operator = graph.pick(['Add', 'Sub', 'Mul', 'Max', 'Min']);
  return clipped(graph, graph.add(`$ = ${operator}(${graph.pick([`${name}, ${weights}`, `${weights}, ${name}`])})`, dims, exact));
}

function binary(graph: RandomGraph): Value {
  const [one, other] = [graph.value(), graph.pick(graph.values.filter(({ type }) => type === 'float32'))];
  const operator = graph.pick(['Add', 'Sub', 'Mul', 'Max', 'Min']);
  const exact = one.exact && other.exact;
  return clipped(graph, graph.add(`$ = ${operator}(${one.name}, ${other.name})`, broadcast(one.dims, other.dims), exact));
}

function reduce(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const rank = value.dims.length;
  const axes = value.dims.flatMap((_, axis) => (graph.chance(1 / rank) ? [axis] : []));
  if (axes.length === 0) axes.push(graph.axis(value));
  const keep = graph.chance(0.6);
  const operator = graph.pick(['ReduceMax', 'ReduceMin', 'ReduceSum', 'ReduceMean', 'ReduceL1']);
  const dims = keep
    ? value.dims.map((size, axis) => (axes.includes(axis) ? ONE : size))
    : value.dims.filter((_, axis) => !axes.includes(axis));
  const written = axes.map((axis) => graph.written(axis, rank));
  const text = withAxes(graph, operator, value.name, written, `keepdims = ${Number(keep)}`);
  return clipped(graph, graph.add(text, dims, value.exact && operator !== 'ReduceMean'));
}

function softmax(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const operator = graph.pick(['Softmax', 'LogSoftmax', 'Softmax', 'local.soft']);
  return graph.add(`$ = ${operator}<axis = ${graph.written(graph.axis(value), value.dims.length)}>(${value.name})`, value.dims, false);
}

function argMax(graph: RandomGraph): Value {
  const value = graph.value(({ dims, exact }) => dims.length > 0 && exact);
  const axis = graph.axis(value);
  const keep = graph.chance(0.5);
  const dims = keep ? replaced(value.dims, axis, ONE) : without(value.dims, axis);
  const written = graph.written(axis, value.dims.length);
  const index = graph.add(
    `$ = ${graph.pick(['ArgMax', 'ArgMin'])}<axis = ${written}, keepdims = ${Number(keep)}>(${value.name})`,
    dims,
    true,
    'int64',
  );
  return graph.add(`$ = Cast<to = 1>(${index.name})`, dims, true);
}

function cumSum(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.constant('int64', [], [graph.written(graph.axis(value), value.dims.length)]);
  const attributes = `<exclusive = ${graph.below(2)}, reverse = ${graph.below(2)}>`;
  return clipped(graph, graph.add(`$ = CumSum${attributes}(${value.name}, ${axis})`, value.dims, value.exact));
}

function transpose(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 1);
  const rest = value.dims.map((_, axis) => axis);
  const perm = value.dims.map(() => rest.splice(graph.below(rest.length), 1)[0]!);
  if (graph.chance(0.2)) return graph.add(`$ = Transpose(${value.name})`, value.dims.toReversed(), value.exact);
  const dims = perm.map((axis) => value.dims[axis]!);
  return graph.add(`$ = Transpose<perm = [${perm.join(', ')}]>(${value.name})`, dims, value.exact);
}

/** Two neighbour axes become one. */
function mergeAxes(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length > 1);
  const axis = graph.below(dims.length - 1);
  const merged = [...dims.slice(0, axis), product(dims.slice(axis, axis + 2)), ...dims.slice(axis + 2)];
  return reshape(graph, name, merged, exact);
}

/** One axis becomes two. */
function splitAxis(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value, ({ alone, together }) => together > 1 && (alone % 2 === 0 || alone % 3 === 0));
  const size = value.dims[axis]!;
  const factor = size.alone % 2 === 0 ? 2 : 3;
  const rest = { alone: size.alone / factor, together: size.together / factor };
  const parts = graph.chance(0.5) ? [fixed(factor), rest] : [rest, fixed(factor)];
  return reshape(graph, value.name, [...value.dims.slice(0, axis), ...parts, ...value.dims.slice(axis + 1)], value.exact);
}

/** The same elements under a permutation of the sizes: rows move where 1 is exchanged for N. */
function permuteSizes(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length > 1);
  const at = graph.below(dims.length - 1);
  const exchanged = replaced(replaced(dims, at, dims[at + 1]!), at + 1, dims[at]!);
  if (graph.chance(0.5)) return reshape(graph, name, exchanged, exact);
  const shape = graph.add(`$ = Shape(${name})`, [fixed(dims.length)], true, 'int64');
  const order = dims.map((_, axis) => (axis === at ? at + 1 : axis === at + 1 ? at : axis));
  const sizes = graph.add(`$ = Gather(${shape.name}, ${graph.ints(order)})`, [fixed(dims.length)], true, 'int64');
  return graph.add(`$ = Reshape(${name}, ${sizes.name})`, exchanged, exact);
}

/** Reshape by a constant with one -1, or by sizes that are computed from the shape of x. */
function reshape(graph: RandomGraph, name: string, dims: readonly Size[], exact: boolean): Value {
  const open = dims.flatMap((size, axis) => (isFixed(size) ? [] : [axis]));
  if (open.length > 1) throw new Unsuitable();
  if (open.length === 1 && graph.chance(0.3)) return reshapeByShape(graph, name, dims, exact);
  const sizes = graph.ints(dims.map((size) => (isFixed(size) ? size.alone : -1)));
  return graph.add(`$ = Reshape(${name}, ${sizes})`, dims, exact);
}

/** The open size is the number of rows of x times a constant, as exporters write it. */
function reshapeByShape(graph: RandomGraph, name: string, dims: readonly Size[], exact: boolean): Value {
  const shape = graph.add(`$ = Shape(x)`, [fixed(graph.values[0]!.dims.length)], true, 'int64');
  const rows = graph.add(`$ = Gather(${shape.name}, ${graph.constant('int64', [], [0])})`, [], true, 'int64');
  const parts = dims.map((size) => {
    if (isFixed(size)) return graph.ints([size.alone]);
    const scaled = graph.add(`$ = Mul(${rows.name}, ${graph.constant('int64', [], [size.alone])})`, [], true, 'int64').name;
    return graph.add(withAxes(graph, 'Unsqueeze', scaled, [0]), [ONE], true, 'int64').name;
  });
  const sizes = graph.add(`$ = Concat<axis = 0>(${parts.join(', ')})`, [fixed(dims.length)], true, 'int64');
  return graph.add(`$ = Reshape(${name}, ${sizes.name})`, dims, exact);
}

function unsqueeze(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value();
  const axis = graph.below(dims.length + 1);
  return graph.add(
    withAxes(graph, 'Unsqueeze', name, [graph.written(axis, dims.length + 1)]),
    [...dims.slice(0, axis), ONE, ...dims.slice(axis)],
    exact,
  );
}

function squeeze(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.some((size) => sameSize(size, ONE)));
  if (value.dims.every(isFixed) && graph.chance(0.3)) {
    return graph.add(
      `$ = Squeeze(${value.name})`,
      value.dims.filter((size) => !sameSize(size, ONE)),
      value.exact,
    );
  }
  const axis = graph.axis(value, (size) => sameSize(size, ONE));
  return graph.add(
    withAxes(graph, 'Squeeze', value.name, [graph.written(axis, value.dims.length)]),
    without(value.dims, axis),
    value.exact,
  );
}

function flatten(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length > 0);
  const axis = graph.below(dims.length + 1);
  return graph.add(
    `$ = Flatten<axis = ${axis === dims.length ? axis : graph.written(axis, dims.length)}>(${name})`,
    [product(dims.slice(0, axis)), product(dims.slice(axis))],
    exact,
  );
}

function concat(graph: RandomGraph): Value {
  const one = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(one);
  const other = graph.pick(
    graph.values.filter(
      ({ type, dims }) =>
        type === 'float32' && dims.length === one.dims.length && dims.every((size, at) => at === axis || sameSize(size, one.dims[at]!)),
    ),
  );
  const [a, b] = [one.dims[axis]!, other.dims[axis]!];
  const size = { alone: a.alone + b.alone, together: a.together + b.together };
  const text = `$ = Concat<axis = ${graph.written(axis, one.dims.length)}>(${one.name}, ${other.name})`;
  return graph.add(text, replaced(one.dims, axis, size), one.exact && other.exact);
}

function slice(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value);
  const size = value.dims[axis]!;
  const less = { alone: size.alone - 1, together: size.together - 1 };
  const half = { alone: Math.ceil(size.alone / 2), together: Math.ceil(size.together / 2) };
  const far = 2147483647;
  const [start, end, step, left]: [number, number, number, Size] = graph.pick([
    [0, 1, 1, ONE],
    [-1, far, 1, ONE],
    [-1, -far, -1, size],
    [0, far, 1, size],
    [1, far, 1, less],
    [0, -1, 1, less],
    [0, far, 2, half],
  ]);
  const inputs = [[start], [end], [graph.written(axis, value.dims.length)], [step]].map((each) => graph.ints(each));
  return graph.add(`$ = Slice(${[value.name, ...inputs].join(', ')})`, replaced(value.dims, axis, left), value.exact);
}

function gather(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value);
  const scalar = graph.chance(0.5);
  const most = value.dims[axis]!.alone;
  const index = (): number => graph.pick([0, -1, most - 1]);
  const indices = scalar ? graph.constant('int64', [], [index()]) : graph.ints([index(), index()]);
  const dims = scalar ? without(value.dims, axis) : replaced(value.dims, axis, fixed(2));
  return graph.add(`$ = Gather<axis = ${graph.written(axis, value.dims.length)}>(${value.name}, ${indices})`, dims, value.exact);
}

function matMulWeights(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length > 1 && isFixed(value.dims.at(-1)!));
  const columns = 1 + graph.below(4);
  const weights = graph.weights([dims.at(-1)!.alone, columns]);
  return clipped(graph, graph.add(`$ = MatMul(${name}, ${weights})`, [...dims.slice(0, -1), fixed(columns)], exact));
}

function matMul(graph: RandomGraph): Value {
  const one = graph.value(({ dims }) => dims.length > 1);
  const inner = one.dims.at(-1)!;
  const other = graph.pick(graph.values.filter(({ type, dims }) => type === 'float32' && dims.length > 1 && sameSize(dims.at(-2)!, inner)));
  const dims = [...broadcast(one.dims.slice(0, -2), other.dims.slice(0, -2)), one.dims.at(-2)!, other.dims.at(-1)!];
  return clipped(graph, graph.add(`$ = MatMul(${one.name}, ${other.name})`, dims, one.exact && other.exact));
}

function gemm(graph: RandomGraph): Value {
  const flat = (value: Value): boolean => value.dims.length === 2;
  const [one, other] = [graph.value(flat), graph.value(flat)];
  const [transA, transB] = [graph.below(2), graph.below(2)];
  const [a, b] = [transA === 1 ? one.dims.toReversed() : one.dims, transB === 1 ? other.dims.toReversed() : other.dims];
  if (!sameSize(a[1]!, b[0]!)) throw new Unsuitable();
  const operator = graph.pick(['Gemm', 'com.microsoft.FusedMatMul']);
  const text = `$ = ${operator}<transA = ${transA}, transB = ${transB}>(${one.name}, ${other.name})`;
  return clipped(graph, graph.add(text, [a[0]!, b[1]!], one.exact && other.exact));
}

function einsum(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length === 2 || dims.length === 3);
  if (graph.opset < 12) throw new Unsuitable();
  const [a, b, c] = value.dims as [Size, Size, Size];
  const exact = value.exact;
  if (value.dims.length === 2) {
    const [equation, ...dims] = graph.pick<[string, ...Size[]]>([
      ['ij,kj->ik', a, a],
      ['ij,ik->jk', b, b],
      ['ij->ji', b, a],
      ['ij,ij->i', a],
      ['ij,ij->j', b],
    ]);
    const inputs = equation.includes(',') ? `${value.name}, ${value.name}` : value.name;
    return clipped(graph, graph.add(`$ = Einsum<equation = "${equation}">(${inputs})`, dims, exact));
  }
  const [equation, ...dims] = graph.pick<[string, ...Size[]]>([
    ['bij,bkj->bik', a, b, b],
    ['bij,cij->bc', a, a],
    ['bij,bik->jk', c, c],
  ]);
  return clipped(graph, graph.add(`$ = Einsum<equation = "${equation}">(${value.name}, ${value.name})`, dims, exact));
}

function where(graph: RandomGraph): Value {
  const test = graph.value(({ exact }) => exact);
  const [one, other] = [graph.value(), graph.value()];
  const k = graph.constant('float32', [], [graph.pick([0, 1, 5])]);
  const condition = graph.add(`$ = Greater(${test.name}, ${k})`, test.dims, true, 'bool');
  const dims = broadcast(test.dims, broadcast(one.dims, other.dims));
  return graph.add(`$ = Where(${condition.name}, ${one.name}, ${other.name})`, dims, one.exact && other.exact);
}

/** A scalar condition: the largest number of a value above a constant. */
function scalarCondition(graph: RandomGraph): string {
  const test = graph.value(({ exact }) => exact);
  const top = graph.add(`$ = ReduceMax<keepdims = 0>(${test.name})`, [], true);
  return graph.add(`$ = Greater(${top.name}, ${graph.constant('float32', [], [3])})`, [], true, 'bool').name;
}

function branches(graph: RandomGraph): Value {
  const condition = graph.chance(0.5) ? scalarCondition(graph) : graph.constant('bool', [], [1]);
  const { name, dims, exact } = graph.value(({ dims: sizes }) => sizes.length > 0);
  const inside = graph.pick([
    `p = Neg(${name})`,
    `m = ReduceMax<keepdims = 1>(${name}); p = Sub(${name}, m)`,
    `p = Softmax<axis = -1>(${name})`,
  ]);
  const text = `$ = If<then_branch = () => (p) { ${inside} }, else_branch = () => (q) { q = Identity(${name}) }>(${condition})`;
  return graph.add(text, dims, exact && !inside.includes('Softmax'));
}

function loop(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.dims.length > 0);
  const count = graph.chance(0.8) ? graph.constant('int64', [], [2]) : rowsOfX(graph).name;
  const axis = graph.below(dims.length);
  const inside = graph.pick([
    'w = Relu(u)',
    `w = Softmax<axis = ${axis}>(u)`,
    `w = Add(u, ${name})`,
    'm = ReduceMax<keepdims = 1>(u); w = Sub(u, m)',
  ]);
  const body = `(int64 i, bool k, float32[] u) => (bool k2, float32[] w) { ${inside}; k2 = Identity(k) }`;
  return clipped(graph, graph.add(`$ = Loop<body = ${body}>(${count}, "", ${name})`, dims, false));
}

function scan(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 1);
  const axis = graph.axis(value);
  const start = graph.add(`$ = ReduceMin<keepdims = 0>(${value.name})`, [], value.exact);
  const sizes = value.dims.slice(1).map((_, at) => `s${at}`);
  const body = `(float32 u, float32[${sizes.join(', ')}] r) => (float32 w, float32[${sizes.join(', ')}] o) { m = ReduceMax<keepdims = 0>(r); w = Max(u, m); o = Sub(r, u) }`;
  const output = graph.add(
    `last$, $ = Scan<num_scan_inputs = 1, scan_input_axes = [${axis}], scan_output_axes = [${axis}], body = ${body}>(${start.name}, ${value.name})`,
    value.dims,
    value.exact,
  );
  return clipped(graph, output);
}

const rowsOfX = (graph: RandomGraph): Value => {
  const shape = graph.add('$ = Shape(x)', [fixed(graph.values[0]!.dims.length)], true, 'int64');
  return graph.add(`$ = Gather(${shape.name}, ${graph.constant('int64', [], [0])})`, [], true, 'int64');
};

/** A size of a value as a number: by rows or by columns. */
function sizeAsNumber(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const shape = graph.add(`$ = Shape(${value.name})`, [fixed(value.dims.length)], true, 'int64');
  const size = graph.add(`$ = Gather(${shape.name}, ${graph.constant('int64', [], [graph.axis(value)])})`, [], true, 'int64');
  const number = graph.add(`$ = Cast<to = 1>(${size.name})`, [], true);
  return clipped(graph, graph.add(`$ = Mul(${value.name}, ${number.name})`, value.dims, value.exact));
}

/** 0, 1, 2 .. along one axis, by its size. */
function positions(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value);
  const [zero, one] = [graph.constant('int64', [], [0]), graph.constant('int64', [], [1])];
  const shape = graph.add(`$ = Shape(${value.name})`, [fixed(value.dims.length)], true, 'int64');
  const size = graph.add(`$ = Gather(${shape.name}, ${graph.constant('int64', [], [axis])})`, [], true, 'int64');
  const range = graph.add(`$ = Range(${zero}, ${size.name}, ${one})`, [value.dims[axis]!], true, 'int64');
  return graph.add(`$ = Cast<to = 1>(${range.name})`, range.dims, true);
}

function expand(graph: RandomGraph): Value {
  const [one, other] = [graph.value(), graph.value(({ dims }) => dims.length > 0)];
  const shape = graph.add(`$ = Shape(${other.name})`, [fixed(other.dims.length)], true, 'int64');
  return graph.add(`$ = Expand(${one.name}, ${shape.name})`, broadcast(one.dims, other.dims), one.exact);
}

function tile(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value);
  const size = value.dims[axis]!;
  const times = graph.ints(value.dims.map((_, at) => (at === axis ? 2 : 1)));
  return graph.add(`$ = Tile(${value.name}, ${times})`, replaced(value.dims, axis, product([size, fixed(2)])), value.exact);
}

function pad(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value);
  const size = value.dims[axis]!;
  const pads = graph.ints([...value.dims.map((_, at) => (at === axis ? 1 : 0)), ...value.dims.map(() => 0)]);
  const mode = graph.pick(['', '<mode = "edge">']);
  return graph.add(
    `$ = Pad${mode}(${value.name}, ${pads})`,
    replaced(value.dims, axis, { alone: size.alone + 1, together: size.together + 1 }),
    value.exact,
  );
}

function topK(graph: RandomGraph): Value {
  const value = graph.value(({ dims, exact }) => dims.length > 0 && exact);
  const axis = graph.axis(value);
  const written = graph.written(axis, value.dims.length);
  return graph.add(
    `$, i$ = TopK<axis = ${written}, largest = ${graph.below(2)}>(${value.name}, ${graph.ints([1])})`,
    replaced(value.dims, axis, ONE),
    true,
  );
}

/** A normalisation of nearly equal numbers would show how they were rounded: only exact ones. */
function normalise(graph: RandomGraph): Value {
  const value = graph.value(({ dims, exact }) => exact && dims.length > 0);
  const axis = graph.axis(value);
  const text = graph.chance(0.5)
    ? `LpNormalization<axis = ${graph.written(axis, value.dims.length)}, p = ${graph.pick([1, 2])}>(${value.name})`
    : `MeanVarianceNormalization<axes = [${axis}]>(${value.name})`;
  return graph.add(`$ = ${text}`, value.dims, false);
}

/** Layers with one channel axis: their second, which must have a fixed size. */
function layer(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.exact && value.dims.length === 3 && isFixed(value.dims[1]!));
  const channels = dims[1]!.alone;
  const ones = graph.constant('float32', [channels], [1]);
  const zeros = graph.constant('float32', [channels], [0]);
  const text = graph.pick([
    `Conv<kernel_shape = [3], pads = [1, 1]>(${name}, ${graph.weights([channels, channels, 3])})`,
    `MaxPool<kernel_shape = [3], pads = [1, 1]>(${name})`,
    `AveragePool<kernel_shape = [3], pads = [1, 1]>(${name})`,
    `InstanceNormalization(${name}, ${ones}, ${zeros})`,
    `BatchNormalization(${name}, ${ones}, ${zeros}, ${zeros}, ${ones})`,
  ]);
  return clipped(graph, graph.add(`$ = ${text}`, dims, false));
}

function lastAxisLayer(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.exact && value.dims.length > 1 && isFixed(value.dims.at(-1)!));
  if (graph.opset < 17) throw new Unsuitable();
  return graph.add(`$ = LayerNormalization(${name}, ${graph.weights([dims.at(-1)!.alone])})`, dims, false);
}

function recurrent(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.dims.length === 3 && isFixed(value.dims[2]!));
  const features = dims[2]!.alone;
  const hidden = 2;
  const text = `GRU<hidden_size = ${hidden}>(${name}, ${graph.weights([1, 3 * hidden, features])}, ${graph.weights([1, 3 * hidden, hidden])})`;
  return graph.chance(0.5)
    ? graph.add(`$ = ${text}`, [dims[0]!, ONE, dims[1]!, fixed(hidden)], false)
    : graph.add(`all$, $ = ${text}`, [ONE, dims[1]!, fixed(hidden)], false);
}

function quantise(graph: RandomGraph): Value {
  const { name, dims } = graph.value(({ exact }) => exact);
  if (graph.chance(0.5)) {
    const [scale, zero] = [graph.constant('float32', [], [0.5]), graph.constant('uint8', [], [128])];
    return graph.add(`q$ = QuantizeLinear(${name}, ${scale}, ${zero}); $ = DequantizeLinear(q$, ${scale}, ${zero})`, dims, true);
  }
  return graph.add(`q$, s$, z$ = DynamicQuantizeLinear(${name}); $ = DequantizeLinear(q$, s$, z$)`, dims, false);
}

function classical(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.exact && value.dims.length <= 2 && value.dims.length > 0);
  const text = graph.pick([
    `Normalizer<norm = "L1">(${name})`,
    `Scaler<offset = [1.0], scale = [2.0]>(${name})`,
    `Imputer<imputed_value_floats = [1.0], replaced_value_float = nan>(${name})`,
  ]);
  return graph.add(`$ = ai.onnx.ml.${text}`, dims, false);
}

function triangle(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length > 1);
  if (graph.opset < 14) throw new Unsuitable();
  return graph.add(`$ = Trilu(${name})`, dims, exact);
}

function turn(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length > 1);
  return graph.add(`$ = local.turn(${name})`, dims, exact);
}

function splitHalves(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value, ({ alone, together }) => alone % 2 === 0 && together % 2 === 0);
  const size = value.dims[axis]!;
  const half = { alone: size.alone / 2, together: size.together / 2 };
  const count = graph.opset >= 18 ? ', num_outputs = 2' : '';
  return graph.add(`a$, $ = Split<axis = ${axis}${count}>(${value.name})`, replaced(value.dims, axis, half), value.exact);
}

function scatter(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length === 2 && isFixed(value.dims[1]!));
  const columns = dims[1]!.alone;
  const text = graph.pick([
    `ScatterElements<axis = 0>(${name}, ${graph.constant('int64', [1, columns], [0])}, ${graph.weights([1, columns])})`,
    `ScatterElements<axis = 1>(${name}, ${graph.constant('int64', [1, 1], [0])}, ${graph.weights([1, 1])})`,
    `ScatterND(${name}, ${graph.constant('int64', [1, 1], [0])}, ${graph.weights([1, columns])})`,
  ]);
  return graph.add(`$ = ${text}`, dims, exact);
}

/** Frequent operators stand here more than once. */
export const randomOperators: readonly RandomOperator[] = [
  unary,
  unary,
  withConstant,
  withConstant,
  binary,
  binary,
  binary,
  reduce,
  reduce,
  reduce,
  softmax,
  softmax,
  argMax,
  cumSum,
  transpose,
  transpose,
  mergeAxes,
  splitAxis,
  permuteSizes,
  unsqueeze,
  unsqueeze,
  squeeze,
  flatten,
  concat,
  slice,
  slice,
  gather,
  gather,
  matMulWeights,
  matMulWeights,
  matMul,
  gemm,
  einsum,
  where,
  branches,
  loop,
  scan,
  sizeAsNumber,
  positions,
  expand,
  tile,
  pad,
  topK,
  normalise,
  layer,
  lastAxisLayer,
  recurrent,
  quantise,
  classical,
  triangle,
  turn,
  splitHalves,
  scatter,
];
