import { rowModel as mix, type RowModel } from './row-model.ts';

/**
 * A model that mixes rows if a size `k` is smaller than a careless analysis believes: it folds the
 * columns to `k` ones and sums them.
 * @param columns what the analysis believes
 */
const folded = (columns: number, size: string, initializers: string): string =>
  `(float32[N, ${columns}] x) => (float32[N, 1] y) <int64[1] rest = {-1}, int64[1] z = {0}, ${initializers}> {
    ${size}
    t = Transpose(x); s = Concat<axis = 0>(k, rest); r = Reshape(t, s); q = ReduceSum<keepdims = 0>(r, z)
    n = Shape<end = 1>(x); u = Concat<axis = 0>(n, rest); p = Reshape(q, u); y = ReduceMax<axes = [1]>(p)
  }`;

const TURN = 'body = (int64 i, bool k, float32 v) => (bool k2, float32 w, float32 o) { w = Identity(v); o = Neg(v); k2 = Identity(k) }';

/** A model that mixes rows if `c` is false, which a careless analysis believes to be true. */
const unless = (condition: string, initializers: string): string =>
  `(float32[N, 3] x) => (float32[N, 3] y) <${initializers}> {
    ${condition}
    y = If<then_branch = () => (o) { o = Identity(x) }, else_branch = () => (p) { m = ReduceMax<axes = [0]>(x); p = Sub(x, m) }>(c)
  }`;

/** Conditions on numbers that operators round, or that wrap around. */
const conditions: readonly RowModel[] = [
  mix(
    'int32-sum-wraps',
    'one more than the greatest int32',
    unless('s = Add(a, b); c = Greater(s, a)', 'int32 a = {2147483647}, int32 b = {1}'),
  ),
  mix(
    'int32-cast-wraps',
    '2 to the 32 as int32 is nothing',
    unless('s = Cast<to = 6>(a); t = Cast<to = 7>(s); c = Equal(t, a)', 'int64 a = {4294967296}'),
  ),
  mix(
    'uint32-wraps',
    'one less two is the greatest uint32',
    unless('s = Cast<to = 12>(a); t = Cast<to = 12>(b); d = Sub(s, t); c = Less(d, s)', 'int64 a = {1}, int64 b = {2}'),
  ),
  mix(
    'int64-beyond-doubles',
    'two numbers beyond 2 to the 53',
    unless('s = Add(a, b); t = Add(s, b); c = Equal(s, t)', 'int64 a = {9007199254740991}, int64 b = {1}'),
  ),
  mix(
    'float32-cast-rounds',
    '2 to the 24 and one more',
    unless('s = Cast<to = 1>(a); c = Greater(s, b)', 'int64 a = {16777217}, float32 b = {16777216}'),
  ),
  mix('float32-sum-rounds', 'the same as a sum', unless('s = Add(a, b); c = Greater(s, a)', 'float32 a = {16777216}, float32 b = {1}')),
  mix('round-to-even', 'two and a half is two', unless('s = Round(a); c = Equal(s, b)', 'float32 a = {2.5}, float32 b = {3}')),
  mix('nan-equals-nothing', 'a NaN is not itself', unless('c = Equal(a, a)', 'float32 a = {nan}')),
];

/** Models that show the wrong size of an axis, or the wrong branch. */
export const mixingSizes: readonly RowModel[] = [
  ...conditions,
  mix(
    'loops-of-one-condition',
    'two loops call their condition alike and run twice and four times',
    `(float32[N, 2] x) => (float32[N, 1] y) <int64[1] z = {0}, int64 two = {2}, int64 four = {4}, int64[1] rest = {-1}, int64[1] d = {2}, float32 c = {1}> {
      l, a = Loop<${TURN}>(two, "", c)
      m, b = Loop<${TURN.replaceAll('float32 ', 'float32[N, 2] ')}>(four, "", x)
      t = Shape(a); s = Concat<axis = 0>(t, rest, d); r = Reshape(b, s); q = ReduceSum<keepdims = 0>(r, z)
      n = Shape<end = 1>(x); u = Concat<axis = 0>(n, rest); p = Reshape(q, u); y = ReduceMax<axes = [1]>(p)
    }`,
  ),
  mix(
    'float-rounds-up',
    'a tenth times ten is one as float32, and more than one as a double',
    folded(2, 'f = Mul(a, b); c = Ceil(f); k = Cast<to = 7>(c)', 'float32[1] a = {0.1}, float32[1] b = {10}'),
  ),
  mix(
    'float-sum-rounds',
    'a tenth and nine tenths',
    folded(2, 'f = Sub(b, a); c = Ceil(f); k = Cast<to = 7>(c)', 'float32[1] a = {1e-9}, float32[1] b = {1}').replace('1e-9}', '-1e-9}'),
  ),
  mix(
    'float-product-rounds',
    'the same as a product of all entries',
    folded(2, 'f = ReduceProd<axes = [0]>(a); c = Ceil(f); k = Cast<to = 7>(c)', 'float32[2] a = {0.1, 10}'),
  ),
  mix(
    'float-zeros',
    'zeros of ConstantOfShape are floats, which keep the rest of a division',
    folded(
      2,
      'a = ConstantOfShape(rows); b = Add(a, c); d = Div(b, e); f = Mul(d, g); l = Cast<to = 7>(f); k = Sub(four, l)',
      'int64[1] four = {4}, int64[1] rows = {1}, float32[1] c = {3}, float32[1] e = {2}, float32[1] g = {2}',
    ),
  ),
  mix(
    'ceil-of-a-quotient',
    'a half is not what is left after Ceil',
    `(float32[N, 4] x) => (float32[N, 1] y) <float32[1] a = {1}, float32[1] b = {2}, float32[1] four = {4}, int64[1] rest = {-1}, int64[1] z = {0}, int64[1] one = {1}> {
      d = Div(a, b); f = Mul(d, four); k = Cast<to = 7>(f); e = Ceil(d); g = Mul(e, four); l = Cast<to = 7>(g)
      n = Shape<end = 1>(x); o = Concat<axis = 0>(l, n); v = ConstantOfShape(o); t = ReduceSum<keepdims = 0>(x, one)
      w = Add(v, t); s = Concat<axis = 0>(k, rest); r = Reshape(w, s); q = ReduceSum<keepdims = 0>(r, z)
      u = Concat<axis = 0>(n, rest); p = Reshape(q, u); y = ReduceMax<axes = [1]>(p)
    }`,
  ),
  mix(
    'quotients-of-two-kinds',
    'three by two is one and a half, and one for integers',
    `(float32[N, 2] x) => (float32[N, 1] y) <int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3}, float32[1] fthree = {3}, float32[1] fone = {1}, float32[1] ftwo = {2}, int64[1] rest = {-1}, int64[1] z = {0}> {
      h = Div(three, two); i = Mul(h, two); k = Sub(i, one)
      d = Div(fthree, ftwo); e = Mul(d, ftwo); f = Sub(e, fone); l = Cast<to = 7>(f)
      n = Shape<end = 1>(x); o = Concat<axis = 0>(l, n); v = ConstantOfShape(o); t = ReduceSum<keepdims = 0>(x, one)
      w = Add(v, t); s = Concat<axis = 0>(k, rest); r = Reshape(w, s); q = ReduceSum<keepdims = 0>(r, z)
      u = Concat<axis = 0>(n, rest); p = Reshape(q, u); y = ReduceMax<axes = [1]>(p)
    }`,
  ),
  mix('cast-wraps', '258 as uint8 is 2', folded(258, 'b = Cast<to = 2>(a); k = Cast<to = 7>(b)', 'int64[1] a = {258}')),
  mix(
    'cast-wraps-sum',
    'a sum of int8 wraps around',
    folded(258, 'b = Add(a, a); c = Cast<to = 7>(b); k = Add(c, d)', 'int8[1] a = {127}, int64[1] d = {4}'),
  ),
  mix(
    'cast-rounds',
    '2049 as float16 is 2048',
    folded(2, 'b = Cast<to = 10>(a); c = Cast<to = 7>(b); k = Sub(c, d)', 'int64[1] a = {2049}, int64[1] d = {2047}'),
  ),
  mix(
    'slice-starts-before',
    'backwards from far in front of an axis is its first entry',
    folded(
      2,
      'v = Slice(x, a, b, one, rest); w = Shape<start = 1>(v); k = Sub(two, w)',
      'int64[1] a = {-9}, int64[1] b = {-99}, int64[1] one = {1}, int64[1] two = {2}',
    ),
  ),
  mix(
    'squeeze-empty-list',
    'an empty list of axes stands for all, also for the one of a single row',
    '(float32[N, 3] x) => (float32[N, 3] y) <int64[0] a = {0}> { s = Squeeze(x, a); y = Neg(s) }',
  ),
  mix(
    'clip-by-single-row',
    'a limit of one entry is one number, of two it is none',
    '(float32[N] x, float32[N] m) => (float32[N] y) { y = Clip(x, m) }',
  ),
  mix(
    'function-of-runtime',
    'the operator of ONNX Runtime goes before the function of the model',
    '(float32[N, 3] x) => (float32[N, 3] y) { y = Softmax<axis = 0>(x) } function Softmax(a) => (b) { b = Neg(a) }',
  ),
];
