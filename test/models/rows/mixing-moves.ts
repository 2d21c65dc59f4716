import { rowModel as mix, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';
const X4 = '(float32[N, 4] x) => (float32[N, 4] y)';
const CUBE = '(float32[N, 2, 3] x) => (float32[N, 2, 3] y)';

const shapes: readonly RowModel[] = [
  mix(
    'reshape-columns-first',
    '[N, 4] becomes [4, N] in the order of the data, then is transposed',
    `${X4} <int64[2] s = {4, -1}> { r = Reshape(x, s); y = Transpose(r) }`,
    { opset: 7 },
  ),
  mix(
    'reshape-two-halves',
    '[2, -1] puts half of the rows in a row',
    `${X4} <int64[2] s = {2, -1}, int64[2] back = {-1, 4}> { r = Reshape(x, s); p = Softmax<axis = 1>(r); y = Reshape(p, back) }`,
    { opset: 8 },
  ),
  mix('reshape-flat', '[-1] puts all rows in one', `${X} <int64[1] s = {-1}> { r = Reshape(x, s); m = ReduceMax(r); y = Sub(x, m) }`, {
    opset: 12,
  }),
  mix(
    'reshape-batch-in-middle',
    '[1, -1, 3] moves the rows to axis 1',
    `${X} <int64[3] s = {1, -1, 3}> { r = Reshape(x, s); m = ReduceMean<axes = [1], keepdims = 0>(r); y = Sub(x, m) }`,
    { opset: 9 },
  ),
  mix(
    'reshape-swaps-sizes',
    'the sizes of a computed shape are swapped',
    `${X} <int64[2] order = {1, 0}> { s = Shape(x); t = Gather(s, order); r = Reshape(x, t); y = Transpose(r) }`,
    { opset: 10 },
  ),
  mix(
    'reshape-other-factor',
    '[N, 2, 3] becomes [2, N, 3] by a computed shape',
    `${CUBE} <int64[3] order = {1, 0, 2}> { s = Shape(x); t = Gather(s, order); r = Reshape(x, t); y = Transpose<perm = [1, 0, 2]>(r) }`,
  ),
  mix(
    'reshape-of-transposed',
    'the transposed is read in the order of its data as [N, 3]',
    `${X} { t = Transpose(x); s = Shape(x); y = Reshape(t, s) }`,
    { opset: 13 },
  ),
  mix(
    'reshape-inferred-by-zero',
    '[0, -1] of the transposed keeps columns',
    `${X} <int64[2] z = {0, -1}> { t = Transpose(x); r = Reshape(t, z); m = ReduceMax<axes = [1]>(r); d = Sub(t, m); y = Transpose(d) }`,
  ),
  mix(
    'reshape-whole-count',
    'the shape is the number of elements',
    `${X} <int64[1] one = {1}> { n = Size(x); k = Reshape(n, one); r = Reshape(x, k); m = ReduceMin(r); y = Sub(x, m) }`,
  ),
  mix(
    'flatten-axis-0',
    'Flatten from axis 0 makes one row of everything',
    `${X} <int64[2] back = {-1, 3}> { f = Flatten<axis = 0>(x); p = Softmax<axis = 1>(f); y = Reshape(p, back) }`,
    { opset: 9 },
  ),
  mix(
    'flatten-axis-minus-2',
    'axis -2 of two is axis 0',
    `${X} <int64[2] back = {-1, 3}> { f = Flatten<axis = -2>(x); p = Softmax(f); y = Reshape(p, back) }`,
    { opset: 13 },
  ),
  mix(
    'flatten-transposed',
    'rows in the last axis are flattened together with columns',
    `${CUBE} { t = Transpose<perm = [1, 2, 0]>(x); f = Flatten(t); m = ReduceMax<axes = [1], keepdims = 0>(f); u = Unsqueeze<axes = [1]>(m); y = Add(x, u) }`,
    { opset: 12 },
  ),
  mix(
    'squeeze-without-axes',
    'Squeeze takes the batch axis of a single row away',
    `(float32[N, 1, 3] x) => (float32[N, 1, 3] y) <float32 one = {1}> { s = Squeeze(x); r = Shape(s); n = Size(r); f = Cast<to = 1>(n); y = Add(x, f) }`,
    { opset: 13 },
  ),
  mix(
    'unsqueeze-pairs',
    'rows against rows by broadcasting',
    `${X} <int64[1] a = {0}, int64[1] b = {1}> { p = Unsqueeze(x, a); q = Unsqueeze(x, b); d = Sub(p, q); e = Abs(d); y = ReduceSum<keepdims = 0>(e, a) }`,
    { opset: 13 },
  ),
  mix(
    'broadcast-vector-to-columns',
    'a vector of rows is added along columns',
    '(float32[N, 3] x, float32[N] z) => (float32[N, 3] y) { y = Add(x, z) }',
    { opset: 7 },
  ),
  mix(
    'broadcast-lost-axis',
    'a reduced vector of rows is subtracted along columns',
    `${X} { m = ReduceMax<axes = [1], keepdims = 0>(x); y = Sub(x, m) }`,
    { opset: 11 },
  ),
  mix(
    'broadcast-where',
    'a condition of rows chooses columns',
    '(float32[N, 3] x, bool[N] c) => (float32[N, 3] y) <float32 zero = {0}> { y = Where(c, x, zero) }',
    {
      rows: [
        { x: [1, 2, 3], c: [true] },
        { x: [4, 5, 6], c: [false] },
        { x: [7, 8, 9], c: [true] },
      ],
    },
  ),
  mix(
    'broadcast-slope',
    'the slope of PRelu is a vector of rows',
    '(float32[N, 3] x, float32[N] z) => (float32[N, 3] y) { y = PRelu(x, z) }',
    { opset: 9 },
  ),
  mix('broadcast-transposed', 'X plus its transposed', `${X} { t = Transpose(x); y = Add(x, t) }`, { opset: 14 }),
  mix(
    'tile-in-front',
    'copies of the whole batch, two of which make a row',
    `${X} <int64[2] times = {2, 1}, int64[3] s = {-1, 2, 3}> { t = Tile(x, times); r = Reshape(t, s); y = ReduceMean<axes = [1], keepdims = 0>(r) }`,
    { opset: 9 },
  ),
  mix(
    'expand-in-front',
    'the copies of the batch lie one behind the other',
    `${X} <int64[1] z = {0}, int64[3] s = {2, 1, 1}, int64[3] back = {-1, 2, 3}> { u = Unsqueeze(x, z); e = Expand(u, s); r = Reshape(e, back); y = ReduceMax<axes = [1], keepdims = 0>(r) }`,
    { opset: 13 },
  ),
  mix(
    'depth-to-space-of-rows',
    'rows lie in the last axis of an image',
    `${X4} <int64[4] up = {1, 4, 1, -1}, int64[2] back = {-1, 4}> { t = Transpose(x); r = Reshape(t, up); d = DepthToSpace<blocksize = 2>(r); y = Reshape(d, back) }`,
    { opset: 11 },
  ),
  mix(
    'space-to-depth-of-rows',
    'rows lie as the height of an image',
    `(float32[N, 2, 4] x) => (float32[N, 8] y) <int64[4] up = {1, 1, -1, 4}, int64[2] back = {-1, 8}> { r = Reshape(x, up); d = SpaceToDepth<blocksize = 2>(r); y = Reshape(d, back) }`,
  ),
];

const picks: readonly RowModel[] = [
  mix('gather-first-row', 'row 0 is subtracted from all', `${X} <int64 z = {0}> { f = Gather<axis = 0>(x, z); y = Sub(x, f) }`, {
    opset: 9,
  }),
  mix('gather-last-row', 'index -1 is the last row', `${X} <int64 last = {-1}> { f = Gather(x, last); y = Sub(x, f) }`, { opset: 11 }),
  mix(
    'gather-by-argmax',
    'the index is the row with the largest first column',
    `${X} <int64 z = {0}> { c = Gather<axis = 1>(x, z); i = ArgMax<axis = 0, keepdims = 0>(c); f = Gather<axis = 0>(x, i); y = Sub(x, f) }`,
    {
      rows: [
        [1, 2, 3],
        [5, 6, 7],
      ],
    },
  ),
  mix(
    'gather-by-count',
    'the index is the number of rows minus one',
    `${X} <int64 z = {0}, int64 one = {1}> { s = Shape(x); n = Gather(s, z); i = Sub(n, one); f = Gather<axis = 0>(x, i); y = Sub(x, f) }`,
  ),
  mix(
    'gather-rows-by-ids',
    'ids of a client name rows of the batch',
    '(float32[N, 3] x, int64[N] i) => (float32[N, 3] y) { y = Gather<axis = 0>(x, i) }',
    {
      rows: [
        { x: [1, 2, 3], i: [0] },
        { x: [4, 5, 6], i: [0] },
      ],
    },
  ),
  mix(
    'gather-transposed',
    'axis 1 of the transposed',
    `${X} <int64[1] z = {0}> { t = Transpose(x); f = Gather<axis = 1>(t, z); d = Sub(t, f); y = Transpose(d) }`,
  ),
  mix(
    'gather-elements-rows',
    'GatherElements along rows',
    '(float32[N, 3] x, int64[N, 3] i) => (float32[N, 3] y) { y = GatherElements<axis = 0>(x, i) }',
    {
      opset: 11,
      rows: [
        { x: [1, 2, 3], i: [0, 0, 0] },
        { x: [4, 5, 6], i: [0, 0, 0] },
      ],
    },
  ),
  mix('gather-nd-rows', 'GatherND reads from row 0', `${X} <int64[1] z = {0}> { f = GatherND(x, z); y = Sub(x, f) }`, { opset: 13 }),
  mix('gather-nd-dynamic', 'GatherND by ids of a client', '(float32[N, 3] x, int64[N, 1] i) => (float32[N, 3] y) { y = GatherND(x, i) }', {
    opset: 12,
    rows: [
      { x: [1, 2, 3], i: [0] },
      { x: [4, 5, 6], i: [0] },
    ],
  }),
  mix('scatter-first-row', 'row 0 is overwritten', `${X} <int64[1, 1] z = {0}, float32[1, 3] u = {7}> { y = ScatterND(x, z, u) }`, {
    opset: 11,
  }),
  mix(
    'scatter-nd-ids',
    'each row is written where a client says',
    '(float32[N, 3] x, int64[N, 1] i) => (float32[N, 3] y) { y = ScatterND(x, i, x) }',
    {
      opset: 16,
      rows: [
        { x: [1, 2, 3], i: [0] },
        { x: [4, 5, 6], i: [0] },
      ],
    },
  ),
  mix(
    'scatter-elements-rows',
    'ScatterElements along rows',
    `${X} <int64[1, 3] z = {0}, float32[1, 3] u = {7}> { y = ScatterElements<axis = 0>(x, z, u) }`,
    { opset: 11 },
  ),
  mix(
    'scatter-elements-add',
    'sums of rows by their ids',
    '(float32[N, 3] x, int64[N, 3] i) => (float32[N, 3] y) { y = ScatterElements<axis = 0, reduction = "add">(x, i, x) }',
    {
      opset: 16,
      rows: [
        { x: [1, 2, 3], i: [0, 0, 0] },
        { x: [4, 5, 6], i: [0, 0, 0] },
      ],
    },
  ),
  mix(
    'scatter-old',
    'Scatter of set 9, whose default axis is 0',
    `${X} <int64[1, 3] z = {0}, float32[1, 3] u = {7}> { y = Scatter(x, z, u) }`,
    { opset: 9 },
  ),
  mix('slice-first-row', 'row 0 by Slice', `${X} <int64[1] a = {0}, int64[1] b = {1}> { f = Slice(x, a, b, a); y = Sub(x, f) }`, {
    opset: 10,
  }),
  mix(
    'slice-attribute',
    'row 0 by the attributes of old sets',
    `${X} { f = Slice<starts = [0], ends = [1], axes = [0]>(x); y = Sub(x, f) }`,
    { opset: 9 },
  ),
  mix('slice-without-axes', 'no axes means from axis 0 on', `${X} { f = Slice<starts = [0], ends = [1]>(x); y = Sub(x, f) }`, { opset: 7 }),
  mix(
    'slice-reverses',
    'step -1 turns the rows round',
    `${X} <int64[1] a = {-1}, int64[1] b = {-1000}, int64[1] z = {0}, int64[1] s = {-1}> { y = Slice(x, a, b, z, s) }`,
    { opset: 13 },
  ),
  mix(
    'slice-last-row',
    'a negative start counts from the last row',
    `${X} <int64[1] a = {-1}, int64[1] b = {1000}> { f = Slice(x, a, b); y = Sub(x, f) }`,
  ),
  mix(
    'pad-shifts',
    'Pad in front and Slice: each row gets the one before',
    `${X} <int64[4] p = {1, 0, 0, 0}, int64[1] a = {0}, int64[1] b = {-1}> { q = Pad(x, p); y = Slice(q, a, b, a) }`,
    { opset: 11 },
  ),
  mix(
    'pad-attribute',
    'Pad of old sets',
    `${X} { q = Pad<pads = [0, 0, 1, 0], value = 9.0>(x); y = Slice<starts = [1], ends = [1000], axes = [0]>(q) }`,
    { opset: 9 },
  ),
  mix(
    'pad-edge',
    'the edge repeats the first row',
    `${X} <int64[4] p = {1, 0, 0, 0}, int64[1] a = {0}, int64[1] b = {-1}> { q = Pad<mode = "edge">(x, p); s = Slice(q, a, b, a); y = Sub(x, s) }`,
    { opset: 13 },
  ),
  mix(
    'pad-axes-input',
    'Pad names axis 0 in its input axes',
    `${X} <int64[2] p = {1, 0}, int64[1] a = {0}, int64[1] b = {-1}, float32 v = {0}> { q = Pad(x, p, v, a); y = Slice(q, a, b, a) }`,
    { opset: 18 },
  ),
  mix(
    'roll-rows',
    'the last row becomes the first',
    `${X} <int64[1] z = {0}, int64[1] a = {-1}, int64[1] far = {1000}> { h = Slice(x, a, far, z); t = Slice(x, z, a, z); y = Concat<axis = 0>(h, t) }`,
  ),
  mix(
    'concat-self',
    'two copies in a row, every second is taken',
    `${X} <int64[1] z = {0}, int64[1] far = {100000}, int64[1] two = {2}> { c = Concat<axis = 0>(x, x); y = Slice(c, z, far, z, two) }`,
    { opset: 10 },
  ),
  mix(
    'concat-negative-axis',
    'axis -2 of two, a constant row in front',
    `${X} <float32[1, 3] w = {1}, int64[1] z = {0}, int64[1] last = {-1}> { c = Concat<axis = -2>(w, x); y = Slice(c, z, last, z) }`,
    { opset: 11 },
  ),
  mix(
    'concat-two-inputs',
    'rows of two inputs one after the other',
    '(float32[N, 3] x, float32[N, 3] z) => (float32[N, 6] y) <int64[2] s = {-1, 6}> { c = Concat<axis = 0>(x, z); y = Reshape(c, s) }',
  ),
  mix(
    'split-halves',
    'the halves of twice the batch change places',
    `${X} <int64[1] z = {0}, int64[1] far = {100000}, int64[1] two = {2}> { c = Concat<axis = 0>(x, x); a, b = Split<axis = 0, num_outputs = 2>(c); n = Neg(b); r = Concat<axis = 0>(a, n); s = Slice(r, z, far, z, two); y = Identity(s) }`,
    { opset: 18 },
  ),
  mix(
    'center-crop-rows',
    'CenterCropPad to one row',
    `${X} <int64[1] one = {1}> { c = CenterCropPad<axes = [0]>(x, one); y = Sub(x, c) }`,
    { opset: 18 },
  ),
  mix(
    'reverse-sequence-rows',
    'the time of ReverseSequence is the batch',
    `${X} <int64 z = {0}, int64[1] three = {3}> { s = Shape(x); n = Gather(s, z); l = Expand(n, three); y = ReverseSequence<time_axis = 0, batch_axis = 1>(x, l) }`,
    { opset: 10 },
  ),
  mix(
    'compress-rows',
    'only rows that hold a large number',
    `${X} <float32 zero = {0}> { m = ReduceMax<axes = [1], keepdims = 0>(x); c = Greater(m, zero); k = Compress<axis = 0>(x, c); t = ReduceSum(k); y = Add(x, t) }`,
    {
      opset: 11,
      rows: [
        [1, 2, 3],
        [4, 0, 0],
      ],
    },
  ),
  mix(
    'compress-flat',
    'without an axis everything is one list',
    `(float32[N, 3] x, bool[N] c) => (float32[N, 3] y) { k = Compress(x, c); t = ReduceSum(k); y = Add(x, t) }`,
    {
      opset: 9,
      rows: [
        { x: [1, 2, 3], c: [true] },
        { x: [4, 5, 6], c: [true] },
      ],
    },
  ),
  mix('nonzero', 'the positions of all that is not zero', `${X} { n = NonZero(x); f = Cast<to = 1>(n); m = ReduceSum(f); y = Add(x, m) }`, {
    opset: 9,
  }),
  mix(
    'nonzero-count',
    'how many numbers are not zero',
    `${X} <int64 one = {1}> { n = NonZero(x); s = Shape(n); c = Gather(s, one); f = Cast<to = 1>(c); y = Add(x, f) }`,
    { opset: 13 },
  ),
  mix(
    'unique-rows',
    'the position of a row among the different ones',
    '(float32[N, 3] x) => (float32[N, 3] y) <int64[1] one = {1}> { u, f, i, c = Unique<axis = 0>(x); e = Unsqueeze(i, one); g = Cast<to = 1>(e); y = Add(x, g) }',
    { opset: 13 },
  ),
  mix(
    'unique-values',
    'how many different numbers there are',
    '(int64[N] x) => (int64[N] y) { u = Unique(x); n = Size(u); y = Add(x, n) }',
    { opset: 11, rows: [[1], [2], [3]] },
  ),
  mix('trilu-rows', 'the triangle depends on the number of the row', `${X} { y = Trilu<upper = 1>(x) }`, { opset: 14 }),
  mix('eye-like', 'ones where row and column have one number', `${X} { e = EyeLike(x); y = Add(x, e) }`, { opset: 9 }),
  mix(
    'feature-extractor-rows',
    'ArrayFeatureExtractor picks a row of the transposed',
    `${X} <int64[1] z = {0}> { t = Transpose(x); f = ai.onnx.ml.ArrayFeatureExtractor(t, z); d = Sub(t, f); y = Transpose(d) }`,
  ),
  mix(
    'roi-align',
    'a region names an image of the batch',
    '(float32[N, 1, 4, 4] x, float32[N, 4] r, int64[N] i) => (float32[N, 1, 2, 2] y) { y = RoiAlign<output_height = 2, output_width = 2>(x, r, i) }',
    {
      opset: 16,
      rows: [
        { x: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], r: [0, 0, 3, 3], i: [0] },
        { x: [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], r: [0, 0, 3, 3], i: [0] },
      ],
    },
  ),
  mix(
    'max-roi-pool',
    'the first column of a region names an image of the batch',
    '(float32[N, 1, 2, 2] x, float32[N, 5] r) => (float32[N, 1, 1, 1] y) { y = MaxRoiPool<pooled_shape = [1, 1]>(x, r) }',
    {
      opset: 9,
      rows: [
        { x: [1, 2, 3, 4], r: [0, 0, 0, 1, 1] },
        { x: [5, 6, 7, 8], r: [0, 0, 0, 1, 1] },
      ],
    },
  ),
  mix(
    'non-max-suppression',
    'boxes of all rows suppress each other',
    `(float32[N, 4] x) => (float32[N, 4] y) <int64[3] up = {1, 1, -1}, int64[1] z = {0}, int64 most = {10}, float32 iou = {0.5}, float32 low = {0}> {
      b = Unsqueeze(x, z); a = Abs(x); m = ReduceMax<axes = [1], keepdims = 0>(a); s = Reshape(m, up)
      k = NonMaxSuppression(b, s, most, iou, low); n = Shape<start = 0, end = 1>(k); f = Cast<to = 1>(n); y = Add(x, f)
    }`,
    {
      rows: [
        [0, 0, 1, 1],
        [5, 5, 6, 6],
      ],
    },
  ),
];

const counts: readonly RowModel[] = [
  mix(
    'times-count',
    'X times the number of rows',
    `${X} <int64 z = {0}> { s = Shape(x); n = Gather(s, z); f = Cast<to = 1>(n); y = Mul(x, f) }`,
    { opset: 7 },
  ),
  mix('divides-by-size', 'X by the number of its elements', `${X} { n = Size(x); f = Cast<to = 1>(n); y = Div(x, f) }`, { opset: 13 }),
  mix('shape-slice', 'Shape from start to end', `${X} { n = Shape<start = 0, end = 1>(x); f = Cast<to = 1>(n); y = Sub(x, f) }`, {
    opset: 15,
  }),
  mix(
    'shape-of-transposed',
    'the number of rows by the second size of the transposed',
    `${X} <int64 one = {1}> { t = Transpose(x); s = Shape(t); n = Gather(s, one); f = Cast<to = 1>(n); y = Sub(x, f) }`,
  ),
  mix(
    'shape-product',
    'all sizes are multiplied',
    `${X} { s = Shape(x); p = ReduceProd<keepdims = 0>(s); f = Cast<to = 1>(p); y = Div(x, f) }`,
  ),
  mix(
    'row-numbers',
    'Range(0, N) numbers the rows',
    `${X} <int64 z = {0}, int64 one = {1}, int64[1] a = {1}> { s = Shape(x); n = Gather(s, z); r = Range(z, n, one); f = Cast<to = 1>(r); u = Unsqueeze(f, a); y = Add(x, u) }`,
    { opset: 13 },
  ),
  mix(
    'row-embeddings',
    'the number of a row picks from a table',
    `${X} <int64 z = {0}, int64 one = {1}, float32[8, 3] w = {1, 2, 3, 5, 7}> { s = Shape(x); n = Gather(s, z); r = Range(z, n, one); e = Gather(w, r); y = Add(x, e) }`,
    { opset: 11 },
  ),
  mix(
    'row-embeddings-slice',
    'the first N rows of a table',
    `${X} <int64[1] z = {0}, int64[1] one = {1}, float32[8, 3] w = {1, 2, 3, 5, 7}> { s = Shape(x); n = Slice(s, z, one, z); e = Slice(w, z, n, z); y = Add(x, e) }`,
  ),
  mix(
    'ones-positions',
    'ConstantOfShape and NonZero number the rows',
    `${X} <int64[1] z = {0}, int64[1] one = {1}> { s = Shape(x); n = Gather(s, z); o = ConstantOfShape<value = float32[1] {1}>(n); i = NonZero(o); t = Transpose(i); f = Cast<to = 1>(t); y = Add(x, f) }`,
    { opset: 9 },
  ),
  mix(
    'ones-cumsum',
    'a running sum of ones numbers the rows',
    `${X} <int64[1] z = {0}, int64 a = {0}, int64[1] one = {1}> { s = Shape(x); n = Gather(s, z); m = Concat<axis = 0>(n, one); o = ConstantOfShape<value = float32[1] {1}>(m); c = CumSum(o, a); y = Add(x, c) }`,
  ),
  mix(
    'one-hot-of-numbers',
    'OneHot of the numbers of rows',
    `${X} <int64 z = {0}, int64 one = {1}, int64 three = {3}, float32[2] v = {0, 1}> { s = Shape(x); n = Gather(s, z); r = Range(z, n, one); o = OneHot<axis = -1>(r, three, v); y = Add(x, o) }`,
    { opset: 11 },
  ),
  mix(
    'window-of-rows',
    'a Hann window as long as the batch',
    `${X} <int64 z = {0}, int64[1] a = {1}> { s = Shape(x); n = Gather(s, z); h = HannWindow(n); u = Unsqueeze(h, a); y = Add(x, u) }`,
  ),
  mix('random-normal-like', 'a random operator', `${X} { r = RandomNormalLike(x); y = Add(x, r) }`, { opset: 7 }),
  mix(
    'random-uniform-like-seeded',
    'a seed repeats the first numbers of a stream that runs on',
    `${X} { r = RandomUniformLike<seed = 1.0>(x); y = Add(x, r) }`,
    { opset: 13 },
  ),
  mix('random-fixed-shape', 'one random number for all', `${X} { r = RandomNormal<shape = [1]>(); y = Add(x, r) }`),
  mix(
    'bernoulli',
    'Bernoulli draws by row',
    `${X} { p = Sigmoid(x); r = Bernoulli(p); n = RandomUniformLike(x); s = Add(r, n); y = Add(x, s) }`,
    { opset: 15 },
  ),
  mix(
    'multinomial',
    'Multinomial draws by row',
    '(float32[N, 3] x) => (float32[N, 64] y) { r = Multinomial<sample_size = 64>(x); y = Cast<to = 1>(r) }',
    { opset: 7 },
  ),
  mix(
    'dropout-training',
    'Dropout with training_mode',
    '(float32[N, 64] x) => (float32[N, 64] y) <float32 ratio = {0.5}, bool on = {1}> { y = Dropout(x, ratio, on) }',
    { opset: 13 },
  ),
];

/** Models that move rows, pick rows, or read how many there are. */
export const mixingMoves: readonly RowModel[] = [...shapes, ...picks, ...counts];
