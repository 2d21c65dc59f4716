import { rowModel as mix, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';
const X4 = '(float32[N, 4] x) => (float32[N, 4] y)';
const CUBE = '(float32[N, 2, 3] x) => (float32[N, 2, 3] y)';

const kinds = ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'];

/** Every operator that reduces, with its axes as an attribute and as an input. */
const everyReduction: readonly RowModel[] = kinds.flatMap((kind, index) => [
  mix(
    `reduce-${kind.toLowerCase()}-attribute`,
    `Reduce${kind} over axes=[0], an attribute`,
    `${X} { a = Abs(x); m = Reduce${kind}<axes = [0], keepdims = 1>(a); y = Sub(x, m) }`,
    { opset: 7 + (index % 5) },
  ),
  mix(
    `reduce-${kind.toLowerCase()}-input`,
    `Reduce${kind} over axis -2 of two, an input`,
    `${X} <int64[1] axes = {-2}> { a = Abs(x); m = Reduce${kind}<keepdims = 1>(a, axes); y = Sub(x, m) }`,
    { opset: 18 + (index % 5) },
  ),
]);

const axes: readonly RowModel[] = [
  mix('reduce-without-axes', 'no axes means all', `${X} { m = ReduceMean(x); y = Sub(x, m) }`, { opset: 13 }),
  mix('reduce-sum-without-axes', 'no axes means all, also for the form with an input', `${X} { m = ReduceSum(x); y = Sub(x, m) }`),
  mix(
    'reduce-empty-axes',
    'an empty list of axes means all unless noop_with_empty_axes',
    `${X} <int64[0] axes = {}> { m = ReduceMax<noop_with_empty_axes = 0>(x, axes); y = Sub(x, m) }`,
    { opset: 18 },
  ),
  mix('reduce-both-axes', 'axis 0 beside a harmless one', `${X} { m = ReduceMax<axes = [1, 0]>(x); y = Sub(x, m) }`, { opset: 12 }),
  mix(
    'reduce-without-keepdims',
    'the lost axis comes back by broadcasting',
    `${X} { m = ReduceMean<axes = [0], keepdims = 0>(x); y = Sub(x, m) }`,
    { opset: 9 },
  ),
  mix(
    'reduce-computed-axes',
    'the axes are arithmetic of constants',
    `${X} <int64[1] one = {1}> { axes = Sub(one, one); m = ReduceMax(x, axes); y = Sub(x, m) }`,
    { opset: 20 },
  ),
  mix(
    'reduce-axes-by-rank',
    'the axis is the rank of x minus two',
    `${X} <int64[1] two = {2}> { s = Shape(x); r = Shape(s); axes = Sub(r, two); m = ReduceSum(x, axes); y = Sub(x, m) }`,
  ),
  mix(
    'reduce-transposed',
    'axis 1 of the transposed is axis 0',
    `${X} { t = Transpose<perm = [1, 0]>(x); m = ReduceMax<axes = [1]>(t); d = Sub(t, m); y = Transpose<perm = [1, 0]>(d) }`,
    {
      opset: 8,
    },
  ),
  mix(
    'reduce-transposed-by-default',
    'Transpose without perm turns the axes round',
    `${CUBE} { t = Transpose(x); m = ReduceMean<axes = [-1]>(t); d = Sub(t, m); y = Transpose(d) }`,
  ),
  mix(
    'reduce-transposed-twice',
    'three axes in a circle: 0 becomes 2, then 1',
    `${CUBE} { a = Transpose<perm = [1, 2, 0]>(x); b = Transpose<perm = [1, 2, 0]>(a); m = ReduceMax<axes = [1]>(b); d = Sub(b, m); y = Transpose<perm = [1, 2, 0]>(d) }`,
  ),
  mix(
    'reduce-unsqueezed',
    'a new axis in front moves the rows to axis 1',
    `${X} <int64[1] front = {0}> { u = Unsqueeze(x, front); m = ReduceMean<axes = [1], keepdims = 0>(u); y = Sub(x, m) }`,
    { opset: 13 },
  ),
  mix(
    'reduce-unsqueezed-attribute',
    'a new axis in front, by the attribute of old sets',
    `${X} { u = Unsqueeze<axes = [0]>(x); m = ReduceMean<axes = [1], keepdims = 0>(u); y = Sub(x, m) }`,
    { opset: 10 },
  ),
  mix(
    'reduce-vector',
    'the only axis of [N], counted from behind',
    `(float32[N] x) => (float32[N] y) { m = ReduceMean<axes = [-1]>(x); y = Sub(x, m) }`,
  ),
  mix(
    'reduce-second-output',
    'only one of two outputs mixes',
    `(float32[N, 3] x) => (float32[N, 3] same, float32[N, 3] y) { same = Identity(x); m = ReduceMax<axes = [0]>(x); y = Mul(x, m) }`,
  ),
  mix(
    'reduce-second-input',
    'only the second input is reduced',
    `(float32[N, 3] x, float32[N, 3] z) => (float32[N, 3] y) { m = ReduceMax<axes = [0]>(z); y = Mul(x, m) }`,
  ),
  mix('reduce-counts', 'a sum of ones counts the rows', `${X} <int64[1] a = {0}> { o = Div(x, x); s = ReduceSum(o, a); y = Add(x, s) }`),
];

const scans: readonly RowModel[] = [
  mix(
    'argmax-axis-0',
    'the index of the row with the largest value',
    `${X} { i = ArgMax<axis = 0, keepdims = 1>(x); f = Cast<to = 1>(i); y = Add(x, f) }`,
    {
      opset: 11,
      rows: [
        [1, 2, 3],
        [5, 0, 0],
        [9, 9, 9],
      ],
    },
  ),
  mix('argmax-default-axis', 'the default axis is 0', `${X} { i = ArgMax<keepdims = 0>(x); f = Cast<to = 1>(i); y = Add(x, f) }`, {
    opset: 13,
    rows: [
      [1, 2, 3],
      [5, 0, 0],
    ],
  }),
  mix(
    'argmin-select-last',
    'the last of equal rows',
    `${X} { i = ArgMin<axis = -2, select_last_index = 1>(x); f = Cast<to = 1>(i); y = Add(x, f) }`,
    {
      opset: 12,
      rows: [
        [1, 1, 1],
        [1, 1, 1],
      ],
    },
  ),
  mix('topk-axis-0', 'the largest row of each column', `${X} <int64[1] k = {1}> { v, i = TopK<axis = 0>(x, k); y = Sub(x, v) }`, {
    opset: 11,
  }),
  mix('topk-attribute', 'k as an attribute, along rows', `${X} { v, i = TopK<axis = 0, k = 1>(x); y = Sub(x, v) }`, { opset: 9 }),
  mix(
    'topk-sorts-rows',
    'k is the number of rows: each column is sorted',
    `${X} <int64[1] z = {0}> { s = Shape(x); k = Gather<axis = 0>(s, z); y, i = TopK<axis = 0>(x, k) }`,
    { opset: 11 },
  ),
  mix(
    'median-of-rows',
    'a quantile: the row in the middle of the sorted',
    `${X} <int64[1] z = {0}, int64[1] two = {2}> { s = Shape(x); n = Gather<axis = 0>(s, z); v, i = TopK<axis = 0, largest = 0>(x, n); h = Div(n, two); m = Gather<axis = 0>(v, h); y = Sub(x, m) }`,
    { opset: 13 },
  ),
  mix('cumsum-axis-0', 'sums of the rows before', `${X} <int64 a = {0}> { y = CumSum(x, a) }`, { opset: 11 }),
  mix('cumsum-negative-axis', 'axis -2 of two', `${X} <int64 a = {-2}> { y = CumSum(x, a) }`, { opset: 14 }),
  mix('cumsum-exclusive', 'only the rows before', `${X} <int32 a = {0}> { y = CumSum<exclusive = 1>(x, a) }`, { opset: 14 }),
  mix('cumsum-reverse', 'the rows behind', `${X} <int64 a = {0}> { y = CumSum<reverse = 1>(x, a) }`),
  mix('softmax-axis-0', 'exponentials of all rows are one', `${X} { y = Softmax<axis = 0>(x) }`, { opset: 13 }),
  mix('softmax-axis-minus-2', 'axis -2 of two', `${X} { y = Softmax<axis = -2>(x) }`, { opset: 18 }),
  mix('softmax-11-axis-0', 'before set 13, axis 0 makes one row of everything', `${X} { y = Softmax<axis = 0>(x) }`, { opset: 11 }),
  mix('softmax-7-axis-0', 'one row of everything, three axes', `${CUBE} { y = Softmax<axis = 0>(x) }`, { opset: 7 }),
  mix(
    'softmax-11-transposed',
    'before set 13, axis 1 takes all axes behind: the rows lie there',
    `${CUBE} { t = Transpose<perm = [1, 2, 0]>(x); s = Softmax<axis = 1>(t); y = Transpose<perm = [2, 0, 1]>(s) }`,
    { opset: 11 },
  ),
  mix(
    'softmax-default-11-transposed',
    'before set 13, the default axis 1 takes the rows behind it too',
    `${CUBE} { t = Transpose<perm = [1, 2, 0]>(x); s = Softmax(t); y = Transpose<perm = [2, 0, 1]>(s) }`,
    { opset: 9 },
  ),
  mix('softmax-vector', 'the default axis of [N] is its only one', '(float32[N] x) => (float32[N] y) { y = Softmax(x) }', { opset: 13 }),
  mix('softmax-default-transposed', 'the default axis -1 holds the rows', `${X} { t = Transpose(x); s = Softmax(t); y = Transpose(s) }`),
  mix('log-softmax-axis-0', 'LogSoftmax along rows', `${X} { y = LogSoftmax<axis = 0>(x) }`, { opset: 13 }),
  mix('log-softmax-11', 'LogSoftmax of one row of everything', `${X} { y = LogSoftmax<axis = 0>(x) }`, { opset: 11 }),
  mix('hardmax-axis-0', 'Hardmax along rows', `${X} { y = Hardmax<axis = 0>(x) }`, { opset: 13 }),
  mix('hardmax-11-axis-0', 'Hardmax of one row of everything', `${X} { y = Hardmax<axis = 0>(x) }`, { opset: 11 }),
];

const products: readonly RowModel[] = [
  mix('matmul-self-transposed', 'X times its transposed', `${X} { t = Transpose(x); g = MatMul(x, t); y = MatMul(g, x) }`, { opset: 9 }),
  mix('matmul-transposed-self', 'the transposed times X: a covariance', `${X} { t = Transpose(x); g = MatMul(t, x); y = MatMul(x, g) }`),
  mix('matmul-vectors', 'the dot product of two vectors of rows', '(float32[N] x) => (float32[N] y) { d = MatMul(x, x); y = Mul(x, d) }'),
  mix('gemm-trans-a', 'Gemm with transA', `${X} { g = Gemm<transA = 1>(x, x); y = MatMul(x, g) }`, { opset: 11 }),
  mix('gemm-trans-b', 'Gemm of X with itself and transB', `${X} { g = Gemm<transB = 1>(x, x); y = MatMul(g, x) }`, { opset: 13 }),
  mix(
    'gemm-bias-of-rows',
    'the bias is the first row',
    `${X} <int64[1] z = {0}, float32[3, 3] w = {1, 2, 0, 1, -1}> { c = Gather<axis = 0>(x, z); y = Gemm(x, w, c) }`,
    { opset: 13 },
  ),
  mix(
    'matmul-two-inputs',
    'scores of rows against the rows of another input',
    '(float32[N, 3] x, float32[N, 3] w) => (float32[N, 3] y) { t = Transpose(w); s = MatMul(x, t); y = MatMul(s, w) }',
  ),
  mix('attention-over-rows', 'softmax(X Xᵀ) X', `${X} { t = Transpose(x); s = MatMul(x, t); p = Softmax<axis = 1>(s); y = MatMul(p, x) }`),
  mix('einsum-sums-rows', 'rows are contracted', `${X} { m = Einsum<equation = "ij->j">(x); y = Sub(x, m) }`, { opset: 12 }),
  mix('einsum-gram', 'rows against rows', `${X} { g = Einsum<equation = "ij,kj->ik">(x, x); y = Einsum<equation = "ik,kj->ij">(g, x) }`, {
    opset: 12,
  }),
  mix(
    'einsum-implicit',
    'without an arrow the letters that occur twice are summed',
    `${X} { m = Einsum<equation = "ba,bc">(x, x); y = MatMul(x, m) }`,
  ),
  mix(
    'einsum-ellipsis',
    'the ellipsis keeps columns, the letter sums rows',
    `${X} { m = Einsum<equation = "i...->...">(x); y = Sub(x, m) }`,
    { opset: 13 },
  ),
  mix(
    'matmul-integer-gram',
    'integers times their transposed',
    '(uint8[N, 3] x) => (int32[N, 3] y) { t = Transpose(x); g = MatMulInteger(t, x); c = Cast<to = 6>(x); y = MatMul(c, g) }',
    { opset: 10 },
  ),
  mix(
    'matmul-batched',
    'rows are contracted in each matrix of a stack',
    '(float32[N, 3, 3] x) => (float32[N, 3, 3] y) { a = Transpose<perm = [1, 2, 0]>(x); b = Transpose<perm = [1, 0, 2]>(x); g = MatMul(a, b); m = ReduceMax<axes = [0], keepdims = 0>(g); y = Add(x, m) }',
  ),
];

const normalisations: readonly RowModel[] = [
  mix('lp-normalization-rows', 'the norm of columns', `${X} { y = LpNormalization<axis = 0, p = 2>(x) }`, { opset: 7 }),
  mix('lp-normalization-p1', 'the norm of columns, p=1', `${X} { y = LpNormalization<axis = 0, p = 1>(x) }`),
  mix('lp-normalization-default-vector', 'the default axis -1 of [N]', '(float32[N] x) => (float32[N] y) { y = LpNormalization(x) }'),
  mix(
    'mean-variance-default',
    'the default axes are 0, 2 and 3',
    '(float32[N, 2, 1, 3] x) => (float32[N, 2, 1, 3] y) { y = MeanVarianceNormalization(x) }',
    { opset: 13 },
  ),
  mix('mean-variance-axes', 'axes that name 0', `${X} { y = MeanVarianceNormalization<axes = [0]>(x) }`, { opset: 9 }),
  mix(
    'batch-norm-training',
    'training_mode=1 takes mean and variance of the batch',
    '(float32[N, 3] x) => (float32[N, 3] y) <float32[3] s = {1}, float32[3] b = {0}, float32[3] m = {0}, float32[3] v = {1}> { y, rm, rv = BatchNormalization<training_mode = 1>(x, s, b, m, v) }',
    { opset: 15 },
  ),
  mix(
    'batch-norm-computed-statistics',
    'mean and variance are computed from the batch',
    `${X} <float32[3] s = {1}, float32[3] b = {0}> { m = ReduceMean<axes = [0], keepdims = 0>(x); d = Sub(x, m); q = Mul(d, d); v = ReduceMean<axes = [0], keepdims = 0>(q); y = BatchNormalization(x, s, b, m, v) }`,
    { opset: 9 },
  ),
  mix(
    'instance-norm-rows-as-space',
    'rows lie where each channel is normalised',
    `${X} <float32[3] s = {1}, float32[3] b = {0}> { t = Transpose(x); u = Unsqueeze<axes = [0]>(t); n = InstanceNormalization(u, s, b); q = Squeeze<axes = [0]>(n); y = Transpose(q) }`,
    { opset: 11 },
  ),
  mix(
    'layer-norm-axis-0',
    'LayerNormalization from axis 0',
    '(float32[N, 3] x) => (float32[N, 3] y) <int64[1] z = {0}> { s = Shape(x); o = ConstantOfShape<value = float32[1] {1}>(s); y = LayerNormalization<axis = 0>(x, o) }',
  ),
  mix(
    'layer-norm-transposed',
    'the last axis holds the rows',
    `${X} { t = Transpose(x); s = Shape<start = 1>(t); o = ConstantOfShape<value = float32[1] {1}>(s); n = LayerNormalization<axis = -1>(t, o); y = Transpose(n) }`,
  ),
  mix(
    'group-norm-rows-as-space',
    'rows lie inside a group',
    `${X} <int64[1] z = {0}, float32[3] s = {1}, float32[3] b = {0}> { t = Transpose(x); u = Unsqueeze(t, z); n = GroupNormalization<num_groups = 3>(u, s, b); q = Squeeze(n, z); y = Transpose(q) }`,
    { opset: 21 },
  ),
  mix(
    'lrn-rows-as-channels',
    'each channel is divided by its neighbours',
    `${X4} <int64[4] up = {1, -1, 4, 1}, int64[2] down = {-1, 4}> { u = Reshape(x, up); n = LRN<size = 3, alpha = 1.0, beta = 0.75>(u); y = Reshape(n, down) }`,
  ),
  mix(
    'loss-mean',
    'the mean loss of the batch',
    '(float32[N, 3] x, int64[N] t) => (float32[N, 3] y) { l = SoftmaxCrossEntropyLoss<reduction = "mean">(x, t); y = Sub(x, l) }',
    { opset: 13 },
  ),
  mix(
    'loss-sum',
    'the sum of negative likelihoods',
    '(float32[N, 3] x, int64[N] t) => (float32[N, 3] y) { l = NegativeLogLikelihoodLoss<reduction = "sum">(x, t); y = Sub(x, l) }',
    { opset: 13 },
  ),
  mix(
    'batch-standardise',
    'mean and deviation of the batch',
    `${X} <float32 e = {0.01}> { m = ReduceMean<axes = [0]>(x); d = Sub(x, m); q = Mul(d, d); v = ReduceMean<axes = [0]>(q); w = Add(v, e); s = Sqrt(w); y = Div(d, s) }`,
  ),
  mix(
    'min-max-scale',
    'least and most of the batch',
    `${X} <float32 e = {1}> { a = ReduceMin<axes = [0]>(x); b = ReduceMax<axes = [0]>(x); r = Sub(b, a); s = Add(r, e); d = Sub(x, a); y = Div(d, s) }`,
  ),
  mix('variadic-mean', 'Mean of X and of its largest row', `${X} { m = ReduceMax<axes = [0]>(x); y = Mean(x, m) }`),
];

/** Models that sum, compare, sort or normalise over the rows of a batch. */
export const mixingReductions: readonly RowModel[] = [...everyReduction, ...axes, ...scans, ...products, ...normalisations];
