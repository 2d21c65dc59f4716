import { rowModel as mix, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';
const COUNT = 's = Shape(x); n = Gather<axis = 0>(s, z);';
/** `y` is `x` where the condition is true, and mixes rows where it is not. */
const unless = (condition: string): string => `y = If<then_branch = () => (ya) { ya = Identity(x) },
  else_branch = () => (yb) { ym = ReduceMax<axes = [0], keepdims = 1>(x) yb = Add(x, ym) }>(${condition})`;

/** The number of rows leaves a graph inside. */
const counting: readonly RowModel[] = [
  mix(
    'loop-carries-count',
    'a loop doubles the number of rows',
    `${X} <int64 t = {2}, bool c = {1}, int64 z = {0}> { ${COUNT}
      r = Loop<body = (int64 i, bool k, int64 a) => (bool l, int64 b) { l = Identity(k); b = Add(a, a) }>(t, c, n)
      f = Cast<to = 1>(r); y = Add(x, f) }`,
  ),
  mix(
    'loop-stacks-count',
    'each turn gives the number of rows',
    `${X} <int64 t = {2}, bool c = {1}, int64 z = {0}> { ${COUNT}
      r = Loop<body = (int64 i, bool k) => (bool l, int64 b) { l = Identity(k); b = Identity(n) }>(t, c)
      q = ReduceSum<keepdims = 0>(r); f = Cast<to = 1>(q); y = Add(x, f) }`,
  ),
  mix(
    'scan-stacks-count',
    'each turn of a scan gives the number of rows',
    `${X} <int64 z = {0}, float32[1] o = {0}, float32[2] two = {1, 2}> { ${COUNT} g = Cast<to = 1>(n)
      u, r = Scan<num_scan_inputs = 1, body = (float32[1] a, float32 e) => (float32[1] b, float32 d) { b = Identity(a); d = Identity(g) }>(o, two)
      q = ReduceSum<keepdims = 0>(r); y = Add(x, q) }`,
  ),
  mix(
    'branch-counts',
    'a branch gives the number of rows, another one twice as many',
    `${X} <float32[100] w = {1}, float32 q = {3}, int64 z = {0}, int64 two = {2}> { ${COUNT} d = Mul(n, two)
      k = ReduceSum<keepdims = 0>(w); c = Greater(k, q)
      r = If<then_branch = () => (a) { a = Identity(n) }, else_branch = () => (b) { b = Identity(d) }>(c)
      f = Cast<to = 1>(r); y = Add(x, f) }`,
  ),
  mix(
    'loops-of-one-name',
    'two loops whose conditions have one name run two and three times',
    `${X} <int64 m2 = {2}, int64 m3 = {3}, bool k = {1}, int64 z = {0}> {
      u = Loop<body = (int64 i, bool ci) => (bool co, float32[N, 3] p) { co = Identity(ci); p = Identity(x) }>(m2, k)
      v = Loop<body = (int64 i2, bool ci2) => (bool co, float32[N, 3] q) { co = Identity(ci2); q = Identity(x) }>(m3, k)
      su = Shape(u); sv = Shape(v); nu = Gather<axis = 0>(su, z); nv = Gather<axis = 0>(sv, z); c = Equal(nu, nv)
      ${unless('c')} }`,
  ),
];

/** Graphs inside read rows, although no input of their node holds any. */
const reading: readonly RowModel[] = [
  mix(
    'sequence-map-reads-around',
    'each tensor of a constant sequence gets the maximum of the batch',
    `(float32[N, 1, 3, 3] x) => (float32[N, 1, 3, 3] y) <float32[100] w = {1}, float32 q = {3}, float32[1] p = {1}, float32[1] o = {2}, float32[1, 1, 3, 3] k = {1}, int64 z = {0}> {
      t = ReduceSum<keepdims = 0>(w); c = Greater(t, q)
      s = If<then_branch = () => (a) { a = SequenceConstruct(p) }, else_branch = () => (b) { b = SequenceConstruct(o) }>(c)
      u = SequenceMap<body = (float32[1] d) => (float32[1] e) { m = ReduceMax<axes = [0, 1, 2, 3], keepdims = 0>(x); e = Add(d, m) }>(s)
      v = SequenceAt(u, z); y = Conv<pads = [1, 1, 1, 1]>(x, k, v) }`,
  ),
];

/** Numbers that are others in ONNX Runtime than on paper. */
const numbers: readonly RowModel[] = [
  mix(
    'int32-product-wraps',
    '2^16 * 2^16 is 0',
    `${X} <int32 a = {65536}, int32 z = {0}> { p = Mul(a, a); c = Greater(p, z); ${unless('c')} }`,
  ),
  mix(
    'int64-wraps',
    '2^32 * 2^32 is 0',
    `${X} <int64 a = {4294967296}, int64 z = {0}> { p = Mul(a, a); c = Greater(p, z); ${unless('c')} }`,
  ),
  mix('rounds-to-even', '2.5 becomes 2', `${X} <float32 a = {2.5}, float32 k = {2}> { r = Round(a); c = Greater(r, k); ${unless('c')} }`),
  mix('nan-is-not-itself', 'NaN = NaN is false', `${X} <float32 n = {nan}> { o = Identity(n); c = Equal(n, o); ${unless('c')} }`),
];

/** Functions are not what their bodies say. */
const functions: readonly RowModel[] = [
  mix(
    'function-reads-around',
    'a name that its body defines later is one of the graph around',
    `${X} { a = ReduceMax<axes = [0], keepdims = 1>(x); y = local.f(x) }
     function local.f(q) => (r) { r = Add(q, a) a = Relu(q) }`,
  ),
  mix(
    'function-of-built-in-name',
    'ONNX Runtime takes its own CumSum',
    `${X} <int64 z = {0}> { y = CumSum(x, z) } function CumSum(q, a) => (r) { r = Relu(q) }`,
  ),
  mix(
    'reference-without-function',
    'an attribute refers to one of a function, and there is none: ONNX Runtime takes 0',
    `${X} { y = Softmax<axis: int = @axis>(x) }`,
  ),
];

/** Models whose graphs inside, or their functions, mix rows. */
export const mixingControl: readonly RowModel[] = [...counting, ...reading, ...numbers, ...functions];
