import { rowModel as mix, type RowModel } from './row-model.ts';

/** Windows, images and scales in which rows meet. */
export const mixingWindows: readonly RowModel[] = [
  mix(
    'max-pool-places',
    'places of maxima count from the first entry of the batch',
    '(float32[N, 1, 4] x) => (float32[N, 1, 3] y) { p, i = MaxPool<kernel_shape = [2]>(x); y = Cast<to = 1>(i) }',
  ),
  mix(
    'strided-rows',
    'a transposed window over rows, then a window over its result',
    `(float32[N, 3] x) => (float32[N, 3] y) <int64[1] z = {0}, float32[3, 3, 3] w = {1, 2, 3, -1}> {
      t = Transpose(x); u = Unsqueeze(t, z); c = ConvTranspose<pads = [1, 1]>(u, w); s = Squeeze(c, z); y = Transpose(s) }`,
  ),
];
