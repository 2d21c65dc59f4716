import { rowModel as mix, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';
const X4 = '(float32[N, 4] x) => (float32[N, 4] y)';

/** Rows whose scales differ, for what is quantised with one scale. */
const scales = [
  [0.1, 0.2, 0.3],
  [100, -50, 20],
];

const layers: readonly RowModel[] = [
  mix(
    'conv-rows-as-space',
    'a kernel of three rows',
    `${X} <int64[1] z = {0}, float32[3, 3, 3] w = {0.1, -0.2, 0.3, 0.5, 1}> { t = Transpose(x); u = Unsqueeze(t, z); c = Conv<kernel_shape = [3], pads = [1, 1]>(u, w); q = Squeeze(c, z); y = Transpose(q) }`,
    { opset: 13 },
  ),
  mix(
    'conv-reshaped-image',
    'all rows are one image',
    `(float32[N, 3] x) => (float32[N, 3] y) <int64[4] up = {1, 1, -1, 3}, int64[2] back = {-1, 3}, float32[1, 1, 3, 1] w = {1, 2, 3}> { r = Reshape(x, up); c = Conv<kernel_shape = [3, 1], pads = [1, 0, 1, 0]>(r, w); y = Reshape(c, back) }`,
    { opset: 11 },
  ),
  mix(
    'conv-kernel-from-row',
    'the first row is the kernel of all',
    `(float32[N, 1, 3] x) => (float32[N, 1, 3] y) <int64[1] z = {0}> { w = Gather<axis = 0>(x, z); y = Conv<kernel_shape = [3], pads = [1, 1]>(x, w) }`,
  ),
  mix(
    'conv-kernel-of-all-rows',
    'every row is a kernel of all',
    `(float32[N, 1, 3] x) => (float32[N, 1, 3] y) <int64[1] a = {1}> { c = Conv<kernel_shape = [3], pads = [1, 1]>(x, x); y = ReduceSum(c, a) }`,
    { opset: 13 },
  ),
  mix(
    'conv-transpose-rows',
    'ConvTranspose along rows',
    `${X} <int64[1] z = {0}, float32[3, 3, 3] w = {0.1, -0.2, 0.3, 0.5, 1}> { t = Transpose(x); u = Unsqueeze(t, z); c = ConvTranspose<kernel_shape = [3], pads = [1, 1]>(u, w); q = Squeeze(c, z); y = Transpose(q) }`,
    { opset: 13 },
  ),
  mix(
    'conv-bias-from-batch',
    'the bias is a maximum of the batch',
    `(float32[N, 1, 3] x) => (float32[N, 1, 3] y) <float32[1, 1, 1] w = {2}> { m = ReduceMax<axes = [0, 2], keepdims = 0>(x); y = Conv(x, w, m) }`,
    { opset: 9 },
  ),
  mix(
    'max-pool-rows',
    'a window of three rows',
    `${X} <int64[1] z = {0}> { t = Transpose(x); u = Unsqueeze(t, z); c = MaxPool<kernel_shape = [3], pads = [1, 1]>(u); q = Squeeze(c, z); y = Transpose(q) }`,
    { opset: 13 },
  ),
  mix(
    'average-pool-rows',
    'means of neighbour rows',
    `${X} <int64[3] up = {1, -1, 3}, int64[2] back = {-1, 3}> { t = Transpose(x); u = Unsqueeze<axes = [0]>(t); c = AveragePool<kernel_shape = [3], pads = [1, 1]>(u); q = Squeeze<axes = [0]>(c); y = Transpose(q) }`,
    { opset: 7 },
  ),
  mix(
    'global-max-pool-rows',
    'rows are all of the space',
    `${X} <int64[4] up = {1, 1, -1, 3}, int64[2] down = {1, 1}> { u = Reshape(x, up); g = GlobalMaxPool(u); m = Reshape(g, down); y = Sub(x, m) }`,
    { opset: 9 },
  ),
  mix(
    'global-average-pool-rows',
    'rows are all of the space, one channel a column',
    `${X} <int64[1] ends = {2}, int64[1] z = {0}> { t = Transpose(x); u = Unsqueeze(t, z); g = GlobalAveragePool(u); m = Squeeze(g, ends); y = Sub(x, m) }`,
    { opset: 13 },
  ),
  mix(
    'lp-pool-rows',
    'LpPool over rows',
    `${X} <int64[1] z = {0}> { t = Transpose(x); u = Unsqueeze(t, z); c = LpPool<kernel_shape = [3], pads = [1, 1]>(u); q = Squeeze(c, z); y = Transpose(q) }`,
    { opset: 18 },
  ),
  mix(
    'resize-rows',
    'twice as many rows by linear interpolation, every second is taken',
    `${X} <int64[4] up = {1, 1, -1, 3}, float32[4] by = {1, 1, 2, 1}, int64[2] back = {-1, 3}, int64[1] z = {0}, int64[1] far = {100000}, int64[1] two = {2}> { u = Reshape(x, up); r = Resize<mode = "linear">(u, "", by); b = Reshape(r, back); y = Slice(b, z, far, z, two) }`,
    { opset: 13 },
  ),
  mix(
    'upsample-rows',
    'Upsample of old sets',
    `${X} <int64[4] up = {1, 1, -1, 3}, float32[4] by = {1, 1, 2, 1}, int64[2] back = {-1, 6}> { u = Reshape(x, up); r = Upsample<mode = "linear">(u, by); b = Reshape(r, back); t = Slice<starts = [1], ends = [4], axes = [1]>(b); y = Add(x, t) }`,
    { opset: 9 },
  ),
  mix(
    'lstm-rows-as-time',
    'the recurrence runs over rows',
    `${X} <int64[2] axes = {1, 2}, int64[1] one = {1}, float32[1, 12, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 12, 3] r = {0.2, 0.4, -0.1}> { u = Unsqueeze(x, one); h = LSTM<hidden_size = 3>(u, w, r); y = Squeeze(h, axes) }`,
    { opset: 14 },
  ),
  mix(
    'gru-rows-as-time',
    'the last state of a GRU over rows',
    `${X} <int64[1] one = {1}, float32[1, 9, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 9, 3] r = {0.2, 0.4, -0.1}> { u = Unsqueeze(x, one); h, l = GRU<hidden_size = 3>(u, w, r); s = Squeeze(l, one); y = Add(x, s) }`,
    { opset: 14 },
  ),
  mix(
    'rnn-rows-as-time',
    'an RNN over a model whose first axis is time',
    `(float32[T, 1, 3] x) => (float32[T, 1, 1, 2] y) <float32[1, 2, 3] w = {0.3, -0.2, 0.5}, float32[1, 2, 2] r = {0.2, 0.4, -0.1}> { y = RNN<hidden_size = 2>(x, w, r) }`,
    { opset: 7 },
  ),
  mix(
    'lstm-reverse',
    'from the last row to the first',
    `(float32[T, 1, 3] x) => (float32[T, 1, 1, 2] y) <float32[1, 8, 3] w = {0.3, -0.2, 0.5}, float32[1, 8, 2] r = {0.2, 0.4, -0.1}> { y = LSTM<hidden_size = 2, direction = "reverse">(x, w, r) }`,
    { opset: 11 },
  ),
  mix(
    'gru-layout-1',
    'layout=1 makes axis 1 time: after a Transpose the rows',
    `(float32[N, 1, 3] x) => (float32[N, 2] y) <int64[2] ends = {0, 2}, float32[1, 6, 3] w = {0.3, -0.2, 0.5}, float32[1, 6, 2] r = {0.2, 0.4, -0.1}> { t = Transpose<perm = [1, 0, 2]>(x); h = GRU<hidden_size = 2, layout = 1>(t, w, r); q = Squeeze(h, ends); y = Identity(q) }`,
    { opset: 14, neverRuns: 'ONNX Runtime has no layout 1 on a CPU' },
  ),
  mix(
    'dft-rows',
    'a Fourier transform over rows',
    `${X} <int64[1] z = {0}, int64[1] last = {3}, int64 a = {0}, int64[2] ax = {0, 3}> { u = Unsqueeze(x, ax); f = DFT<axis = 1>(u); r = Gather<axis = 3>(f, a); y = Squeeze(r, z) }`,
    { opset: 17 },
  ),
  mix(
    'stft-rows',
    'frames of a signal cross its rows',
    `(float32[N, 8] x) => (float32[N, 5] y) <int64[2] up = {1, -1}, int64 step = {8}, int64 length = {8}, int64[1] z = {0}, int64[1] last = {2}, float32[8] win = {1, 2, 3, 4}, int64 a = {0}, int64[1] far = {1000}> { n = Neg(x); b = Concat<axis = 0>(n, x); s = Reshape(b, up); f = STFT(s, step, win, length); g = Gather<axis = 3>(f, a); q = Squeeze(g, z); h = Slice(q, z, far, z, last); y = Identity(h) }`,
    { opset: 17 },
  ),
  mix(
    'col2im-rows',
    'blocks of all rows are added into one image',
    `(float32[N, 4] x) => (float32[N, 4] y) <int64[2] image = {2, 2}, int64[2] blocks = {2, 2}, int64[3] up = {1, 4, 1}, int64[1] z = {0}, int64[2] down = {1, 4}> { m = ReduceSum(x, z); u = Reshape(m, up); c = Col2Im(u, image, blocks); f = Reshape(c, down); y = Add(x, f) }`,
    { opset: 18 },
  ),
  mix(
    'grid-sample-row',
    'the grid of the first row is used for all',
    `(float32[N, 1, 2, 2] x, float32[N, 2, 2, 2] g) => (float32[N, 1, 2, 2] y) <int64 z = {0}> { f = Gather<axis = 0>(g, z); s = Shape(g); e = Expand(f, s); y = GridSample(x, e) }`,
    { opset: 16 },
  ),
];

const quantised: readonly RowModel[] = [
  mix('dynamic-quantise', 'one scale for the whole tensor', `${X} { q, s, z = DynamicQuantizeLinear(x); y = DequantizeLinear(q, s, z) }`, {
    opset: 11,
    rows: scales,
  }),
  mix(
    'dynamic-quantise-matmul-integer',
    'what dynamic quantisation writes',
    `${X} <int8[3, 3] w = {1, -2, 3, 50, 7}, float32 ws = {0.1}> { q, s, z = DynamicQuantizeLinear(x); i = MatMulInteger(q, w, z); f = Cast<to = 1>(i); t = Mul(s, ws); y = Mul(f, t) }`,
    { opset: 11, rows: scales },
  ),
  mix(
    'dynamic-quantise-conv-integer',
    'a convolution with the scale of the batch',
    `(float32[N, 1, 3] x) => (float32[N, 1, 3] y) <uint8[1, 1, 1] w = {3}> { q, s, z = DynamicQuantizeLinear(x); i = ConvInteger(q, w, z); f = Cast<to = 1>(i); y = Mul(f, s) }`,
    { opset: 11, rows: scales },
  ),
  mix(
    'qlinear-matmul-dynamic',
    'QLinearMatMul with the scale of the batch',
    `${X} <uint8[3, 3] w = {1, 2, 3, 50, 7}, float32 ws = {0.1}, uint8 wz = {0}, float32 ys = {1}, uint8 yz = {128}> { q, s, z = DynamicQuantizeLinear(x); i = QLinearMatMul(q, s, z, w, ws, wz, ys, yz); y = DequantizeLinear(i, ys, yz) }`,
    { opset: 13, rows: scales },
  ),
  mix(
    'quantise-computed-scale',
    'the scale is the largest magnitude of the batch',
    `${X} <float32 k = {127}, int8 z = {0}> { a = Abs(x); m = ReduceMax<keepdims = 0>(a); s = Div(m, k); q = QuantizeLinear(x, s, z); y = DequantizeLinear(q, s, z) }`,
    { opset: 13, rows: scales },
  ),
  mix(
    'dequantise-along-rows',
    'axis=0 has a scale for each row number',
    `(int8[N, 3] x) => (float32[N, 3] y) <int64 z = {0}, int64 one = {1}> { s = Shape(x); n = Gather(s, z); r = Range(z, n, one); f = Cast<to = 1>(r); y = DequantizeLinear<axis = 0>(x, f) }`,
    { opset: 13 },
  ),
  mix(
    'microsoft-dynamic-quantise-matmul',
    'DynamicQuantizeMatMul has one scale for A',
    `${X} <uint8[3, 3] w = {1, 2, 3, 50, 7}, float32 ws = {0.1}, uint8 wz = {5}> { y = com.microsoft.DynamicQuantizeMatMul(x, w, ws, wz) }`,
    { rows: scales },
  ),
  mix(
    'microsoft-matmul-integer-to-float',
    'MatMulIntegerToFloat with the scale of the batch',
    `${X} <uint8[3, 3] w = {1, 2, 3, 50, 7}, float32 ws = {0.1}, uint8 wz = {5}> { q, s, z = DynamicQuantizeLinear(x); y = com.microsoft.MatMulIntegerToFloat(q, w, s, ws, z, wz) }`,
    { rows: scales },
  ),
  mix(
    'microsoft-qlinear-add-dynamic',
    'QLinearAdd with the scale of the batch',
    `${X} <uint8[3] w = {1, 2, 3}, float32 ws = {0.1}, uint8 wz = {0}, float32 ys = {0.01}, uint8 yz = {128}> { q, s, z = DynamicQuantizeLinear(x); i = com.microsoft.QLinearAdd(q, s, z, w, ws, wz, ys, yz); y = DequantizeLinear(i, ys, yz) }`,
    { rows: scales },
  ),
  mix(
    'microsoft-dynamic-quantise-lstm',
    'DynamicQuantizeLSTM quantises its input with one scale',
    `(float32[N, 3] x) => (float32[N, 2] y) <int64[2] both = {0, 1}, int64[1] z = {0}, int8[1, 3, 8] w = {1, -20, 30, 50}, int8[1, 2, 8] r = {10, -20, 7}, float32[1] ws = {0.02}, int8[1] wz = {0}> { u = Unsqueeze(x, z); h = com.microsoft.DynamicQuantizeLSTM<hidden_size = 2>(u, w, r, "", "", "", "", "", ws, wz, ws, wz); y = Squeeze(h, both) }`,
    { rows: scales },
  ),
];

const attention: readonly RowModel[] = [
  mix(
    'microsoft-attention-rows',
    'rows are the sequence of Attention',
    `${X4} <int64[1] z = {0}, float32[4, 12] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[12] b = {0.1}> { u = Unsqueeze(x, z); a = com.microsoft.Attention<num_heads = 2>(u, w, b); y = Squeeze(a, z) }`,
  ),
  mix(
    'microsoft-multi-head-attention-rows',
    'rows are the sequence of MultiHeadAttention',
    `${X4} <int64[1] z = {0}> { u = Unsqueeze(x, z); a = com.microsoft.MultiHeadAttention<num_heads = 2>(u, u, u); y = Squeeze(a, z) }`,
  ),
  mix(
    'microsoft-attention-mask-count',
    'a mask of the batch hides rows',
    `(float32[N, 2, 4] x) => (float32[N, 2, 4] y) <float32[4, 12] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[12] b = {0.1}> { m = ReduceMax<axes = [0]>(x); d = Sub(x, m); y = com.microsoft.Attention<num_heads = 2>(d, w, b) }`,
  ),
  mix(
    'microsoft-q-attention-rows',
    'rows are the sequence of QAttention, with the scale of the batch',
    `${X4} <int64[1] z = {0}, uint8[4, 12] w = {3, 20, 50, 100, 7}, float32[12] b = {0.1}, float32 ws = {0.02}, uint8 wz = {0}> { u = Unsqueeze(x, z); q, s, qz = DynamicQuantizeLinear(u); a = com.microsoft.QAttention<num_heads = 2>(q, w, b, s, ws, "", qz, wz); y = Squeeze(a, z) }`,
  ),
  mix(
    'microsoft-skip-layer-norm-rows',
    'the skip is the row before',
    `${X4} <int64[1] z = {0}, int64[1] a = {-1}, int64[1] far = {1000}, float32[4] g = {1}, float32[4] b = {0}> { h = Slice(x, a, far, z); t = Slice(x, z, a, z); r = Concat<axis = 0>(h, t); u = Unsqueeze(x, z); v = Unsqueeze(r, z); n = com.microsoft.SkipLayerNormalization(u, v, g, b); y = Squeeze(n, z) }`,
  ),
  mix(
    'microsoft-embed-layer-norm-rows',
    'rows are the positions of the sequence',
    `(int32[N] x) => (float32[N, 4] y) <int64[1] z = {0}, float32[3, 4] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[8, 4] p = {1, 2, -3, 4, 5}, float32[4] g = {1}, float32[4] b = {0}> { u = Unsqueeze(x, z); e, m = com.microsoft.EmbedLayerNormalization(u, "", w, p, "", g, b); y = Squeeze(e, z) }`,
  ),
  mix(
    'microsoft-rotary-embedding-rows',
    'rows are the positions',
    `${X4} <int64[1] z = {0}, float32[8, 2] c = {1, 0.5, 0.2}, float32[8, 2] s = {0, 0.5, 0.9}, int64[1] at = {0}> { u = Unsqueeze(x, z); r = com.microsoft.RotaryEmbedding<num_heads = 1>(u, at, c, s); y = Squeeze(r, z) }`,
  ),
  mix(
    'microsoft-fused-matmul-trans',
    'FusedMatMul with transA',
    `${X} { g = com.microsoft.FusedMatMul<transA = 1>(x, x); y = MatMul(x, g) }`,
  ),
  mix(
    'microsoft-transpose-matmul',
    'TransposeMatMul is the same under its old name',
    `${X} { g = com.microsoft.TransposeMatMul<transA = 1>(x, x); y = MatMul(x, g) }`,
  ),
  mix(
    'microsoft-fused-gemm-trans',
    'FusedGemm with transA',
    `${X} <float32 c = {0}> { g = com.microsoft.FusedGemm<transA = 1, activation = "Relu">(x, x, c); y = MatMul(x, g) }`,
  ),
  mix('microsoft-cdist', 'distances between rows', `${X} { d = com.microsoft.CDist<metric = "euclidean">(x, x); y = MatMul(d, x) }`),
  mix(
    'microsoft-matmul-nbits',
    'MatMulNBits of X minus a maximum of the batch',
    `(float32[N, 16] x) => (float32[N, 2] y) <uint8[2, 1, 8] w = {18, 52, 86, 120}, float32[2] s = {0.1}> { m = ReduceMax<axes = [0]>(x); d = Sub(x, m); y = com.microsoft.MatMulNBits<K = 16, N = 2, bits = 4, block_size = 16>(d, w, s) }`,
  ),
  mix(
    'microsoft-fast-gelu-bias',
    'the bias of FastGelu is the first row',
    `${X} <int64 z = {0}> { b = Gather<axis = 0>(x, z); y = com.microsoft.FastGelu(x, b) }`,
  ),
  mix(
    'microsoft-tokenizer',
    'texts are padded to the longest of the batch',
    `(string[N] x) => (string[N, W] y) { y = com.microsoft.Tokenizer<mark = 0, mincharnum = 1, pad_value = "#", separators = [" "]>(x) }`,
    { rows: [['a b c'], ['a']] },
  ),
  mix(
    'microsoft-range',
    'Range of com.microsoft numbers rows',
    `${X} <int64 z = {0}, int64 one = {1}, int64[1] a = {1}> { s = Shape(x); n = Gather(s, z); r = com.microsoft.Range(z, n, one); f = Cast<to = 1>(r); u = Unsqueeze(f, a); y = Add(x, u) }`,
  ),
  mix(
    'microsoft-expand-dims',
    'ExpandDims in front moves the rows',
    `${X} <int32 z = {0}> { u = com.microsoft.ExpandDims(x, z); m = ReduceMax<axes = [1], keepdims = 0>(u); y = Sub(x, m) }`,
  ),
  mix(
    'microsoft-pad',
    'Pad of com.microsoft shifts rows',
    `${X} <int64[4] p = {1, 0, 0, 0}, int64[1] a = {0}, int64[1] b = {-1}> { q = com.microsoft.Pad(x, p); y = Slice(q, a, b, a) }`,
  ),
  mix('microsoft-trilu', 'Trilu of com.microsoft over row numbers', `${X} { y = com.microsoft.Trilu(x) }`),
  mix(
    'microsoft-unique',
    'positions among the different values',
    `(float32[N] x) => (float32[N] y) { u, i, c = com.microsoft.Unique(x); f = Cast<to = 1>(i); y = Add(x, f) }`,
  ),
  mix(
    'microsoft-gather-nd',
    'GatherND of com.microsoft reads row 0',
    `${X} <int64[1] z = {0}> { f = com.microsoft.GatherND(x, z); y = Sub(x, f) }`,
  ),
  mix(
    'microsoft-crop-and-resize',
    'a box names an image of the batch',
    '(float32[N, 1, 2, 2] x, float32[N, 4] b, int32[N] i) => (float32[N, 1, 1, 1] y) <int32[2] s = {1}> { y = com.microsoft.CropAndResize(x, b, i, s) }',
    {
      rows: [
        { x: [1, 2, 3, 4], b: [0, 0, 1, 1], i: [0] },
        { x: [5, 6, 7, 8], b: [0, 0, 1, 1], i: [0] },
      ],
    },
  ),
  mix(
    'microsoft-conv-transpose-dynamic-pads',
    'the pads are the largest number of the batch',
    '(float32[N, 1, 3] x, int64[N, 2] p) => (float32[N, 1, W] y) <float32[1, 1, 3] w = {1, 2, 3}> { m = ReduceMax<axes = [0], keepdims = 0>(p); y = com.microsoft.ConvTransposeWithDynamicPads(x, w, m) }',
    {
      rows: [
        { x: [1, 2, 3], p: [0, 0] },
        { x: [4, 5, 6], p: [1, 1] },
      ],
    },
  ),
];

const texts: readonly RowModel[] = [
  mix(
    'tf-idf-vector',
    'a vector of ids is one text',
    `(int64[N] x) => (float32[N] y) { v = TfIdfVectorizer<max_gram_length = 1, min_gram_length = 1, max_skip_count = 0, mode = "TF", ngram_counts = [0], ngram_indexes = [0], pool_int64s = [1]>(x); s = ReduceMax<keepdims = 1>(v); f = Cast<to = 1>(x); y = Add(f, s) }`,
    { opset: 9, rows: [[1], [1], [2]] },
  ),
  mix(
    'tf-idf-transposed',
    'words of the batch are one text',
    `(int64[N, 1] x) => (float32[N, 1] y) { t = Transpose(x); v = TfIdfVectorizer<max_gram_length = 2, min_gram_length = 2, max_skip_count = 0, mode = "TF", ngram_counts = [0, 0], ngram_indexes = [0], pool_int64s = [1, 2]>(t); f = Cast<to = 1>(x); y = Add(f, v) }`,
    { opset: 9, rows: [[1], [2]] },
  ),
  mix(
    'string-normalizer',
    'stop words take rows away: the others move up',
    `(string[N] x) => (string[N] y) <int64[1] one = {1}, int64[1] z = {0}> { n = StringNormalizer<locale = "C", stopwords = ["the"]>(x); f = Slice(n, z, one, z); y = StringConcat(x, f) }`,
    { opset: 20, rows: [['a'], ['b']] },
  ),
  mix(
    'string-concat-first',
    'the text of the first row is put behind all',
    `(string[N] x) => (string[N] y) <int64[1] z = {0}> { f = Gather(x, z); y = StringConcat(x, f) }`,
    { opset: 20, rows: [['a'], ['b']] },
  ),
  mix(
    'string-split-widest',
    'texts are split into as many columns as the longest has',
    `(string[N] x) => (string[N, W] y) { y, n = StringSplit<delimiter = " ">(x) }`,
    { opset: 20, rows: [['a b c'], ['a']] },
  ),
];

const sequences: readonly RowModel[] = [
  mix(
    'sequence-first-row',
    'the batch is split into rows, the first is taken',
    `${X} <int64 z = {0}> { q = SplitToSequence<axis = 0>(x); f = SequenceAt(q, z); y = Sub(x, f) }`,
    { opset: 11 },
  ),
  mix('sequence-last-row', 'position -1', `${X} <int64 last = {-1}> { q = SplitToSequence(x); f = SequenceAt(q, last); y = Sub(x, f) }`, {
    opset: 13,
  }),
  mix(
    'sequence-length',
    'the length of the sequence is the number of rows',
    `${X} { q = SplitToSequence<axis = 0>(x); n = SequenceLength(q); f = Cast<to = 1>(n); y = Mul(x, f) }`,
    { opset: 11 },
  ),
  mix(
    'sequence-concat',
    'the rows of two tensors are put together',
    `${X} <int64[2] s = {-1, 6}, int64[1] z = {0}, int64[1] three = {3}, int64[1] one = {1}> { q = SequenceConstruct(x, x); c = ConcatFromSequence<axis = 0>(q); r = Reshape(c, s); y = Slice(r, z, three, one) }`,
    { opset: 13 },
  ),
  mix(
    'sequence-insert',
    'a constant row is put in front',
    `${X} <int64 z = {0}, float32[1, 3] w = {9}, int64[1] a = {0}, int64[1] b = {-1}> { q = SplitToSequence<axis = 0>(x); i = SequenceInsert(q, w, z); c = ConcatFromSequence<axis = 0>(i); y = Slice(c, a, b) }`,
    { opset: 11 },
  ),
  mix(
    'sequence-map',
    'the function of SequenceMap subtracts a maximum of the batch',
    `${X} <int64 z = {0}> { q = SequenceConstruct(x); m = SequenceMap<body = (float32[N, 3] e) => (float32[N, 3] o) { t = ReduceMax<axes = [0]>(e); o = Sub(e, t) }>(q); y = SequenceAt(m, z) }`,
    { opset: 17 },
  ),
  mix(
    'optional-reduced',
    'an optional is opened and reduced',
    `${X} { o = Optional(x); g = OptionalGetElement(o); m = ReduceMean<axes = [0]>(g); y = Sub(x, m) }`,
    { opset: 15 },
  ),
];

const classical: readonly RowModel[] = [
  mix(
    'ml-normalizer-vector',
    'a vector of rows is one row',
    '(float32[N] x) => (float32[N] y) { y = ai.onnx.ml.Normalizer<norm = "MAX">(x) }',
  ),
  mix(
    'ml-normalizer-transposed',
    'the norm of columns',
    `${X} { t = Transpose(x); n = ai.onnx.ml.Normalizer<norm = "L2">(t); y = Transpose(n) }`,
  ),
  mix(
    'ml-imputer-then-mean',
    'a constant for NaN, then the mean of the batch',
    `${X} { i = ai.onnx.ml.Imputer<imputed_value_floats = [0.0], replaced_value_float = nan>(x); m = ReduceMean<axes = [0]>(i); y = Sub(i, m) }`,
    {
      rows: [
        [1, 2, 3],
        [NaN, 4, 5],
      ],
    },
  ),
  mix(
    'ml-scaler-batch',
    'a Scaler of X minus the least of the batch',
    `${X} { m = ReduceMin<axes = [0]>(x); d = Sub(x, m); y = ai.onnx.ml.Scaler<offset = [0.0, 1.0, 2.0], scale = [1.0, 2.0, 0.5]>(d) }`,
  ),
  mix(
    'ml-feature-vectorizer-transposed',
    'rows of two tensors side by side',
    `(float32[N, 3] x) => (float32[N, 3] y) <int64[1] z = {0}> { t = Transpose(x); f = ai.onnx.ml.FeatureVectorizer<inputdimensions = [3, 3]>(x, x); m = ReduceMax<axes = [0]>(f); s = Slice<starts = [0], ends = [3], axes = [1]>(m); y = Sub(x, s) }`,
    { opset: 9 },
  ),
  mix(
    'ml-label-of-batch',
    'the labels of the most frequent class',
    `(string[N] x) => (float32[N] y) { i = ai.onnx.ml.LabelEncoder<keys_strings = ["red", "green"], values_floats = [1.0, 2.0], default_float = 0.0>(x); m = ReduceMax(i); y = Sub(i, m) }`,
    { rows: [['red'], ['green'], ['x']] },
  ),
  mix(
    'ml-classifier-prior',
    'probabilities are divided by their sum over the batch',
    `${X} <int64[1] z = {0}> { l, p = ai.onnx.ml.LinearClassifier<classlabels_ints = [0, 1, 2], coefficients = [0.1, 0.2, 0.3, -0.1, 0.5, 0.7, 1.0, -1.0, 0.2], intercepts = [0.0, 0.1, 0.2], post_transform = "SOFTMAX">(x); s = ReduceSum(p, z); y = Div(p, s) }`,
  ),
  mix(
    'ml-array-feature-vector',
    'ArrayFeatureExtractor of a vector of rows',
    '(float32[N] x) => (float32[N] y) <int64[1] z = {0}, int64[1] m = {-1}> { f = ai.onnx.ml.ArrayFeatureExtractor(x, z); s = Reshape(f, m); y = Sub(x, s) }',
  ),
];

/** Models whose layers, quantisation, texts, sequences and classical operators meet other rows. */
export const mixingLayers: readonly RowModel[] = [...layers, ...quantised, ...attention, ...texts, ...sequences, ...classical];
