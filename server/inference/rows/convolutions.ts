import { refuseApart } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { all } from './elementwise.ts';
import { exactly, number, times, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';
import { kernelOf, ones, slid, unslid } from './windows.ts';

/** Which inputs are what, for an operator that slides weights over images. */
interface Places {
  readonly image: number;
  readonly weights: number;
  /** True if channels are the last axis. */
  readonly last?: boolean;
}

/** Sizes of images: the first axis holds images, another one their channels. */
interface Images {
  readonly items: Size;
  readonly channels: Size;
  readonly area: readonly Size[];
}

/** @throws Refusal if rows lie along the area, or along channels that meet */
function imagesOf({ dims, row }: Shaped, last: boolean, meeting: boolean): Images {
  const [items, ...rest] = dims;
  const channels = last ? rest.at(-1) : rest[0];
  if (items === undefined || channels === undefined || rest.length < 2) throw unknown('it expects images');
  const channel = last ? dims.length - 1 : 1;
  if (row !== undefined && row.axis > 0 && (meeting || row.axis !== channel)) throw mixed('it slides over rows of different calls');
  return { items, channels, area: last ? rest.slice(0, -1) : rest.slice(1) };
}

const imageDims = ({ items, channels, area }: Images, last: boolean): Size[] =>
  last ? [items, ...area, channels] : [items, channels, ...area];

/** Weights that no row changes, with their shape. */
function weightsOf(call: Call, index: number): readonly Size[] {
  call.constant(index);
  return call.tensor(index).dims;
}

/** Inputs beside the images are constants. @param from the first one that may be one */
function constants(call: Call, except: readonly number[]): void {
  for (let index = 0; index < call.count; index++) if (call.has(index) && !except.includes(index)) call.constant(index);
}

/** Weights slide over each image. All inputs but the images are constants. */
export const convolution =
  ({ image, weights, last = false }: Places, ...except: number[]): Rule =>
  (call) => {
    const data = call.tensor(image);
    constants(call, [image, ...except]);
    const [filters, , ...window] = weightsOf(call, weights);
    const images = imagesOf(data, last, true);
    if (filters === undefined || window.length !== images.area.length) throw unknown('its weights do not fit its input');
    const area = slid(call, images.area, kernelOf(call, window));
    return shaped(imageDims({ items: images.items, channels: filters, area }, last), data.row);
  };

const transposed: Rule = (call) => {
  const data = call.tensor(0);
  constants(call, [0]);
  const [, filters, ...window] = weightsOf(call, 1);
  const { items, area } = imagesOf(data, false, true);
  const channels = filters && times(filters, number(call.int('group', 1)));
  if (channels === undefined || window.length !== area.length) throw unknown('its weights do not fit its input');
  return shaped([items, channels, ...unslid(call, area, kernelOf(call, window))], data.row);
};

/** Offsets and masks belong to one image each. */
const deformable: Rule = (call) => {
  const beside = [2, 4].filter((index) => call.has(index));
  refuseApart([0, ...beside].map((index) => call.tensor(index)));
  return convolution({ image: 0, weights: 1 }, ...beside)(call);
};

/** A window slides over each channel of each image. */
export function pooled(call: Call, last: boolean): Shaped {
  const data = call.tensor(0);
  const { items, channels, area } = imagesOf(data, last, false);
  const kernel = call.attributes.ints('kernel_shape');
  if (kernel === undefined || kernel.length !== area.length) throw unknown('its window does not fit its input');
  return shaped(imageDims({ items, channels, area: slid(call, area, kernel) }, last), data.row);
}

/** All of each channel becomes one entry. */
export function poolOfAll(call: Call, last: boolean): Shaped {
  const data = call.tensor(0);
  const { items, channels, area } = imagesOf(data, last, false);
  return shaped(imageDims({ items, channels, area: ones(area.length) }, last), data.row);
}

const pool: Rule = (call) => pooled(call, false);

/** The second output numbers entries over all images. */
const maximum: Rule = (call) => {
  const pools = pooled(call, false);
  if (call.outputs === 1) return pools;
  return [pools, pools.row === undefined ? pools : mixed('its indices count over all rows')];
};

const counted: Rule = (call) => {
  if (call.settled(0).row !== undefined || call.settled(1).row !== undefined) throw mixed('its indices count over all rows');
  throw unknown('the shape of its result is not known');
};

/** Columns of patches become images again. */
const columns: Rule = (call) => {
  const data = call.tensor(0);
  const [items, entries] = data.dims;
  if (data.row !== undefined && data.row.axis > 0) throw mixed('it slides over rows of different calls');
  const block = call.numbers(2).reduce((whole, size) => whole * size, 1);
  const channels = entries && exactly(entries, number(block));
  if (items === undefined || channels === undefined || data.dims.length !== 3) throw unknown('it expects columns of patches');
  return shaped([items, channels, ...call.numbers(1).map(number)], data.row);
};

/** Operators of the default domain that slide windows over images. */
export const convolutions: Readonly<Record<string, Rule>> = {
  ...all(pool, 'AveragePool LpPool'),
  ...all((call) => poolOfAll(call, false), 'GlobalAveragePool GlobalLpPool GlobalMaxPool'),
  Col2Im: columns,
  Conv: convolution({ image: 0, weights: 1 }),
  ConvInteger: convolution({ image: 0, weights: 1 }),
  ConvTranspose: transposed,
  DeformConv: deformable,
  MaxPool: maximum,
  MaxUnpool: counted,
  QLinearConv: convolution({ image: 0, weights: 3 }),
};
