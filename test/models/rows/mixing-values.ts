import { rowModel as mix, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';
const IDS = '(int64[N, 3] x) => (int64[N, 3] y)';

/** Rows that meet only where one holds a value above 1. */
const big = [
  [0.5, 0.25, 0.125],
  [200, 100, 0],
];
/** Rows that meet only where one holds a NaN. */
const missing = [
  [1, 2, 3],
  [NaN, 4, 5],
  [100, NaN, 7],
];

const conditions: readonly RowModel[] = [
  mix(
    'rescale-if-big',
    'if x.max() > 1: x = x / 255, in the forward() of public models',
    `${X} <float32 one = {1}, float32 scale = {255}> {
      m = ReduceMax<keepdims = 0>(x); c = Greater(m, one)
      y = If<then_branch = () => (a) { a = Div(x, scale) }, else_branch = () => (b) { b = Identity(x) }>(c)
    }`,
    { rows: big },
  ),
  mix(
    'rescale-where',
    'the same with Where',
    `${X} <float32 one = {1}, float32 scale = {255}> { m = ReduceMax<keepdims = 0>(x); c = Greater(m, one); d = Div(x, scale); y = Where(c, d, x) }`,
    {
      opset: 9,
      rows: big,
    },
  ),
  mix(
    'rescale-arithmetic',
    'the same without a condition: x / (1 + 254 * big)',
    `${X} <float32 one = {1}, float32 rest = {254}> { m = ReduceMax<keepdims = 0>(x); c = Greater(m, one); f = Cast<to = 1>(c); g = Mul(f, rest); d = Add(g, one); y = Div(x, d) }`,
    { opset: 9, rows: big },
  ),
  mix(
    'rescale-by-row-of-columns',
    'each column has its own condition',
    `${X} <float32 one = {1}, float32 scale = {255}> { m = ReduceMax<axes = [0], keepdims = 1>(x); c = Greater(m, one); d = Div(x, scale); y = Where(c, d, x) }`,
    { rows: big },
  ),
  mix(
    'rescale-max-relu',
    'a Relu hides small maxima',
    `${X} <float32 one = {1}> { m = ReduceMax<axes = [0]>(x); d = Sub(m, one); r = Relu(d); y = Add(x, r) }`,
    { rows: big },
  ),
  mix(
    'rescale-truncates',
    'a Cast to int64 hides small means',
    `${X} { m = ReduceMean<axes = [0]>(x); i = Cast<to = 7>(m); f = Cast<to = 1>(i); y = Add(x, f) }`,
    { rows: big },
  ),
  mix('rescale-floor', 'Floor hides small maxima', `${X} { a = Abs(x); m = ReduceMax<axes = [0]>(a); f = Floor(m); y = Add(x, f) }`, {
    opset: 13,
    rows: big,
  }),
  mix(
    'rescale-clip',
    'the batch gives the upper limit of Clip',
    `${X} <float32 low = {-1000}> { m = ReduceMean<keepdims = 0>(x); y = Clip(x, low, m) }`,
    { opset: 12, rows: big },
  ),
  mix(
    'rescale-clip-constant-side',
    'only maxima above 10 count',
    `${X} <float32 low = {10}> { m = ReduceMax<axes = [0]>(x); c = Clip(m, low); y = Add(x, c) }`,
    { opset: 13, rows: big },
  ),
  mix(
    'rescale-max-of-both',
    'Max of the batch and a constant',
    `${X} <float32 ten = {10}> { m = ReduceMax<axes = [0]>(x); c = Max(m, ten); y = Add(x, c) }`,
    { opset: 8, rows: big },
  ),
  mix(
    'rescale-overflow',
    'only sums beyond float16 differ',
    `${X} <float32 k = {1000}> { k1 = Mul(x, k); m = ReduceMax<axes = [0]>(k1); h = Cast<to = 10>(m); f = Cast<to = 1>(h); i = IsInf(f); n = Cast<to = 1>(i); y = Add(x, n) }`,
    { rows: big },
  ),
  mix(
    'tiny-differences',
    'only rows that are all below 0.001 are scaled',
    `${X} <float32 tiny = {0.001}, float32 k = {1000}> { a = Abs(x); m = ReduceMax<keepdims = 0>(a); c = Less(m, tiny); d = Mul(x, k); y = Where(c, d, x) }`,
    {
      rows: [
        [0.0001, 0.0002, 0.0003],
        [1, 2, 3],
      ],
    },
  ),
  mix(
    'negative-anywhere',
    'a negative number anywhere shifts all',
    `${X} <float32 zero = {0}> { m = ReduceMin<keepdims = 0>(x); n = Min(m, zero); y = Sub(x, n) }`,
    {
      rows: [
        [1, 2, 3],
        [-5, 0, 0],
      ],
    },
  ),
  mix(
    'where-above-mean',
    'each element against the mean of the batch',
    `${X} <float32 zero = {0}> { m = ReduceMean<keepdims = 0>(x); c = GreaterOrEqual(x, m); y = Where(c, x, zero) }`,
    {
      opset: 16,
      rows: [
        [1, 2, 3],
        [10, 20, 30],
      ],
    },
  ),
  mix(
    'if-many-rows',
    'the number of rows is the condition',
    `${X} <int64 z = {0}, int64 two = {2}> {
      s = Shape(x); n = Gather<axis = 0>(s, z); c = Less(two, n)
      y = If<then_branch = () => (a) { a = Neg(x) }, else_branch = () => (b) { b = Identity(x) }>(c)
    }`,
    { opset: 13 },
  ),
  mix(
    'if-first-row',
    'the first row decides',
    `${X} <int64[2] z = {0, 0}, float32 one = {1}> {
      f = GatherND(x, z); c = Greater(f, one)
      y = If<then_branch = () => (a) { a = Neg(x) }, else_branch = () => (b) { b = Identity(x) }>(c)
    }`,
    {
      opset: 12,
      rows: [
        [0, 1, 2],
        [5, 1, 2],
        [3, 3, 3],
      ],
    },
  ),
  mix(
    'if-constant-mixes-inside',
    'the condition is constant; the branch reduces the outer x',
    `${X} <bool c = {1}> {
      y = If<then_branch = () => (a) { m = ReduceMean<axes = [0]>(x); a = Sub(x, m) }, else_branch = () => (b) { b = Identity(x) }>(c)
    }`,
    { opset: 11 },
  ),
  mix(
    'if-nested',
    'a condition of the batch inside a branch of a constant one',
    `${X} <bool c = {1}, float32 one = {1}> {
      y = If<then_branch = () => (a) {
        m = ReduceMax<keepdims = 0>(x); d = Greater(m, one)
        a = If<then_branch = () => (e) { e = Neg(x) }, else_branch = () => (f) { f = Identity(x) }>(d)
      }, else_branch = () => (b) { b = Identity(x) }>(c)
    }`,
    { rows: big },
  ),
  mix(
    'xor-of-any',
    'any row true flips all',
    '(bool[N, 3] x) => (bool[N, 3] y) { f = Cast<to = 6>(x); m = ReduceMax<axes = [0]>(f); b = Cast<to = 9>(m); y = Xor(x, b) }',
    {
      opset: 13,
      rows: [
        [false, false, false],
        [true, false, true],
      ],
    },
  ),
];

const gaps: readonly RowModel[] = [
  mix(
    'impute-batch-mean',
    'NaN becomes the mean of the rows that have a value',
    `${X} <float32 zero = {0}, float32 one = {1}, int64[1] axis = {0}> {
      g = IsNaN(x); v = Where(g, zero, x); h = Where(g, zero, one)
      s = ReduceSum(v, axis); n = ReduceSum(h, axis); k = Max(n, one); m = Div(s, k); y = Where(g, m, x)
    }`,
    { opset: 13, rows: missing },
  ),
  mix(
    'impute-batch-max',
    'NaN becomes the largest value of the batch',
    `${X} <float32 low = {-1000}> { g = IsNaN(x); v = Where(g, low, x); m = ReduceMax<axes = [0]>(v); y = Where(g, m, x) }`,
    { opset: 9, rows: missing },
  ),
  mix(
    'impute-first-row',
    'NaN becomes the value of the first row',
    `${X} <int64[1] z = {0}> { g = IsNaN(x); f = Gather<axis = 0>(x, z); y = Where(g, f, x) }`,
    { opset: 13, rows: missing },
  ),
  mix(
    'nan-anywhere',
    'a NaN anywhere empties all',
    `${X} <float32 zero = {0}> {
      g = IsNaN(x); f = Cast<to = 1>(g); m = ReduceMax<keepdims = 0>(f); c = Cast<to = 9>(m)
      y = If<then_branch = () => (a) { a = Sub(x, x) }, else_branch = () => (b) { b = Identity(x) }>(c)
    }`,
    { rows: missing },
  ),
  mix(
    'inf-anywhere',
    'an infinity anywhere empties all',
    `${X} { g = IsInf(x); f = Cast<to = 1>(g); m = ReduceMax<keepdims = 0>(f); y = Sub(x, m) }`,
    {
      opset: 10,
      rows: [
        [1, 2, 3],
        [Infinity, 0, 0],
      ],
    },
  ),
  mix(
    'zero-times-max',
    '0 * max is zero unless the maximum is infinite or NaN',
    `${X} <float32 zero = {0}> { m = ReduceMax<axes = [0]>(x); z = Mul(m, zero); y = Add(x, z) }`,
    {
      rows: [
        [1, 2, 3],
        [Infinity, 0, 0],
      ],
    },
  ),
  mix(
    'minus-one-anywhere',
    'an id of -1 anywhere shifts all',
    `${IDS} <int64 zero = {0}> { m = ReduceMin<keepdims = 0>(x); n = Min(m, zero); y = Sub(x, n) }`,
    {
      opset: 13,
      rows: [
        [1, 2, 3],
        [-1, 0, 0],
      ],
    },
  ),
];

const integers: readonly RowModel[] = [
  mix(
    'ids-above-five',
    'ids above 5 anywhere are taken modulo the largest',
    `${IDS} <int64 six = {6}> { m = ReduceMax<keepdims = 0>(x); n = Max(m, six); y = Mod(x, n) }`,
    {
      opset: 13,
      rows: [
        [7, 1, 2],
        [9, 9, 9],
      ],
    },
  ),
  mix(
    'one-hot-depth',
    'the depth of OneHot is the largest id',
    `(int64[N] x) => (float32[N] y) <int64 one = {1}, int64[1] a = {1}, float32[2] v = {1, 2}> { m = ReduceMax<keepdims = 0>(x); d = Add(m, one); o = OneHot<axis = -1>(x, d, v); s = ReduceSum<keepdims = 0>(o, a); y = Identity(s) }`,
    {
      rows: [[1], [4]],
    },
  ),
  mix(
    'counts-of-words',
    'how often an id occurs in the batch',
    `(int64[N, 1] x) => (float32[N, 1] y) <int64[1] a = {1}> { t = Transpose(x); e = Equal(x, t); f = Cast<to = 1>(e); y = ReduceSum(f, a) }`,
    {
      rows: [[1], [1], [2]],
    },
  ),
  mix(
    'same-id-before',
    'rows are compared pair by pair',
    `(int64[N] x) => (float32[N] y) <int64[1] z = {0}, int64[1] o = {1}> { a = Unsqueeze(x, z); b = Unsqueeze(x, o); e = Equal(a, b); f = Cast<to = 1>(e); y = ReduceSum<keepdims = 0>(f, z) }`,
    {
      opset: 13,
      rows: [[3], [3], [1]],
    },
  ),
  mix(
    'rank-of-row',
    'how many rows are smaller',
    `(float32[N, 1] x) => (float32[N, 1] y) <int64[1] a = {1}> { t = Transpose(x); e = Greater(x, t); f = Cast<to = 1>(e); y = ReduceSum(f, a) }`,
    { opset: 13 },
  ),
  mix(
    'string-ids',
    'equal texts in other rows',
    `(string[N, 1] x) => (float32[N, 1] y) <int64[1] a = {1}> { t = Transpose(x); e = Equal(x, t); f = Cast<to = 1>(e); y = ReduceSum(f, a) }`,
    {
      opset: 19,
      rows: [['red'], ['red'], ['blue']],
    },
  ),
  mix(
    'bitwise-or',
    'bits of the first row in all',
    `(int32[N, 3] x) => (int32[N, 3] y) <int64[1] z = {0}> { f = Gather<axis = 0>(x, z); y = BitwiseOr(x, f) }`,
    {
      opset: 18,
      rows: [
        [4, 8, 16],
        [1, 2, 3],
      ],
    },
  ),
];

const loops: readonly RowModel[] = [
  mix(
    'loop-until-small',
    'halves all rows until the largest is below 1',
    `${X} <int64 most = {100}, float32 one = {1}, float32 half = {0.5}> {
      m = ReduceMax<keepdims = 0>(x); c = Greater(m, one)
      y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { w = Mul(v, half); n = ReduceMax<keepdims = 0>(w); k2 = Greater(n, one) }>(most, c, x)
    }`,
    {
      rows: [
        [0.5, 0.5, 0.5],
        [8, 0, 0],
      ],
    },
  ),
  mix(
    'loop-count-from-data',
    'the trip count is the largest number',
    `(int64[N, 3] x) => (int64[N, 3] y) <int64 one = {1}> {
      m = ReduceMax<keepdims = 0>(x)
      y = Loop<body = (int64 i, bool k, int64[N, 3] v) => (bool k2, int64[N, 3] w) { w = Add(v, one); k2 = Identity(k) }>(m, "", x)
    }`,
    {
      opset: 13,
      rows: [
        [1, 1, 1],
        [3, 0, 0],
      ],
    },
  ),
  mix(
    'loop-count-of-rows',
    'the trip count is the number of rows',
    `${X} <int64 z = {0}, bool go = {1}> {
      s = Shape(x); n = Gather<axis = 0>(s, z)
      y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { w = Add(v, x); k2 = Identity(k) }>(n, go, x)
    }`,
    { opset: 11 },
  ),
  mix(
    'loop-body-mixes',
    'the trip count is constant, the body reduces the carried state',
    `${X} <int64 two = {2}, bool go = {1}> {
      y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { m = ReduceMax<axes = [0]>(v); w = Sub(v, m); k2 = Identity(k) }>(two, go, x)
    }`,
    { opset: 11 },
  ),
  mix(
    'loop-body-reads-outside',
    'the body adds a mean that was computed outside',
    `${X} <int64 two = {2}, bool go = {1}> {
      m = ReduceMean<axes = [0]>(x)
      y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { w = Add(v, m); k2 = Identity(k) }>(two, go, x)
    }`,
  ),
  mix(
    'loop-second-turn-mixes',
    'the state turns mixed through another state, one turn later',
    `${X} <int64 three = {3}, bool go = {1}> {
      y, z = Loop<body = (int64 i, bool k, float32[N, 3] a, float32[N, 3] b) => (bool k2, float32[N, 3] a2, float32[N, 3] b2) {
        a2 = Add(a, b); m = ReduceMax<axes = [0]>(x); b2 = Mul(b, m); k2 = Identity(k)
      }>(three, go, x, x)
    }`,
  ),
  mix(
    'loop-state-moves-rows',
    'the state starts row-wise and is transposed in every turn',
    `(float32[N, 3] x) => (float32[N, 3] y) <int64 two = {2}, bool go = {1}> {
      v = Loop<body = (int64 i, bool k, float32[] v) => (bool k2, float32[] w) { s = Softmax<axis = -1>(v); w = Transpose(s); k2 = Identity(k) }>(two, go, x)
      y = Identity(v)
    }`,
  ),
  mix(
    'loop-over-rows',
    'turn i reads row i and adds it to the sum before it',
    `${X} <int64 z = {0}, bool go = {1}, float32[3] start = {0}> {
      s = Shape(x); n = Gather<axis = 0>(s, z)
      last, y = Loop<body = (int64 i, bool k, float32[3] v) => (bool k2, float32[3] w, float32[3] o) { r = Gather<axis = 0>(x, i); w = Add(v, r); o = Identity(w); k2 = Identity(k) }>(n, go, start)
    }`,
    { opset: 16 },
  ),
  mix(
    'loop-breaks',
    'the loop over rows ends at the first large one',
    `${X} <int64 z = {0}, bool go = {1}, float32 one = {1}, float32[3] start = {0}> {
      s = Shape(x); n = Gather<axis = 0>(s, z)
      last = Loop<body = (int64 i, bool k, float32[3] v) => (bool k2, float32[3] w) { w = Gather<axis = 0>(x, i); m = ReduceMax<keepdims = 0>(w); k2 = Less(m, one) }>(n, go, start)
      y = Add(x, last)
    }`,
    { rows: big },
  ),
  mix(
    'scan-sums-rows',
    'Scan along rows with a running sum',
    `${X} <float32[3] start = {0}> { last, y = Scan<num_scan_inputs = 1, body = (float32[3] v, float32[3] r) => (float32[3] w, float32[3] o) { w = Add(v, r); o = Identity(w) }>(start, x) }`,
    { opset: 9 },
  ),
  mix(
    'scan-last-state',
    'only the last state of a Scan along rows is used',
    `${X} <float32[3] start = {0}> { last, o = Scan<num_scan_inputs = 1, body = (float32[3] v, float32[3] r) => (float32[3] w, float32[3] o) { w = Max(v, r); o = Identity(r) }>(start, x); y = Add(o, last) }`,
    { opset: 11 },
  ),
  mix(
    'scan-reverse',
    'the output of a Scan without state in reverse order',
    `${X} { y = Scan<num_scan_inputs = 1, scan_output_directions = [1], body = (float32[3] r) => (float32[3] o) { o = Neg(r) }>(x) }`,
    { opset: 9 },
  ),
  mix(
    'scan-axis-1-of-transposed',
    'scan_input_axes=1 of the transposed is the batch axis',
    `${X} <float32[3] start = {0}> { t = Transpose(x); last, o = Scan<num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [-2], body = (float32[3] v, float32[3] r) => (float32[3] w, float32[3] o) { w = Add(v, r); o = Identity(w) }>(start, t); y = Identity(o) }`,
  ),
  mix(
    'scan-body-mixes',
    'Scan along columns, whose body reduces over rows',
    `${X} { y = Scan<num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1], body = (float32[N] r) => (float32[N] o) { m = ReduceMean<axes = [0]>(r); o = Sub(r, m) }>(x) }`,
    { opset: 11 },
  ),
  mix(
    'scan-8-body-mixes',
    'Scan of set 8 has a batch axis of its own; the rows are its time',
    `${X} <float32[1, 3] start = {0}> { u = Unsqueeze<axes = [0]>(x); last, o = Scan<num_scan_inputs = 1, body = (float32[3] v, float32[3] r) => (float32[3] w, float32[3] o) { w = Add(v, r); o = Identity(w) }>("", start, u); y = Squeeze<axes = [0]>(o) }`,
    { opset: 8 },
  ),
];

const functions: readonly RowModel[] = [
  mix(
    'function-mixes',
    'a function of the model centres the batch',
    `${X} { y = local.centre(x) } function local.centre(a) => (b) { m = ReduceMean<axes = [0]>(a); b = Sub(a, m) }`,
  ),
  mix(
    'function-in-function',
    'a function that calls one that mixes',
    `${X} { y = local.outer(x) }
     function local.inner(a) => (b) { m = ReduceMax<axes = [0]>(a); b = Sub(a, m) }
     function local.outer(a) => (b) { c = local.inner(a); b = Neg(c) }`,
  ),
  mix(
    'function-axis-of-call',
    'the call gives axis 0 to a function that is harmless along axis 1',
    `${X} { z = local.soft<axis = 1>(x); y = local.soft<axis = 0>(z) } function local.soft<axis>(a) => (b) { b = Softmax<axis: int = @axis>(a) }`,
  ),
  mix(
    'function-transposes',
    'the argument arrives transposed at a function that is harmless along axis 1',
    `${X} { t = Transpose(x); z = local.soft(t); y = Transpose(z) } function local.soft(a) => (b) { b = Softmax<axis = 1>(a) }`,
  ),
  mix(
    'function-in-branch',
    'a branch of If calls it',
    `${X} <bool c = {1}> { y = If<then_branch = () => (a) { a = local.centre(x) }, else_branch = () => (b) { b = Identity(x) }>(c) }
     function local.centre(a) => (b) { m = ReduceMean<axes = [0]>(a); b = Sub(a, m) }`,
  ),
  mix(
    'function-holds-if',
    'an If inside a function',
    `${X} { y = local.rescale(x) }
     function local.rescale(a) => (b) {
       one = Constant<value_float = 1.0>(); m = ReduceMax<keepdims = 0>(a); c = Greater(m, one)
       b = If<then_branch = () => (p) { p = Neg(a) }, else_branch = () => (q) { q = Identity(a) }>(c)
     }`,
    { rows: big },
  ),
  mix(
    'function-named-as-an-operator',
    'a function named Relu that is none',
    `${X} { y = local.Relu(x) } function local.Relu(a) => (b) { m = ReduceMean<axes = [0]>(a); b = Sub(a, m) }`,
  ),
  mix(
    'function-second-output',
    'a function with two outputs, of which one mixes',
    `${X} { a, b = local.both(x); y = Add(a, b) } function local.both(x) => (same, top) { same = Identity(x); top = ReduceMax<axes = [0]>(x) }`,
  ),
];

/** Models whose rows meet by conditions, loops and functions, many only for special values. */
export const mixingValues: readonly RowModel[] = [...conditions, ...gaps, ...integers, ...loops, ...functions];
