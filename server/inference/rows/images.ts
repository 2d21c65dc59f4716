import { refuseApart } from './broadcast.ts';
import { axisOf, type Call, type Rule } from './call.ts';
import { equal, exactly, number, ONE, product, shared, times, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';

/** @throws Refusal if rows lie along another axis than the first one */
function refuseInside(tensors: readonly Shaped[]): void {
  if (tensors.some(({ row }) => row !== undefined && row.axis > 0)) throw mixed('it moves entries between rows of different calls');
}

/** Sizes that no row decides. */
function sharedSizes(sizes: readonly (Size | undefined)[]): Size[] {
  return sizes.map((size) => {
    if (size === undefined || size.rows) throw mixed('its sizes depend on how many rows are merged');
    return size;
  });
}

/** Images of four axes: items, channels, height and width. */
function imagesOf(call: Call): readonly [Shaped, Size, Size, Size] {
  const data = call.tensor(0);
  const [, channels, height, width] = data.dims;
  if (channels === undefined || height === undefined || width === undefined || data.dims.length !== 4)
    throw unknown('it expects images of four axes');
  refuseInside([data]);
  return [data, channels, height, width];
}

const depthToSpace: Rule = (call) => {
  const [{ dims, row }, channels, height, width] = imagesOf(call);
  const block = number(call.int('blocksize', 1));
  const left = exactly(channels, number(block.factor ** 2));
  if (left === undefined) throw unknown('its channels do not fit its blocks');
  return shaped([dims[0] ?? ONE, left, grown(height, block), grown(width, block)], row);
};

const grown = (size: Size, block: Size): Size => times(size, block) ?? size;

const spaceToDepth: Rule = (call) => {
  const [{ dims, row }, channels, height, width] = imagesOf(call);
  const block = number(call.int('blocksize', 1));
  const blocks = (size: Size): Size => exactly(size, block) ?? shared('blocks', size, block) ?? size;
  return shaped([dims[0] ?? ONE, grown(channels, number(block.factor ** 2)), blocks(height), blocks(width)], row);
};

/** Each item has its own grid of places. */
const gridSample: Rule = (call) => {
  const [data, grid] = [call.tensor(0), call.tensor(1)];
  if (data.dims.length !== grid.dims.length) throw unknown('its grid does not fit its input');
  refuseInside([data, grid]);
  refuseApart([data, grid]);
  return shaped([data.dims[0] ?? ONE, data.dims[1] ?? ONE, ...grid.dims.slice(1, -1)], data.row);
};

const affineGrid: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const [items, , ...spatial] = call.sizes(1);
  refuseInside([{ dims, row }]);
  const [own = ONE] = dims;
  if (items === undefined || (row === undefined ? items.rows : !equal(items, own))) throw mixed('its size does not count its rows');
  return shaped([own, ...sharedSizes(spatial), number(spatial.length)], row);
};

/** Regions name the item that they lie in by its number. */
const regions =
  (sizeOf: (call: Call) => readonly number[]): Rule =>
  (call) => {
    const data = call.tensor(0);
    const given = call.tensors(1);
    if (data.row !== undefined) throw mixed('it reads items by their numbers');
    refuseInside(given);
    refuseApart(given);
    const [rois] = given;
    if (rois === undefined) throw unknown('its regions are absent');
    return shaped([rois.dims[0] ?? ONE, data.dims[1] ?? ONE, ...sizeOf(call).map(number)], rois.row);
  };

const pooledShape = (call: Call): readonly number[] => {
  const shape = call.attributes.ints('pooled_shape');
  if (shape?.length !== 2) throw unknown('the size of its regions is not known');
  return shape;
};

/** Columns of blocks: items × entries of a block × blocks. */
const columnsToImage: Rule = (call) => {
  const data = call.tensor(0);
  const [items, columns] = data.dims;
  const image = sharedSizes(call.sizes(1));
  const block = product(sharedSizes(call.sizes(2)));
  refuseInside([data]);
  const channels = columns && block && exactly(columns, block);
  if (items === undefined || channels === undefined) throw unknown('its channels do not fit its blocks');
  return shaped([items, channels, ...image], data.row);
};

/** Cuts or fills both ends of axes, so that they get a size. */
const centred: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const sizes = call.sizes(1);
  const axes = call.attributes.ints('axes')?.map((axis) => axisOf(axis, dims.length)) ?? dims.map((_, axis) => axis);
  if (sizes.length !== axes.length || new Set(axes).size < axes.length) throw unknown('its sizes do not fit its axes');
  const result = dims.map((size, axis) => {
    if (!axes.includes(axis)) return size;
    const wanted = sizes[axes.indexOf(axis)];
    if (row?.axis !== axis) return sharedSizes([wanted])[0] ?? size;
    if (wanted === undefined || !equal(wanted, size)) throw mixed('it cuts or fills rows');
    return size;
  });
  return shaped(result, row);
};

/** Operators of the default domain on images. */
export const images: Readonly<Record<string, Rule>> = {
  AffineGrid: affineGrid,
  CenterCropPad: centred,
  Col2Im: columnsToImage,
  DepthToSpace: depthToSpace,
  GridSample: gridSample,
  MaxRoiPool: regions(pooledShape),
  RoiAlign: regions((call) => [call.int('output_height', 1), call.int('output_width', 1)]),
  SpaceToDepth: spaceToDepth,
};
