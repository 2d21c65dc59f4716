import { rowModel as alone, type RowModel } from './row-model.ts';

const X = '(float32[N, 3] x) => (float32[N, 3] y)';

const layers: readonly RowModel[] = [
  alone(
    'cnn-flatten',
    'Conv, BatchNormalization, pools, Flatten and Gemm',
    `(float32[N, 1, 6, 6] x) => (float32[N, 3] y) <float32[2, 1, 3, 3] w = {0.1, -0.2, 0.3, 0.5, 1}, float32[2] s = {1, 2}, float32[2] b = {0.1}, float32[2] m = {0.5}, float32[2] v = {1, 2}, float32[8, 3] d = {0.3, -0.4, 1, 0.2}, float32[3] e = {1, 2, 3}> {
    c = Conv<kernel_shape = [3, 3]>(x, w); n = BatchNormalization(c, s, b, m, v); r = Relu(n); p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(r); f = Flatten(p); y = Gemm(f, d, e) }`,
    { opset: 11 },
  ),
  alone(
    'global-average-pool',
    'the mean of an image',
    '(float32[N, 2, 3, 3] x) => (float32[N, 2] y) { g = GlobalAveragePool(x); y = Flatten(g) }',
    { opset: 9 },
  ),
  alone(
    'average-pool',
    'windows of an image',
    '(float32[N, 1, 4, 4] x) => (float32[N, 1, 2, 2] y) { y = AveragePool<kernel_shape = [2, 2], strides = [2, 2]>(x) }',
    { opset: 7 },
  ),
  alone(
    'conv-transpose',
    'ConvTranspose',
    '(float32[N, 1, 3] x) => (float32[N, 1, 5] y) <float32[1, 1, 3] w = {1, 2, 3}> { y = ConvTranspose(x, w) }',
    { opset: 11 },
  ),
  alone(
    'conv-of-rows-as-images',
    'a row becomes an image of one channel',
    '(float32[N, 6] x) => (float32[N, 6] y) <int64[1] a = {1}, float32[1, 1, 3] w = {1, 2, 3}> { u = Unsqueeze(x, a); c = Conv<pads = [1, 1]>(u, w); y = Squeeze(c, a) }',
    { opset: 13 },
  ),
  alone(
    'instance-norm',
    'each image of a row',
    '(float32[N, 2, 4] x) => (float32[N, 2, 4] y) <float32[2] s = {1}, float32[2] b = {0}> { y = InstanceNormalization(x, s, b) }',
    { opset: 9 },
  ),
  alone('layer-norm', 'the last axis', `${X} <float32[3] s = {1, 2, 3}, float32[3] b = {0.5}> { y = LayerNormalization(x, s, b) }`),
  alone(
    'layer-norm-parts',
    'the same in its parts',
    `${X} <float32 e = {0.00001}, float32 two = {2}> { m = ReduceMean<axes = [-1]>(x); d = Sub(x, m); p = Pow(d, two); v = ReduceMean<axes = [-1]>(p); w = Add(v, e); s = Sqrt(w); y = Div(d, s) }`,
    { opset: 12 },
  ),
  alone(
    'group-norm',
    'groups of channels',
    '(float32[N, 4, 3] x) => (float32[N, 4, 3] y) <float32[4] s = {1}, float32[4] b = {0}> { y = GroupNormalization<num_groups = 2>(x, s, b) }',
    { opset: 21 },
  ),
  alone('lrn', 'channels of an image', '(float32[N, 3, 2, 2] x) => (float32[N, 3, 2, 2] y) { y = LRN<size = 3>(x) }'),
  alone(
    'resize',
    'images twice as large',
    '(float32[N, 1, 2, 2] x) => (float32[N, 1, 4, 4] y) <float32[4] by = {1, 1, 2, 2}> { y = Resize<mode = "linear">(x, "", by) }',
    { opset: 13 },
  ),
  alone(
    'upsample',
    'images of old sets',
    '(float32[N, 1, 2, 2] x) => (float32[N, 1, 4, 4] y) <float32[4] by = {1, 1, 2, 2}> { y = Upsample(x, by) }',
    { opset: 9 },
  ),
  alone(
    'grid-sample',
    'each row has its grid',
    '(float32[N, 1, 2, 2] x, float32[N, 2, 2, 2] g) => (float32[N, 1, 2, 2] y) { y = GridSample(x, g) }',
    { opset: 16 },
  ),
  alone(
    'lstm-batch-second',
    'axes are exchanged: rows are the batch of the LSTM',
    '(float32[N, 4, 3] x) => (float32[N, 2] y) <float32[1, 8, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 8, 2] r = {0.2, 0.4, -0.1}, int64[1] z = {0}> { t = Transpose<perm = [1, 0, 2]>(x); o, h, c = LSTM<hidden_size = 2>(t, w, r); y = Squeeze(h, z) }',
    { opset: 14 },
  ),
  alone(
    'lstm-initial-state',
    'an initial state of zeros by the number of rows',
    '(float32[N, 4, 3] x) => (float32[N, 2] y) <float32[1, 8, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 8, 2] r = {0.2, 0.4, -0.1}, int64[1] z = {0}, int64 zero = {0}, int64[1] one = {1}, int64[1] two = {2}> { t = Transpose<perm = [1, 0, 2]>(x); s = Shape(x); n = Gather(s, zero); u = Unsqueeze(n, z); k = Concat<axis = 0>(one, u, two); i = ConstantOfShape(k); o, h, c = LSTM<hidden_size = 2>(t, w, r, "", "", i, i); y = Squeeze(h, z) }',
    { opset: 14 },
  ),
  alone(
    'gru-all-outputs',
    'all outputs of a GRU in both directions',
    '(float32[N, 4, 3] x) => (float32[N, 4, 2, 2] y) <float32[2, 6, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[2, 6, 2] r = {0.2, 0.4, -0.1}> { t = Transpose<perm = [1, 0, 2]>(x); o, h = GRU<hidden_size = 2, direction = "bidirectional">(t, w, r); y = Transpose<perm = [2, 0, 1, 3]>(o) }',
    { opset: 11 },
  ),
  alone(
    'rnn',
    'a simple recurrence',
    '(float32[N, 4, 3] x) => (float32[N, 2] y) <float32[1, 2, 3] w = {0.3, -0.2}, float32[1, 2, 2] r = {0.2}> { t = Transpose<perm = [1, 0, 2]>(x); o, h = RNN<hidden_size = 2>(t, w, r); y = Squeeze<axes = [0]>(h) }',
    { opset: 7 },
  ),
  alone('dft-columns', 'a Fourier transform of each row', '(float32[N, 4, 1] x) => (float32[N, 4, 2] y) { y = DFT<axis = 1>(x) }'),
  alone(
    'stft-rows',
    'frames of each row',
    '(float32[N, 8] x) => (float32[N, 3, 3, 2] y) <int64 step = {2}, int64 length = {4}, float32[4] w = {1, 2, 2, 1}> { y = STFT(x, step, w, length) }',
  ),
];

const QKV = `float32[4, 4] q = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[4, 4] k = {0.2, 0.4, -0.1, 0.6, 0.3}, float32[4, 4] v = {-0.3, 0.1, 0.8}, float32[4, 4] o = {0.5, 0.2, -0.7},
    float32[4, 8] up = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[8, 4] down = {0.1, -0.6, 0.5}, float32[4] g = {1}, float32[4] b = {0.1}`;

const transformers: readonly RowModel[] = [
  alone(
    'transformer-encoder',
    'a block as torch exports it, with computed shapes',
    `(float32[N, T, 4] x, bool[N, T] mask) => (float32[N, T, 4] y) <${QKV}, int64 zero = {0}, int64 one = {1}, int64[1] a0 = {0}, int64[1] heads = {2}, int64[1] size = {2}, int64[1] width = {4}, int64[2] at = {1, 2}, float32 scale = {0.7}, float32 low = {-10000}> {
    s = Shape(x); n0 = Gather(s, zero); t0 = Gather(s, one); n = Unsqueeze(n0, a0); t = Unsqueeze(t0, a0)
    split = Concat<axis = 0>(n, t, heads, size); joined = Concat<axis = 0>(n, t, width)
    qx = MatMul(x, q); kx = MatMul(x, k); vx = MatMul(x, v)
    qr = Reshape(qx, split); kr = Reshape(kx, split); vr = Reshape(vx, split)
    qt = Transpose<perm = [0, 2, 1, 3]>(qr); kt = Transpose<perm = [0, 2, 3, 1]>(kr); vt = Transpose<perm = [0, 2, 1, 3]>(vr)
    scores = MatMul(qt, kt); scaled = Mul(scores, scale); m = Unsqueeze(mask, at); masked = Where(m, low, scaled)
    p = Softmax<axis = -1>(masked); c = MatMul(p, vt); ct = Transpose<perm = [0, 2, 1, 3]>(c); cr = Reshape(ct, joined)
    attended = MatMul(cr, o); r1 = Add(x, attended); n1 = LayerNormalization(r1, g, b)
    f = MatMul(n1, up); h = Relu(f); d = MatMul(h, down); r2 = Add(n1, d); y = LayerNormalization(r2, g, b)
  }`,
    { opset: 17 },
  ),
  alone(
    'transformer-first-token',
    'embeddings, a padding mask and the first token',
    '(int64[N, 4] ids, int64[N, 4] mask) => (float32[N, 3] y) <float32[5, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 4, 3] pos = {0.1, 0.2, 0.7, 0.5}, int64[1] two = {2}, int64 zero = {0}, int64[1] a1 = {1}> { e = Gather(w, ids); p = Add(e, pos); f = Cast<to = 1>(mask); u = Unsqueeze(f, two); q = Mul(p, u); s = ReduceSum<keepdims = 0>(q, a1); first = Gather<axis = 1>(q, zero); y = Add(s, first) }',
    { opset: 13 },
  ),
  alone(
    'microsoft-attention',
    'tokens of a row',
    '(float32[N, 3, 4] x) => (float32[N, 3, 4] y) <float32[4, 12] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[12] b = {0.1}> { y = com.microsoft.Attention<num_heads = 2>(x, w, b) }',
  ),
  alone(
    'microsoft-multi-head-attention',
    'tokens of a row',
    '(float32[N, 3, 4] x) => (float32[N, 3, 4] y) { y = com.microsoft.MultiHeadAttention<num_heads = 2>(x, x, x) }',
  ),
  alone(
    'microsoft-skip-layer-norm',
    'the skip is of the same row',
    '(float32[N, 3, 4] x) => (float32[N, 3, 4] y) <float32[4] g = {1}, float32[4] b = {0.5}> { y = com.microsoft.SkipLayerNormalization(x, x, g, b) }',
  ),
  alone(
    'microsoft-embed-layer-norm',
    'ids of a row',
    '(int32[N, 3] x) => (float32[N, 3, 4] y) <float32[3, 4] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[8, 4] p = {1, 2, -3, 4, 5}, float32[4] g = {1}, float32[4] b = {0}> { y, m = com.microsoft.EmbedLayerNormalization(x, "", w, p, "", g, b) }',
  ),
  alone(
    'microsoft-gelus',
    'FastGelu, BiasGelu, QuickGelu and Gelu',
    `${X} <float32[3] b = {1, 2, 3}> { f = com.microsoft.FastGelu(x, b); g = com.microsoft.BiasGelu(f, b); q = com.microsoft.QuickGelu(g); y = com.microsoft.Gelu(q) }`,
  ),
  alone(
    'microsoft-fused-matmul',
    'FusedMatMul with weights',
    `${X} <float32[3, 3] w = {1, 2, 0, -1, 5}> { y = com.microsoft.FusedMatMul<transB = 1>(x, w) }`,
  ),
  alone(
    'microsoft-matmul-nbits',
    'MatMulNBits',
    '(float32[N, 16] x) => (float32[N, 2] y) <uint8[2, 1, 8] w = {18, 52, 86, 120}, float32[2] s = {0.1}> { y = com.microsoft.MatMulNBits<K = 16, N = 2, bits = 4, block_size = 16>(x, w, s) }',
  ),
];

const quantised: readonly RowModel[] = [
  alone(
    'qdq',
    'constant scales around a product',
    `${X} <float32 s = {0.05}, uint8 z = {128}, int8[3, 3] w = {1, -20, 50, 100}, float32 ws = {0.02}, int8 wz = {0}> { q = QuantizeLinear(x, s, z); d = DequantizeLinear(q, s, z); dw = DequantizeLinear(w, ws, wz); m = MatMul(d, dw); qm = QuantizeLinear(m, s, z); y = DequantizeLinear(qm, s, z) }`,
    { opset: 13 },
  ),
  alone(
    'qlinear-matmul',
    'constant scales inside an operator',
    '(uint8[N, 3] x) => (uint8[N, 2] y) <float32 s = {0.05}, uint8 z = {128}, uint8[3, 2] w = {1, 20, 50}, float32 ws = {0.02}, uint8 wz = {9}> { y = QLinearMatMul(x, s, z, w, ws, wz, s, z) }',
    { opset: 10 },
  ),
  alone(
    'qlinear-conv',
    'a convolution of integers',
    '(uint8[N, 1, 4] x) => (uint8[N, 1, 2] y) <float32 s = {0.05}, uint8 z = {128}, uint8[1, 1, 3] w = {1, 20, 50}, float32 ws = {0.02}, uint8 wz = {9}> { y = QLinearConv(x, s, z, w, ws, wz, s, z) }',
    { opset: 10 },
  ),
  alone(
    'microsoft-qlinear-add',
    'constant scales',
    '(uint8[N, 3] x) => (uint8[N, 3] y) <float32 s = {0.05}, uint8 z = {128}, uint8[3] w = {1, 20, 50}> { y = com.microsoft.QLinearAdd(x, s, z, w, s, z, s, z) }',
  ),
];

const control: readonly RowModel[] = [
  alone(
    'if-constant',
    'both branches are row-wise',
    `${X} <bool c = {1}> { y = If<then_branch = () => (a) { a = Neg(x) }, else_branch = () => (b) { m = ReduceMax<axes = [1]>(x); b = Sub(x, m) }>(c) }`,
    { opset: 11 },
  ),
  alone(
    'if-rank',
    'the condition is the rank',
    `${X} <int64 two = {2}> { s = Shape(x); r = Size(s); c = Equal(r, two); y = If<then_branch = () => (a) { a = Neg(x) }, else_branch = () => (b) { b = Identity(x) }>(c) }`,
    { opset: 13 },
  ),
  alone(
    'loop-constant',
    'a constant trip count and a state of rows',
    `${X} <int64 three = {3}, bool go = {1}, float32 half = {0.5}> { y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { s = Softmax<axis = 1>(v); t = Add(s, x); w = Mul(t, half); k2 = Identity(k) }>(three, go, x) }`,
    { opset: 11 },
  ),
  alone(
    'scan-columns',
    'Scan along columns with a state of rows',
    `${X} { z = ReduceSum<axes = [1], keepdims = 0>(x); last, y = Scan<num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1], body = (float32[N] v, float32[N] r) => (float32[N] w, float32[N] o) { w = Add(v, r); o = Identity(w) }>(z, x) }`,
    { opset: 11 },
  ),
  alone(
    'function',
    'a function of the model',
    `${X} { y = local.soft<axis = 1>(x) } function local.soft<axis>(a) => (b) { b = Softmax<axis: int = @axis>(a) }`,
  ),
  alone(
    'function-in-function',
    'a function that calls another',
    `${X} { y = local.outer(x) } function local.inner(a) => (b) { b = Relu(a) } function local.outer(a) => (b) { c = local.inner(a); b = Neg(c) }`,
  ),
  alone(
    'sequence-columns',
    'columns through a sequence',
    `${X} { q = SplitToSequence<axis = 1>(x); y = ConcatFromSequence<axis = 1>(q) }`,
    { opset: 11 },
  ),
  alone(
    'constant-nodes',
    'Constant in all its forms',
    `${X} { a = Constant<value_float = 2.0>(); b = Constant<value_ints = [-1, 3]>(); c = Constant<value = float32[3] {1, 2, 3}>(); d = Mul(x, a); e = Add(d, c); y = Reshape(e, b) }`,
    { opset: 13 },
  ),
];

const TREES = `nodes_falsenodeids = [2, 0, 0, 2, 0, 0], nodes_featureids = [0, 0, 0, 2, 0, 0], nodes_hitrates = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0], nodes_missing_value_tracks_true = [0, 0, 0, 0, 0, 0],
  nodes_modes = ["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"], nodes_nodeids = [0, 1, 2, 0, 1, 2], nodes_treeids = [0, 0, 0, 1, 1, 1], nodes_truenodeids = [1, 0, 0, 1, 0, 0], nodes_values = [0.5, 0.0, 0.0, 10.0, 0.0, 0.0]`;

const classical: readonly RowModel[] = [
  alone(
    'ml-tree-regressor',
    'two trees',
    `(float32[N, 3] x) => (float32[N, 1] y) { y = ai.onnx.ml.TreeEnsembleRegressor<n_targets = 1, ${TREES}, target_ids = [0, 0, 0, 0], target_nodeids = [1, 2, 1, 2], target_treeids = [0, 0, 1, 1], target_weights = [1.0, 2.0, 30.0, 40.0]>(x) }`,
  ),
  alone(
    'ml-tree-classifier',
    'two trees',
    `(float32[N, 3] x) => (int64[N] l, float32[N, 2] y) { l, y = ai.onnx.ml.TreeEnsembleClassifier<${TREES}, class_ids = [0, 1, 0, 1], class_nodeids = [1, 2, 1, 2], class_treeids = [0, 0, 1, 1], class_weights = [1.0, 2.0, 3.0, 4.0], classlabels_int64s = [0, 1], post_transform = "NONE">(x) }`,
  ),
  alone(
    'ml-scaler',
    'an offset and a scale a column',
    `${X} { y = ai.onnx.ml.Scaler<offset = [0.0, 1.0, 2.0], scale = [1.0, 2.0, 0.5]>(x) }`,
  ),
  alone(
    'ml-imputer',
    'a constant a column',
    `${X} { y = ai.onnx.ml.Imputer<imputed_value_floats = [1.0, 2.0, 3.0], replaced_value_float = nan>(x) }`,
    {
      rows: [
        [1, NaN, 3],
        [NaN, 5, 6],
      ],
    },
  ),
  alone('ml-normalizer', 'the norm of a row', `${X} { y = ai.onnx.ml.Normalizer<norm = "L2">(x) }`),
  alone(
    'ml-one-hot-encoder',
    'categories of texts',
    '(string[N, 1] x) => (float32[N, 1, 2] y) { y = ai.onnx.ml.OneHotEncoder<cats_strings = ["red", "green"], zeros = 1>(x) }',
  ),
  alone(
    'ml-label-encoder',
    'texts to integers',
    '(string[N, 2] x) => (int64[N, 2] y) { y = ai.onnx.ml.LabelEncoder<keys_strings = ["red", "green"], values_int64s = [1, 2], default_int64 = -1>(x) }',
  ),
  alone(
    'ml-linear-classifier',
    'a logistic regression with its probabilities',
    '(float32[N, 3] x) => (int64[N] l, float32[N, 3] y) { l, p = ai.onnx.ml.LinearClassifier<classlabels_ints = [0, 1, 2], coefficients = [0.1, 0.2, 0.3, -0.1, 0.5, 0.7, 1.0, -1.0, 0.2], intercepts = [0.0, 0.1, 0.2], post_transform = "SOFTMAX">(x); y = ai.onnx.ml.Normalizer<norm = "L1">(p) }',
  ),
  alone(
    'ml-linear-regressor',
    'a linear regression',
    '(float32[N, 3] x) => (float32[N, 1] y) { y = ai.onnx.ml.LinearRegressor<coefficients = [0.1, 0.2, 0.3], intercepts = [1.0], targets = 1>(x) }',
  ),
  alone('ml-binarizer', 'a threshold', `${X} { y = ai.onnx.ml.Binarizer<threshold = 0.5>(x) }`),
  alone(
    'ml-feature-extractor',
    'columns by their numbers',
    '(float32[N, 3] x) => (float32[N, 2] y) <int64[2] i = {2, 0}> { y = ai.onnx.ml.ArrayFeatureExtractor(x, i) }',
  ),
  alone(
    'ml-feature-vectorizer',
    'columns of two inputs',
    '(float32[N, 1] x, float32[N, 2] z) => (float32[N, 3] y) { y = ai.onnx.ml.FeatureVectorizer<inputdimensions = [1, 2]>(x, z) }',
  ),
  alone(
    'ml-svm-regressor',
    'two support vectors',
    '(float32[N, 2] x) => (float32[N, 1] y) { y = ai.onnx.ml.SVMRegressor<coefficients = [1.0, -1.0], kernel_params = [0.5, 0.0, 3.0], kernel_type = "RBF", n_supports = 2, rho = [0.1], support_vectors = [1.0, 2.0, 3.0, 4.0]>(x) }',
  ),
  alone(
    'ml-columns-pipeline',
    'columns of numbers and texts, as scikit-learn exports them',
    '(float32[N, 1] age, string[N, 1] city) => (float32[N, 1] y) <int64[2] s = {-1, 2}> { i = ai.onnx.ml.Imputer<imputed_value_floats = [30.0], replaced_value_float = nan>(age); n = ai.onnx.ml.Scaler<offset = [30.0], scale = [0.1]>(i); h = ai.onnx.ml.OneHotEncoder<cats_strings = ["red", "green"], zeros = 1>(city); r = Reshape(h, s); c = Concat<axis = 1>(n, r); y = ai.onnx.ml.LinearRegressor<coefficients = [0.1, 0.2, 0.3], intercepts = [1.0], targets = 1>(c) }',
  ),
];

const forms: readonly RowModel[] = [
  alone(
    'initializers-as-inputs',
    'before IR 4 each initializer is an input too',
    '(float32[N, 3] x, float32[3, 3] w) => (float32[N, 3] y) <float32[3, 3] w = {1, 2, 0, -1, 5}> { y = MatMul(x, w) }',
    { ir: 3, opset: 7 },
  ),
  alone('domain-by-its-long-name', 'ai.onnx is the default domain', `${X} { y = ai.onnx.Softmax<axis = 1>(x) }`, { opset: 13 }),
  alone(
    'initializers-of-every-type',
    'constants of all types, cast and added',
    `${X} <float64 a = {1.5}, float16 b = {2}, bfloat16 c = {3}, int8 d = {-4}, uint8 e = {5}, int16 f = {-6}, uint16 g = {7}, int32 h = {-8}, uint32 i = {9}, int64 j = {-10}, uint64 k = {11}, bool l = {1}, int4[2] m = {-3, 3}, uint4[1] n = {15}> {
    ${'abcdefghijkln'
      .split('')
      .map((name) => `${name}f = Cast<to = 1>(${name})`)
      .join('; ')}
    mf = Cast<to = 1>(m); ms = ReduceMax<keepdims = 0>(mf)
    s = Sum(x, af, bf, cf, df, ef, ff, gf, hf, if, jf, kf, lf, nf); y = Add(s, ms) }`,
    { opset: 21 },
  ),
  alone(
    'optional-without-element',
    'a type as an attribute',
    `${X} { o = Optional<type = float32[1]>(); h = OptionalHasElement(o); f = Cast<to = 1>(h); y = Add(x, f) }`,
    { opset: 15 },
  ),
  alone(
    'loop-over-columns',
    'the trip count is the number of columns',
    `${X} <int64 one = {1}> { s = Shape(x); n = Gather(s, one); y = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w) { w = Add(v, x); k2 = Identity(k) }>(n, "", x) }`,
    { opset: 13 },
  ),
  alone(
    'loop-scan-output',
    'the states of all turns lie in front of the rows',
    `${X} <int64 two = {2}, int64[1] z = {0}> { l, a = Loop<body = (int64 i, bool k, float32[N, 3] v) => (bool k2, float32[N, 3] w, float32[N, 3] o) { w = Relu(v); o = Neg(v); k2 = Identity(k) }>(two, "", x); y = ReduceSum<keepdims = 0>(a, z) }`,
    { opset: 13 },
  ),
  alone(
    'matmul-stack-of-weights',
    'rows lie in axis 1 for a while',
    `${X} <float32[2, 3, 3] w = {1, 2, 0, -1, 5}> { m = MatMul(x, w); y = ReduceMax<axes = [0], keepdims = 0>(m) }`,
    { opset: 13 },
  ),
  alone(
    'gather-elements-of-table',
    'ids pick from the columns of a table',
    '(int64[N, 3] i) => (float32[N, 3] y) <float32[4, 3] w = {1, 2, 3, 5, 7}> { y = GatherElements<axis = 0>(w, i) }',
    { opset: 13 },
  ),
  alone(
    'lstm-lengths',
    'each row has its own length',
    '(float32[N, 4, 3] x, int32[N] l) => (float32[N, 2] y) <float32[1, 8, 3] w = {0.3, -0.2, 0.5, 0.1, 0.7}, float32[1, 8, 2] r = {0.2, 0.4, -0.1}, int64[1] z = {0}, int32 one = {1}> { m = Max(l, one); t = Transpose<perm = [1, 0, 2]>(x); o, h = LSTM<hidden_size = 2>(t, w, r, "", m); y = Squeeze(h, z) }',
    { opset: 14 },
  ),
];

/** Networks and classical models, as they are exported. */
export const rowWiseLayers: readonly RowModel[] = [...layers, ...transformers, ...quantised, ...control, ...classical, ...forms];
