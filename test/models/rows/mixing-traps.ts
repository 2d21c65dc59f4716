import { rowModel as mix, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';

/** Axes that move although nothing seems to move them. */
const axes: readonly RowModel[] = [
  mix(
    'broadcast-adds-axis',
    'a constant of three axes puts one in front of the rows',
    `${X} <float32[1, 1, 3] w = {1, 2, 3}> { m = Mul(x, w); r = ReduceMax<axes = [1], keepdims = 0>(m); y = Sub(x, r) }`,
    { opset: 13 },
  ),
  mix(
    'where-adds-axis',
    'the condition has three axes',
    `${X} <bool[1, 1, 3] c = {1, 0, 1}, float32 zero = {0}> { m = Where(c, x, zero); r = ReduceMax<axes = [-2], keepdims = 0>(m); y = Sub(x, r) }`,
  ),
  mix(
    'expand-adds-axis',
    'the shape has three sizes',
    `${X} <int64[1] z = {0}, int64[3] s = {1, 1, 3}> { m = Expand(x, s); p = Softmax<axis = 1>(m); r = ReduceSum<keepdims = 0>(p, z); y = Add(x, r) }`,
    { opset: 13 },
  ),
  mix(
    'matmul-adds-axis',
    'a stack of weights puts an axis in front',
    `${X} <float32[1, 3, 3] w = {1, 2, 0, -1, 5}> { m = MatMul(x, w); r = ReduceMean<axes = [1], keepdims = 0>(m); y = Sub(x, r) }`,
    { opset: 9 },
  ),
  mix(
    'gather-axis-1-of-table',
    'ids stand in axis 1 of what they pick',
    '(int64[N] i) => (float32[N, 3] y) <float32[3, 5] w = {1, 2, 3, 5, 7, 11, 13}> { g = Gather<axis = 1>(w, i); p = Softmax<axis = 1>(g); y = Transpose(p) }',
    { opset: 13 },
  ),
  mix(
    'one-hot-axis-0',
    'OneHot puts its axis in front',
    '(int64[N] i) => (float32[N, 3] y) <int64 d = {3}, float32[2] v = {0, 1}> { o = OneHot<axis = 0>(i, d, v); p = Softmax<axis = -1>(o); y = Transpose(p) }',
    { opset: 13 },
  ),
  mix(
    'one-hot-negative-axis',
    'axis -2 of two is in front',
    '(int64[N] i) => (float32[N, 3] y) <int64 d = {3}, float32[2] v = {0, 1}> { o = OneHot<axis = -2>(i, d, v); p = Softmax<axis = -1>(o); y = Transpose(p) }',
    { opset: 11 },
  ),
  mix(
    'einsum-turns',
    'an equation exchanges the axes',
    `${X} { t = Einsum<equation = "ni->in">(x); p = Softmax<axis = -1>(t); y = Einsum<equation = "in -> ni">(p) }`,
    { opset: 12 },
  ),
  mix(
    'einsum-diagonal',
    'a letter twice is the diagonal of rows and columns',
    '(float32[N, 3] x) => (float32[N, 3] y) { t = Transpose(x); g = MatMul(x, t); d = Einsum<equation = "ii->i">(g); s = ReduceSum(d); y = Sub(x, s) }',
    { opset: 13 },
  ),
  mix(
    'loop-scan-output-rows',
    'the states of all turns push the rows to axis 1',
    `${X} <int64 one = {1}> { l, a = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w, float32[N, 3] o) { w = Relu(v); o = Neg(v); k2 = Identity(k) }>(one, "", x); r = ReduceMax<axes = [1], keepdims = 0>(a); y = Sub(x, r) }`,
    { opset: 13 },
  ),
  mix(
    'sequence-stack-front',
    'new_axis puts one in front of the rows',
    `${X} { q = SequenceConstruct(x, x); a = ConcatFromSequence<axis = 0, new_axis = 1>(q); r = ReduceMax<axes = [0, 1], keepdims = 0>(a); y = Sub(x, r) }`,
    { opset: 13 },
  ),
  mix(
    'symbol-of-another-axis',
    'N names rows of x and columns of z',
    '(float32[N, 2] x, float32[M, N] z) => (float32[N, 2] y) <int64[1] rest = {-1}> { n = Shape<start = 1>(z); s = Concat<axis = 0>(n, rest); r = Reshape(x, s); m = ReduceMax<axes = [1]>(r); y = Sub(x, m) }',
    {
      rows: [
        { x: [1, 2], z: [0] },
        { x: [7, 8], z: [0] },
      ],
    },
  ),
  mix(
    'output-declares-less',
    'an output declared as [N, 3] holds rows of pairs',
    '(float32[N, 3] x) => (float32[N, 3] y) <int64[1] a = {0}, int64[1] b = {1}> { p = Unsqueeze(x, a); q = Unsqueeze(x, b); d = Max(p, q); y = ReduceMax<axes = [0], keepdims = 0>(d) }',
  ),
  mix(
    'reshape-one-token',
    'a size of 1 by -1 holds the rows',
    `${X} <int64[3] s = {-1, 1, 3}> { t = Transpose(x); r = Reshape(t, s); m = ReduceMax<axes = [0], keepdims = 0>(r); y = Sub(x, m) }`,
  ),
];

/** Sizes, positions and axes that come from the data of all rows. */
const dynamic: readonly RowModel[] = [
  mix(
    'trims-to-longest',
    'columns up to the longest length of the batch, then their mean',
    '(float32[N, 4] x, int64[N] l) => (float32[N, 1] y) <int64[1] z = {0}, int64[1] one = {1}> { m = ReduceMax<keepdims = 1>(l); e = Max(m, one); s = Slice(x, z, e, one); y = ReduceMean<axes = [1]>(s) }',
    {
      opset: 13,
      rows: [
        { x: [1, 2, 3, 4], l: [1] },
        { x: [5, 6, 7, 8], l: [4] },
      ],
    },
  ),
  mix(
    'gather-column-by-batch',
    'the largest id of the batch names a column of all',
    '(float32[N, 4] x, int64[N] i) => (float32[N] y) { m = ReduceMax<keepdims = 0>(i); y = Gather<axis = 1>(x, m) }',
    {
      opset: 13,
      rows: [
        { x: [1, 2, 3, 4], i: [0] },
        { x: [5, 6, 7, 8], i: [3] },
      ],
    },
  ),
  mix(
    'top-k-by-batch',
    'k is the largest number of the batch',
    '(float32[N, 4] x, int64[N] k) => (float32[N, 1] y) <int64[1] a = {1}> { m = ReduceMax<keepdims = 1>(k); v, i = TopK(x, m); y = ReduceSum(v, a) }',
    {
      opset: 13,
      rows: [
        { x: [1, 2, 3, 4], k: [1] },
        { x: [5, 6, 7, 8], k: [3] },
      ],
    },
  ),
  mix(
    'pad-by-batch',
    'the pads are the largest number of the batch',
    '(float32[N, 2] x, int64[N] p) => (float32[N, 1] y) <int64[3] z = {0}> { m = ReduceMax<keepdims = 1>(p); s = Concat<axis = 0>(z, m); q = Pad(x, s); y = ReduceMean<axes = [1]>(q) }',
    {
      opset: 13,
      rows: [
        { x: [1, 2], p: [0] },
        { x: [5, 6], p: [2] },
      ],
    },
  ),
  mix(
    'cumsum-axis-by-data',
    'the axis itself is computed',
    '(float32[N, 2] x, int64[N] a) => (float32[N, 2] y) { m = ReduceMin<keepdims = 0>(a); y = CumSum(x, m) }',
    {
      opset: 14,
      rows: [
        { x: [1, 2], a: [0] },
        { x: [5, 6], a: [1] },
      ],
    },
  ),
  mix(
    'trilu-by-batch',
    'k of Trilu is the largest number of the batch',
    '(float32[N, 2, 2] x, int64[N] k) => (float32[N, 2, 2] y) { m = ReduceMax<keepdims = 0>(k); y = Trilu(x, m) }',
    {
      opset: 14,
      rows: [
        { x: [1, 2, 3, 4], k: [0] },
        { x: [5, 6, 7, 8], k: [1] },
      ],
    },
  ),
  mix(
    'range-by-batch',
    'the limit of Range is the largest number of the batch',
    '(int64[N] x) => (int64[N] y) <int64 z = {0}, int64 one = {1}> { m = ReduceMax<keepdims = 0>(x); r = Range(z, m, one); s = ReduceSum<keepdims = 0>(r); y = Add(x, s) }',
    {
      opset: 13,
      rows: [[2], [5]],
    },
  ),
  mix(
    'quantise-zero-point-by-batch',
    'the zero point is a minimum of the batch',
    '(uint8[N, 3] x) => (float32[N, 3] y) <float32 s = {0.5}> { m = ReduceMin<keepdims = 0>(x); y = DequantizeLinear(x, s, m) }',
    {
      opset: 13,
      rows: [
        [10, 20, 30],
        [1, 2, 3],
      ],
    },
  ),
  mix(
    'conv-integer-zero-point',
    'the zero point of a convolution is a minimum of the batch',
    '(uint8[N, 1, 3] x) => (int32[N, 1, 3] y) <uint8[1, 1, 1] w = {3}> { m = ReduceMin<keepdims = 0>(x); y = ConvInteger(x, w, m) }',
    {
      opset: 13,
      rows: [
        [10, 20, 30],
        [1, 2, 3],
      ],
    },
  ),
  mix(
    'weights-by-batch',
    'the weights of MatMul are a mean of the batch',
    '(float32[N, 3] x, float32[N, 3, 3] w) => (float32[N, 3] y) { m = ReduceMean<axes = [0], keepdims = 0>(w); y = MatMul(x, m) }',
    { opset: 13 },
  ),
  mix(
    'initial-state-by-batch',
    'the initial state of an LSTM is a maximum of the batch',
    '(float32[N, 4, 3] x) => (float32[N, 2] y) <float32[1, 8, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 8, 2] r = {0.2, 0.4, -0.1}, int64[1] two = {2}, int64[1] one2 = {1}, int64[2] ax = {1, 2}, int64[1] z = {0}> { t = Transpose<perm = [1, 0, 2]>(x); a = ReduceMax<axes = [0, 1, 2]>(x); s = Slice(x, z, two, one2); f = ReduceSum<keepdims = 1>(s, ax); g = Concat<axis = 2>(f, f); e = Add(a, g); q = Transpose<perm = [1, 0, 2]>(e); o, h = LSTM<hidden_size = 2>(t, w, r, "", "", q, q); y = Squeeze(h, z) }',
    { opset: 14 },
  ),
];

/** The number of rows, read in other ways. */
const counts: readonly RowModel[] = [
  mix(
    'if-single-row',
    'torch writes `if x.shape[0] == 1` as an If',
    `${X} <int64 z = {0}, int64 one = {1}> { s = Shape(x); n = Gather(s, z); c = Equal(n, one); y = If<then_branch = () => (a) { a = Neg(x) }, else_branch = () => (b) { b = Identity(x) }>(c) }`,
    { opset: 13 },
  ),
  mix(
    'where-single-row',
    'the same with Where',
    `${X} <int64[1] one = {1}> { n = Shape<end = -1>(x); c = Equal(n, one); m = Neg(x); y = Where(c, m, x) }`,
    { opset: 15 },
  ),
  mix(
    'parity-of-count',
    'an even number of rows',
    `${X} <int64 z = {0}, int64 two = {2}> { s = Shape(x); n = Gather(s, z); p = Mod(n, two); f = Cast<to = 1>(p); y = Add(x, f) }`,
    {
      opset: 13,
      rows: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
  ),
  mix(
    'count-up-to-two',
    'the smaller one of the number of rows and 2',
    `${X} <int64 z = {0}, int64 two = {2}> { s = Shape(x); n = Gather(s, z); m = Min(n, two); f = Cast<to = 1>(m); y = Add(x, f) }`,
    { opset: 13 },
  ),
  mix('shape-from-behind', 'Shape from -2 to -1', `${X} { n = Shape<start = -2, end = -1>(x); f = Cast<to = 1>(n); y = Sub(x, f) }`, {
    opset: 15,
  }),
  mix(
    'count-of-sequence-loop',
    'one turn for each element',
    `${X} { n = Size(x); y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { w = Add(v, v); k2 = Identity(k) }>(n, "", x) }`,
    { opset: 13 },
  ),
  mix(
    'max-pool-indices',
    'the second output of MaxPool counts through all rows',
    '(float32[N, 1, 4] x) => (int64[N, 1, 2] y) { v, y = MaxPool<kernel_shape = [2], strides = [2]>(x) }',
    { opset: 12 },
  ),
  mix(
    'gather-elements-row-number',
    'row n of a table serves row n',
    '(int64[N, 2] i) => (float32[N, 2] y) <float32[8, 3] w = {1, 2, 3, 5, 7}> { y = GatherElements<axis = 1>(w, i) }',
    { opset: 13 },
  ),
  mix(
    'scatter-memory',
    'rows write into one memory and read it again',
    '(float32[N, 3] x, int64[N, 1] i) => (float32[N, 3] y) <float32[8, 3] w = {0}> { m = ScatterND(w, i, x); y = GatherND(m, i) }',
    {
      opset: 13,
      rows: [
        { x: [1, 2, 3], i: [0] },
        { x: [4, 5, 6], i: [0] },
      ],
    },
  ),
  mix(
    'compress-by-other-input',
    'flags of all rows choose the columns of all',
    '(float32[N, 3] x, bool[N, 3] c) => (float32[N, 1] y) <int64[1] a = {1}> { f = Cast<to = 6>(c); m = ReduceMax<axes = [0], keepdims = 0>(f); b = Cast<to = 9>(m); k = Compress<axis = 1>(x, b); y = ReduceSum(k, a) }',
    {
      opset: 13,
      rows: [
        { x: [1, 2, 3], c: [true, false, false] },
        { x: [4, 5, 6], c: [false, true, false] },
      ],
    },
  ),
];

/** Names that mean something else elsewhere. */
const names: readonly RowModel[] = [
  mix(
    'names-of-branches',
    'both branches call their value m, one mixes',
    `${X} <bool c = {0}> { y = If<then_branch = () => (m) { m = Relu(x) }, else_branch = () => (m) { t = ReduceMax<axes = [0]>(x); m = Sub(x, t) }>(c) }`,
    { opset: 13 },
  ),
  mix(
    'names-of-function',
    'the function calls its mean as the graph calls its input',
    `${X} { y = local.f(x) } function local.f(y) => (z) { x = ReduceMean<axes = [0]>(y); z = Sub(y, x) }`,
  ),
  mix(
    'function-swaps-arguments',
    'the second argument is the one that is reduced',
    `(float32[N, 3] x, float32[N, 3] z) => (float32[N, 3] y) { y = local.f(z, x) } function local.f(a, b) => (c) { m = ReduceMax<axes = [0]>(b); c = Add(a, m) }`,
  ),
  mix(
    'function-equation',
    'the call gives the equation of Einsum',
    `${X} { m = local.f<e = "ij->j">(x); y = Sub(x, m) } function local.f<e>(a) => (b) { b = Einsum<equation: string = @e>(a) }`,
  ),
  mix(
    'function-perm',
    'the call gives the perm of Transpose',
    `${X} { t = local.f<p = [1, 0]>(x); m = Softmax<axis = -1>(t); y = local.f<p = [1, 0]>(m) } function local.f<p>(a) => (b) { b = Transpose<perm: ints = @p>(a) }`,
  ),
  mix(
    'function-constant',
    'the call gives the axes of a Constant',
    `${X} { m = local.f<a = [0]>(x); y = Sub(x, m) } function local.f<a>(x) => (b) { k = Constant<value_ints: ints = @a>(); b = ReduceMax(x, k) }`,
    { opset: 18 },
  ),
  mix(
    'loop-captures-outer-state',
    'the body of an inner Loop reads the state of the outer one',
    `${X} <int64 two = {2}, int64 three = {3}> { y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { w = Loop<body = (int64 j, bool l, float32[N, 3] u) => (bool l2, float32[N, 3] q) { m = ReduceMax<axes = [0]>(v); q = Sub(u, m); l2 = Identity(l) }>(three, "", v); k2 = Identity(k) }>(two, "", x) }`,
    { opset: 13 },
  ),
  mix(
    'outputs-out-of-order',
    'the output that mixes is declared first',
    '(float32[N, 3] x) => (float32[N, 3] b, float32[N, 3] a) { a = Relu(x); m = ReduceMax<axes = [0]>(x); b = Sub(x, m) }',
  ),
  mix(
    'input-as-output',
    'one output is the input itself',
    '(float32[N, 3] x) => (float32[N, 3] same, float32[N, 3] y) { same = Identity(x); y = Softmax<axis = 0>(x) }',
  ),
  mix(
    'softmax-in-old-function-set',
    'Softmax of set 12 takes the axes behind',
    '(float32[N, 2, 3] x) => (float32[N, 2, 3] y) { t = Transpose<perm = [1, 0, 2]>(x); s = local.f(t); y = Transpose<perm = [1, 0, 2]>(s) } function local.f(a) => (b) { b = Softmax<axis = 1>(a) }',
    { opset: 12 },
  ),
];

/** Models on which a careless analysis is wrong. */
export const mixingTraps: readonly RowModel[] = [...axes, ...dynamic, ...counts, ...names];
