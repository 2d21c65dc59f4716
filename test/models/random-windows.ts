import { fixed, isFixed, type RandomGraph, type Size, Unsuitable, type Value } from './random-graph.ts';
import type { RandomOperator } from './random-operators.ts';

const ONE = fixed(1);
const each = ({ alone, together }: Size, change: (size: number) => number): Size => ({ alone: change(alone), together: change(together) });

/** Windows along the third axis, which may hold rows. */
function window(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.exact && value.dims.length === 3 && isFixed(value.dims[1]!));
  const [items, channels, places] = [dims[0]!, dims[1]!, dims[2]!];
  const weights = (kernel: number): string => graph.weights([2, channels.alone, kernel]);
  const half = each(places, (size) => Math.floor((size - 2) / 2) + 1);
  const odd = each(places, (size) => Math.ceil(size / 2));
  const [text, size, made] = graph.pick([
    [`Conv(${name}, ${weights(1)})`, places, fixed(2)],
    [`Conv<strides = [2]>(${name}, ${weights(1)})`, odd, fixed(2)],
    [`Conv<strides = [2]>(${name}, ${weights(2)})`, half, fixed(2)],
    [`Conv<auto_pad = "SAME_UPPER", strides = [2]>(${name}, ${weights(3)})`, odd, fixed(2)],
    [`ConvTranspose<strides = [2]>(${name}, ${graph.weights([channels.alone, 2, 2])})`, each(places, (count) => 2 * count), fixed(2)],
    [`MaxPool<kernel_shape = [2], strides = [2]>(${name})`, half, channels],
    [`AveragePool<kernel_shape = [1], strides = [2]>(${name})`, odd, channels],
    [`MaxPool<kernel_shape = [1]>(${name})`, places, channels],
    [`GlobalMaxPool(${name})`, ONE, channels],
    [`GlobalAveragePool(${name})`, ONE, channels],
  ] as const);
  return graph.add(`$ = ${text}`, [items, made, size], false);
}

/** Channels that are rows have windows of their own in a pool. */
function channelPool(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length === 3);
  const [items, channels, places] = [dims[0]!, dims[1]!, dims[2]!];
  if (graph.chance(0.5)) return graph.add(`$ = GlobalMaxPool(${name})`, [items, channels, ONE], exact);
  const text = `MaxPool<kernel_shape = [2], pads = [1, 0]>(${name})`;
  return graph.add(`$ = ${text}`, [items, channels, places], exact);
}

/** One axis gets twice as many entries, or every other one. */
function resize(graph: RandomGraph): Value {
  const value = graph.value(({ dims }) => dims.length > 0);
  const axis = graph.axis(value);
  const scale = graph.pick([1, 2, 0.5]);
  const scales = value.dims.map((_, at) => (at === axis ? scale : 1));
  const text = `Resize<coordinate_transformation_mode = "${graph.pick(['asymmetric', 'half_pixel', 'align_corners'])}">`;
  const given = graph.constant('float32', [scales.length], scales);
  const dims = value.dims.map((size, at) => (at === axis ? each(size, (count) => Math.floor(count * scale)) : size));
  return graph.add(`$ = ${text}(${value.name}, ${given}, ${given})`, dims, value.exact);
}

/** Blocks move between channels and places. */
function blocks(graph: RandomGraph): Value {
  const { name, dims, exact } = graph.value((value) => value.dims.length === 4);
  const [items, channels, height, width] = [dims[0]!, dims[1]!, dims[2]!, dims[3]!];
  if ([height, width].every(({ alone, together }) => alone % 2 === 0 && together % 2 === 0)) {
    const moved = [items, each(channels, (size) => size * 4), each(height, (size) => size / 2), each(width, (size) => size / 2)];
    return graph.add(`$ = SpaceToDepth<blocksize = 2>(${name})`, moved, exact);
  }
  if (channels.alone % 4 !== 0 || channels.together % 4 !== 0) throw new Unsuitable();
  const moved = [items, each(channels, (size) => size / 4), each(height, (size) => size * 2), each(width, (size) => size * 2)];
  return graph.add(`$ = DepthToSpace<blocksize = 2>(${name})`, moved, exact);
}

/** A transform of real numbers, then its real parts. */
function transform(graph: RandomGraph): Value {
  if (graph.opset < 17) throw new Unsuitable();
  const value = graph.value(({ dims, exact }) => exact && dims.length > 1 && dims.length < 4);
  const rank = value.dims.length;
  const axis = graph.opset < 20 ? 1 + graph.below(rank - 1) : graph.below(rank);
  const parts = graph.add(`$ = Unsqueeze(${value.name}, ${graph.ints([rank])})`, [...value.dims, ONE], value.exact);
  const given = graph.opset < 20 ? `DFT<axis = ${axis}>(${parts.name})` : `DFT(${parts.name}, , ${graph.constant('int64', [], [axis])})`;
  return graph.add(`$ = ${given}`, [...value.dims, fixed(2)], false);
}

/** A product of whole numbers of one byte. */
function integers(graph: RandomGraph): Value {
  const { name, dims } = graph.value((value) => value.exact && value.dims.length > 1 && isFixed(value.dims.at(-1)!));
  const weights = graph.constant('int8', [dims.at(-1)!.alone, 2], [1, -2, 3]);
  const text = `b$ = Cast<to = 3>(${name}); s$ = MatMulInteger(b$, ${weights}); $ = Cast<to = 1>(s$)`;
  return graph.add(text, [...dims.slice(0, -1), fixed(2)], true);
}

/** Windows, resized images, transforms and quantised products. */
export const windowOperators: readonly RandomOperator[] = [window, window, channelPool, resize, resize, blocks, transform, integers];
