import { rowModel as alone, type RowModel } from './row-model.ts';

const IMAGE = 'float32[N, 1, 4, 4] x';

/** Windows, images, signals and quantised layers in which each row is alone. */
export const rowWiseWindows: readonly RowModel[] = [
  alone(
    'max-pool-without-places',
    'places that nothing reads',
    `(${IMAGE}) => (float32[N, 1, 3, 3] y) { y, i = MaxPool<kernel_shape = [2, 2]>(x) }`,
  ),
  alone(
    'pool-same-size',
    'a pool that pads to the stride',
    '(float32[N, 1, 5] x) => (float32[N, 3] y) { p = MaxPool<auto_pad = "SAME_UPPER", kernel_shape = [3], strides = [2]>(x); y = Flatten(p) }',
  ),
  alone(
    'conv-transpose-joined',
    'a smaller image, made as large again, beside the first one',
    `(float32[N, 1, h, w] x) => (float32[N, 2, h, w] y) <float32[1, 1, 2, 2] d = {1, 2, 3}> {
      p = MaxPool<kernel_shape = [2, 2], pads = [1, 1, 0, 0]>(x); t = ConvTranspose<pads = [0, 0, 1, 1]>(p, d); y = Concat<axis = 1>(x, t) }`,
  ),
  alone(
    'deform-conv',
    'offsets of the same row',
    '(float32[N, 1, 3, 3] x, float32[N, 8, 2, 2] o) => (float32[N, 1, 2, 2] y) <float32[1, 1, 2, 2] w = {1, 2, 3}> { y = DeformConv(x, w, o) }',
    { opset: 19 },
  ),
  alone(
    'spatial-transformer',
    'a grid from matrices of the same row',
    `(${IMAGE}, float32[N, 2, 3] m) => (float32[N, 1, 4, 4] y) { s = Shape(x); g = AffineGrid(m, s); y = GridSample(x, g) }`,
    { opset: 20 },
  ),
  alone(
    'regions-of-a-constant',
    'regions of rows in images that the model brings',
    '(float32[N, 4] r, int64[N] i) => (float32[N, 1, 2, 2] y) <float32[3, 1, 3, 3] image = {1, 2, 3, 4, 5, 6, 7}, float32 low = {0}, float32 high = {2}> { c = Clip(r, low, high); y = RoiAlign<coordinate_transformation_mode = "output_half_pixel", sampling_ratio = 1, output_height = 2, output_width = 2>(image, c, i) }',
    { opset: 16 },
  ),
  alone(
    'resize-by-shape',
    'images twice as large, by a size that is computed from their shape',
    `(float32[N, 1, h, w] x) => (float32[N, 1, a, b] y) <int64[1] zero = {0}, int64[1] two = {2}, int64[1] four = {4}> {
      s = Shape(x); head = Slice(s, zero, two); tail = Slice(s, two, four); large = Mul(tail, two); size = Concat<axis = 0>(head, large)
      y = Resize<mode = "nearest">(x, "", "", size) }`,
    { opset: 13 },
  ),
  alone(
    'resize-in-ratio',
    'images that fit into a square',
    '(float32[N, 1, 4, 2] x) => (float32[N, 1, 8, 4] y) <int64[2] s = {8, 8}> { y = Resize<axes = [2, 3], keep_aspect_ratio_policy = "not_larger">(x, "", "", s) }',
    { opset: 18 },
  ),
  alone(
    'space-and-depth',
    'blocks that become channels and back',
    `(${IMAGE}) => (float32[N, 1, 4, 4] y) { s = SpaceToDepth<blocksize = 2>(x); r = Relu(s); y = DepthToSpace<blocksize = 2>(r) }`,
  ),
  alone(
    'columns-to-image',
    'columns of blocks',
    '(float32[N, 4, 9] x) => (float32[N, 1, 4, 4] y) <int64[2] image = {4, 4}, int64[2] block = {2, 2}> { y = Col2Im(x, image, block) }',
    { opset: 18 },
  ),
  alone(
    'crop-around-the-middle',
    'a cut of images whose number stays',
    `(${IMAGE}) => (float32[N, 1, 2, 2] y) <int64[2] s = {2, 2}> { y = CenterCropPad<axes = [2, 3]>(x, s) }`,
    { opset: 18 },
  ),
  alone(
    'spectrogram',
    'frames of a signal, their squares and bands',
    `(float32[N, 16, 1] x) => (float32[N, 4, 3] y)
      <int64 step = {4}, int64 length = {4}, int64 bands = {3}, int64 rate = {8000}, float32 low = {0}, float32 high = {4000}, int64[1] last = {-1}> {
      w = HannWindow(length); s = STFT(x, step, w, length); q = Mul(s, s); e = ReduceSum<keepdims = 0>(q, last)
      m = MelWeightMatrix(bands, length, rate, low, high); y = MatMul(e, m) }`,
  ),
  alone(
    'quantised-conv',
    'a convolution of bytes with a scale for each channel',
    `(${IMAGE}) => (float32[N, 2, 3, 3] y)
      <float32 s = {0.5}, uint8 z = {128}, int8[2, 1, 2, 2] w = {1, -2, 3}, float32[2] ws = {1, 2}, int8[2] wz = {0, 0}> {
      q = QuantizeLinear(x, s, z); c = QLinearConv(q, s, z, w, ws, wz, s, z); y = DequantizeLinear(c, s, z) }`,
  ),
  alone(
    'quantised-product',
    'products of bytes',
    `(float32[N, 3] x) => (float32[N, 2] y) <float32 s = {0.5}, uint8 z = {128}, uint8[3, 2] w = {1, 2, 3}> {
      q = QuantizeLinear(x, s, z); p = QLinearMatMul(q, s, z, w, s, z, s, z); d = DequantizeLinear(p, s, z)
      i = MatMulInteger(q, w, z, z); f = Cast<to = 1>(i); y = Add(d, f) }`,
  ),
  alone(
    'scale-for-each-row',
    'rows with scales of their own',
    '(float32[N, 4] x, float32[N] s) => (float32[N, 4] y) { q = QuantizeLinear<axis = 0>(x, s); y = DequantizeLinear<axis = 0>(q, s) }',
    { opset: 13 },
  ),
  alone(
    'scale-for-each-block',
    'blocks with scales of their own row',
    '(float32[N, 4] x, float32[N, 2] s) => (float32[N, 4] y) { q = QuantizeLinear<axis = 1, block_size = 2>(x, s); y = DequantizeLinear<axis = 1, block_size = 2>(q, s) }',
    { opset: 21 },
  ),
];
