import { rowModel as alone, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';
const X4 = '(float32[N, 4] x) => (float32[N, 4] y)';
const CUBE = '(float32[N, 2, 3] x) => (float32[N, 2, 3] y)';

const kinds = ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'];

/** The same reductions as in the models that mix, along columns. */
const everyReduction: readonly RowModel[] = kinds.flatMap((kind, index) => [
  alone(
    `columns-${kind.toLowerCase()}-attribute`,
    `Reduce${kind} over axes=[1]`,
    `${X} { a = Abs(x); m = Reduce${kind}<axes = [1], keepdims = 1>(a); y = Sub(x, m) }`,
    { opset: 7 + (index % 5) },
  ),
  alone(
    `columns-${kind.toLowerCase()}-input`,
    `Reduce${kind} over axis -1`,
    `${X} <int64[1] axes = {-1}> { a = Abs(x); m = Reduce${kind}<keepdims = 1>(a, axes); y = Sub(x, m) }`,
    { opset: 18 + (index % 5) },
  ),
]);

const axes: readonly RowModel[] = [
  alone(
    'reduce-noop',
    'empty axes with noop_with_empty_axes do nothing',
    `${X} <int64[0] axes = {}> { m = ReduceSum<noop_with_empty_axes = 1>(x, axes); y = Add(x, m) }`,
    { opset: 18 },
  ),
  alone('reduce-columns-twice', 'axes -1 and 1 of three', `${CUBE} { m = ReduceMean<axes = [-1, 1]>(x); y = Sub(x, m) }`, { opset: 13 }),
  alone(
    'reduce-then-unsqueeze',
    'the lost axis of columns comes back',
    `${X} <int64[1] a = {1}> { m = ReduceMax<axes = [1], keepdims = 0>(x); u = Unsqueeze(m, a); y = Sub(x, u) }`,
    { opset: 13 },
  ),
  alone('reduce-to-vector', 'an output of rank 1', '(float32[N, 3] x) => (float32[N] y) { y = ReduceMean<axes = [1], keepdims = 0>(x) }', {
    opset: 13,
  }),
  alone(
    'reduce-transposed',
    'axis 0 of the transposed is the columns',
    `${X} { t = Transpose(x); m = ReduceMax<axes = [0]>(t); d = Sub(t, m); y = Transpose(d) }`,
  ),
  alone('argmax-columns', 'the class of a row', '(float32[N, 3] x) => (int64[N] y) { y = ArgMax<axis = 1, keepdims = 0>(x) }', {
    opset: 11,
  }),
  alone(
    'topk-columns',
    'the two largest columns',
    '(float32[N, 4] x) => (float32[N, 2] y, int64[N, 2] i) <int64[1] k = {2}> { y, i = TopK(x, k) }',
    { opset: 11 },
  ),
  alone('topk-old', 'k as an attribute', '(float32[N, 4] x) => (float32[N, 2] y, int64[N, 2] i) { y, i = TopK<k = 2>(x) }', { opset: 9 }),
  alone('cumsum-columns', 'sums along columns', `${X} <int64 a = {1}> { y = CumSum(x, a) }`, { opset: 14 }),
  alone('softmax-11', 'before set 13, axis 1 takes all axes behind', `${CUBE} { y = Softmax(x) }`, { opset: 11 }),
  alone('softmax-13', 'the last axis', `${CUBE} { y = Softmax(x) }`, { opset: 13 }),
  alone('softmax-negative', 'axis -2 of three', `${CUBE} { y = Softmax<axis = -2>(x) }`),
  alone('log-softmax', 'LogSoftmax along columns', `${X} { y = LogSoftmax<axis = 1>(x) }`, { opset: 9 }),
  alone('hardmax', 'Hardmax along columns', `${X} { y = Hardmax<axis = -1>(x) }`, { opset: 13 }),
  alone('lp-normalization', 'the norm of rows', `${X} { y = LpNormalization(x) }`),
  alone(
    'mean-variance-columns',
    'axes without 0',
    '(float32[N, 2, 3] x) => (float32[N, 2, 3] y) { y = MeanVarianceNormalization<axes = [1, 2]>(x) }',
    { opset: 13 },
  ),
  alone(
    'loss-none',
    'the loss of each row',
    '(float32[N, 3] x, int64[N] t) => (float32[N] y) { y = SoftmaxCrossEntropyLoss<reduction = "none">(x, t) }',
    { opset: 13 },
  ),
];

const elements: readonly RowModel[] = [
  alone(
    'arithmetic',
    'elementwise with constants',
    `${X} <float32[3] w = {1, 2, 3}, float32 k = {0.5}> { a = Mul(x, w); b = Add(a, k); c = Tanh(b); d = Neg(c); e = Exp(d); y = Div(e, k) }`,
    { opset: 7 },
  ),
  alone(
    'activations',
    'every activation',
    `${X} { a = Relu(x); b = LeakyRelu(x); c = Elu(x); d = Selu(x); e = Softplus(x); f = Softsign(x); g = HardSigmoid(x); h = ThresholdedRelu(x); i = Celu(x); j = HardSwish(x); k = Sum(a, b, c, d, e, f, g, h, i, j); y = Sigmoid(k) }`,
    { opset: 14 },
  ),
  alone('gelu-mish', 'new activations', `${X} { g = Gelu(x); m = Mish(x); y = Add(g, m) }`, { opset: 20 }),
  alone('clip-constants', 'limits that are constants', `${X} <float32 low = {-1}, float32 high = {1}> { y = Clip(x, low, high) }`, {
    opset: 11,
  }),
  alone('clip-attributes', 'limits of old sets', `${X} { y = Clip<min = -1.0, max = 1.0>(x) }`, { opset: 7 }),
  alone('impute-constant', 'NaN becomes a constant', `${X} <float32[3] w = {1, 2, 3}> { g = IsNaN(x); y = Where(g, w, x) }`, {
    opset: 9,
    rows: [
      [1, NaN, 3],
      [NaN, NaN, 0],
      [Infinity, 1, 2],
    ],
  }),
  alone(
    'rescale-each-row',
    'each row has its own condition',
    `${X} <float32 one = {1}, float32 k = {255}> { m = ReduceMax<axes = [1], keepdims = 1>(x); c = Greater(m, one); d = Div(x, k); y = Where(c, d, x) }`,
    { opset: 13 },
  ),
  alone('two-inputs', 'rows of two inputs', '(float32[N, 3] x, float32[N, 3] z) => (float32[N, 3] y) { y = Max(x, z) }', { opset: 13 }),
  alone(
    'column-vector',
    'a column times a row of constants',
    '(float32[N, 1] x) => (float32[N, 3] y) <float32[3] w = {1, 2, 3}> { y = Mul(x, w) }',
  ),
  alone(
    'vector-unsqueezed',
    'a vector of rows becomes a column',
    '(float32[N, 3] x, float32[N] z) => (float32[N, 3] y) <int64[1] a = {-1}> { u = Unsqueeze(z, a); y = Add(x, u) }',
    { opset: 13 },
  ),
  alone(
    'casts-and-logic',
    'types change, rows stay',
    '(int64[N, 3] x) => (bool[N, 3] y) <int64 k = {1}, float32 h = {1.5}> { e = Equal(x, k); n = Not(e); f = Cast<to = 1>(x); g = Greater(f, h); y = Or(n, g) }',
    { opset: 13 },
  ),
  alone('bit-shift', 'integers', '(uint8[N, 3] x) => (uint8[N, 3] y) <uint8 k = {1}> { y = BitShift<direction = "LEFT">(x, k) }', {
    opset: 11,
  }),
  alone('mod-and-power', 'Mod and Pow', `${X} <float32 two = {2}> { p = Pow(x, two); m = Mod<fmod = 1>(p, two); y = Floor(m) }`, {
    opset: 15,
  }),
  alone('like-operators', 'constants by the shape of x', `${X} { s = Shape(x); z = ConstantOfShape(s); y = Add(x, z) }`, { opset: 9 }),
  alone(
    'expand-to-shape',
    'a constant is expanded to the shape of x',
    `${X} <float32[1, 3] w = {1, 2, 3}> { s = Shape(x); e = Expand(w, s); y = Mul(x, e) }`,
    { opset: 8 },
  ),
  alone('dropout-inference', 'Dropout does nothing', `${X} { y = Dropout(x) }`, { opset: 13 }),
  alone('prelu-channels', 'a slope of constants', `${X} <float32[3] s = {0.1, 0.2, 0.3}> { y = PRelu(x, s) }`),
  alone('echo-string', 'texts', '(string[N, 2] x) => (string[N, 2] y) { y = Identity(x) }'),
  alone('string-equal', 'texts against a constant', '(string[N] x) => (bool[N] y) <string[1] k = {"red"}> { y = Equal(x, k) }', {
    opset: 19,
  }),
  alone('string-concat', 'a constant behind each text', '(string[N] x) => (string[N] y) <string[1] k = {"!"}> { y = StringConcat(x, k) }', {
    opset: 20,
  }),
  alone('regex', 'a pattern for each text', '(string[N] x) => (bool[N] y) { y = RegexFullMatch<pattern = "r.*">(x) }', { opset: 20 }),
  alone(
    'tf-idf-rows',
    'each row is a text',
    '(int64[N, 4] x) => (float32[N, 2] y) { y = TfIdfVectorizer<max_gram_length = 1, min_gram_length = 1, max_skip_count = 0, mode = "TF", ngram_counts = [0], ngram_indexes = [0, 1], pool_int64s = [0, 1]>(x) }',
    { opset: 9 },
  ),
];

const moves: readonly RowModel[] = [
  alone('flatten', 'Flatten from axis 1', '(float32[N, 2, 3] x) => (float32[N, 6] y) { y = Flatten(x) }', { opset: 9 }),
  alone(
    'reshape-minus-one',
    '[-1, 6] of [N, 2, 3]',
    '(float32[N, 2, 3] x) => (float32[N, 6] y) <int64[2] s = {-1, 6}> { y = Reshape(x, s) }',
    { opset: 7 },
  ),
  alone(
    'reshape-zero',
    '[0, -1] keeps the rows',
    '(float32[N, 2, 3] x) => (float32[N, 6] y) <int64[2] s = {0, -1}> { y = Reshape(x, s) }',
    { opset: 13 },
  ),
  alone(
    'reshape-computed',
    'the shape is put together from Shape',
    '(float32[N, 2, 3] x) => (float32[N, 6] y) <int64 z = {0}, int64[1] a = {0}, int64[1] rest = {-1}> { s = Shape(x); n = Gather(s, z); u = Unsqueeze(n, a); t = Concat<axis = 0>(u, rest); y = Reshape(x, t) }',
    { opset: 13 },
  ),
  alone(
    'reshape-computed-old',
    'the same by the attributes of old sets',
    '(float32[N, 2, 3] x) => (float32[N, 6] y) <int64 z = {0}, int64[1] rest = {6}> { s = Shape(x); n = Gather<axis = 0>(s, z); u = Unsqueeze<axes = [0]>(n); t = Concat<axis = 0>(u, rest); y = Reshape(x, t) }',
    { opset: 9 },
  ),
  alone(
    'reshape-sliced-shape',
    'Slice of Shape',
    '(float32[N, 2, 3] x) => (float32[N, 6] y) <int64[1] a = {0}, int64[1] b = {1}, int64[1] six = {6}> { s = Shape(x); n = Slice(s, a, b); t = Concat<axis = 0>(n, six); y = Reshape(x, t) }',
    { opset: 11 },
  ),
  alone(
    'reshape-there-and-back',
    'tokens are one axis with rows for a while',
    '(float32[N, 2, 3] x) => (float32[N, 2, 3] y) <int64[2] s = {-1, 3}, float32[3, 3] w = {1, 2, 0, -1, 5}> { f = Reshape(x, s); g = MatMul(f, w); t = Shape(x); y = Reshape(g, t) }',
    { opset: 13 },
  ),
  alone(
    'reshape-products',
    'sizes are multiplied',
    '(float32[N, T, 3] x) => (float32[N, W] y) <int64 z = {0}, int64 one = {1}, int64 two = {2}, int64[1] a = {0}> { s = Shape(x); n = Gather(s, z); t = Gather(s, one); c = Gather(s, two); m = Mul(t, c); nu = Unsqueeze(n, a); mu = Unsqueeze(m, a); k = Concat<axis = 0>(nu, mu); y = Reshape(x, k) }',
    { opset: 13 },
  ),
  alone(
    'transpose-inner',
    'only inner axes change places',
    '(float32[N, 2, 3] x) => (float32[N, 3, 2] y) { y = Transpose<perm = [0, 2, 1]>(x) }',
  ),
  alone(
    'transpose-there-and-back',
    'rows go to the end and return',
    `${CUBE} { t = Transpose<perm = [1, 2, 0]>(x); r = Relu(t); y = Transpose<perm = [2, 0, 1]>(r) }`,
  ),
  alone(
    'squeeze-unsqueeze',
    'an axis behind the rows comes and goes',
    `${X} <int64[1] a = {1}> { u = Unsqueeze(x, a); r = Relu(u); y = Squeeze(r, a) }`,
    { opset: 13 },
  ),
  alone(
    'concat-columns',
    'columns of two inputs',
    '(float32[N, 3] x, float32[N, 2] z) => (float32[N, 5] y) { y = Concat<axis = 1>(x, z) }',
    { opset: 7 },
  ),
  alone(
    'split-columns',
    'columns apart and together',
    `${X4} { a, b = Split<axis = 1, num_outputs = 2>(x); y = Concat<axis = -1>(b, a) }`,
    { opset: 18 },
  ),
  alone('split-old', 'sizes as an attribute', `${X4} { a, b = Split<axis = 1, split = [1, 3]>(x); y = Concat<axis = -1>(b, a) }`, {
    opset: 11,
  }),
  alone(
    'slice-columns',
    'columns in reverse order',
    `${X} <int64[1] a = {-1}, int64[1] b = {-100}, int64[1] axis = {1}, int64[1] s = {-1}> { y = Slice(x, a, b, axis, s) }`,
    { opset: 13 },
  ),
  alone(
    'slice-all-rows',
    'all rows, and columns from 1 on',
    '(float32[N, 3] x) => (float32[N, 2] y) { y = Slice<starts = [0, 1], ends = [2147483647, 3], axes = [0, 1]>(x) }',
    { opset: 9 },
  ),
  alone('gather-columns', 'columns by constant indices', `${X} <int64[3] i = {2, 0, 1}> { y = Gather<axis = 1>(x, i) }`, { opset: 11 }),
  alone(
    'embedding',
    'ids of a row pick from a table',
    '(int64[N, 4] x) => (float32[N, 4, 2] y) <float32[5, 2] w = {1, 2, 3, 4, 5, 6, 7}> { y = Gather(w, x) }',
    { opset: 9 },
  ),
  alone(
    'gather-elements-columns',
    'GatherElements along columns',
    '(float32[N, 3] x, int64[N, 2] i) => (float32[N, 2] y) { y = GatherElements<axis = 1>(x, i) }',
    { opset: 13 },
  ),
  alone(
    'gather-nd-batch-dims',
    'batch_dims=1',
    '(float32[N, 3] x, int64[N, 1] i) => (float32[N] y) { y = GatherND<batch_dims = 1>(x, i) }',
    { opset: 12 },
  ),
  alone(
    'scatter-elements-columns',
    'ScatterElements along columns',
    '(float32[N, 3] x, int64[N, 1] i, float32[N, 1] u) => (float32[N, 3] y) { y = ScatterElements<axis = 1>(x, i, u) }',
    { opset: 16 },
  ),
  alone('pad-columns', 'pads of columns', '(float32[N, 3] x) => (float32[N, 5] y) <int64[4] p = {0, 1, 0, 1}> { y = Pad(x, p) }', {
    opset: 11,
  }),
  alone('pad-attribute', 'pads of old sets', '(float32[N, 3] x) => (float32[N, 5] y) { y = Pad<pads = [0, 1, 0, 1]>(x) }', { opset: 9 }),
  alone('tile-columns', 'columns twice', '(float32[N, 3] x) => (float32[N, 6] y) <int64[2] t = {1, 2}> { y = Tile(x, t) }', { opset: 13 }),
  alone(
    'one-hot',
    'OneHot of a fixed depth',
    '(int64[N] x) => (float32[N, 4] y) <int64 d = {4}, float32[2] v = {0, 1}> { y = OneHot(x, d, v) }',
    { opset: 11 },
  ),
  alone(
    'depth-to-space',
    'channels to space',
    '(float32[N, 4, 2, 2] x) => (float32[N, 1, 4, 4] y) { y = DepthToSpace<blocksize = 2>(x) }',
    { opset: 13 },
  ),
  alone('trilu-inner', 'the triangle of inner axes', '(float32[N, 3, 3] x) => (float32[N, 3, 3] y) { y = Trilu(x) }', { opset: 14 }),
  alone(
    'reverse-sequence',
    'the time is axis 1',
    '(float32[N, 4] x, int64[N] l) => (float32[N, 4] y) <int64 one = {1}> { m = Max(l, one); y = ReverseSequence<time_axis = 1, batch_axis = 0>(x, m) }',
    { opset: 13 },
  ),
  alone(
    'positions',
    'a range along the columns, by their count',
    `${X} <int64 z = {0}, int64 one = {1}> { s = Shape(x); n = Gather(s, one); r = Range(z, n, one); f = Cast<to = 1>(r); y = Add(x, f) }`,
    { opset: 11 },
  ),
  alone(
    'divides-by-columns',
    'the number of columns is the same for all',
    '(float32[N, T] x) => (float32[N, T] y) <int64 one = {1}> { s = Shape(x); n = Gather(s, one); f = Cast<to = 1>(n); y = Div(x, f) }',
    { opset: 13 },
  ),
];

const products: readonly RowModel[] = [
  alone('matmul-constant', 'weights on the right', `${X} <float32[3, 3] w = {1, 2, 0, -1, 5}> { y = MatMul(x, w) }`, { opset: 9 }),
  alone('gemm', 'Gemm with a bias', `${X} <float32[3, 3] w = {1, 2, 0, -1, 5}, float32[3] b = {1}> { y = Gemm<transB = 1>(x, w, b) }`, {
    opset: 7,
  }),
  alone(
    'matmul-left',
    'weights on the left of a stack',
    '(float32[N, 3, 2] x) => (float32[N, 4, 2] y) <float32[4, 3] w = {1, 2, 0, -1, 5}> { y = MatMul(w, x) }',
    { opset: 13 },
  ),
  alone(
    'matmul-stack',
    'each row has its own two matrices',
    '(float32[N, 2, 3] x) => (float32[N, 2, 2] y) { t = Transpose<perm = [0, 2, 1]>(x); y = MatMul(x, t) }',
    { opset: 13 },
  ),
  alone(
    'einsum-weights',
    'weights are contracted with columns',
    '(float32[N, 3] x) => (float32[N, 2] y) <float32[3, 2] w = {1, 2, 0, -1, 5}> { y = Einsum<equation = "nc,cd->nd">(x, w) }',
    { opset: 12 },
  ),
  alone(
    'einsum-stack',
    'the letter of rows stays everywhere',
    '(float32[N, 2, 3] x) => (float32[N, 2, 2] y) { y = Einsum<equation = "bic,bjc->bij">(x, x) }',
    { opset: 13 },
  ),
  alone('det', 'a determinant a row', '(float32[N, 2, 2] x) => (float32[N] y) { y = Det(x) }', { opset: 11 }),
  alone(
    'matmul-integer',
    'integers times weights',
    '(uint8[N, 3] x) => (int32[N, 2] y) <uint8[3, 2] w = {1, 2, 3, 50}> { y = MatMulInteger(x, w) }',
    { opset: 10 },
  ),
];

/** Operators of models that mix, along other axes. */
export const rowWiseOperators: readonly RowModel[] = [...everyReduction, ...axes, ...elements, ...moves, ...products];
