import { refuseApart } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { all } from './elementwise.ts';
import { resize, upsample } from './resize.ts';
import { equal, exactly, number, times, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';

/** Four axes: item, channel, height, width. @throws Refusal if rows are not items */
function fourAxes(call: Call): { readonly data: Shaped; readonly sizes: readonly [Size, Size, Size, Size] } {
  const data = call.tensor(0);
  const [items, channels, height, width, more] = data.dims;
  if (items === undefined || channels === undefined || height === undefined || width === undefined || more !== undefined)
    throw unknown('it expects four axes');
  refuseOtherAxis(data);
  return { data, sizes: [items, channels, height, width] };
}

function refuseOtherAxis({ row }: Shaped): void {
  if (row !== undefined && row.axis > 0) throw mixed('its rows lie along another axis than the images');
}

function known(size: Size | undefined): Size {
  if (size === undefined) throw unknown('the size of its result is not known');
  return size;
}

/** Channels become blocks of the area. */
const depthToSpace: Rule = (call) => {
  const { data, sizes } = fourAxes(call);
  const [items, channels, height, width] = sizes;
  const block = call.int('blocksize', 0);
  const area = [height, width].map((size) => known(times(size, number(block))));
  return shaped([items, known(exactly(channels, number(block * block))), ...area], data.row);
};

/** Blocks of the area become channels. */
const spaceToDepth: Rule = (call) => {
  const { data, sizes } = fourAxes(call);
  const [items, channels, height, width] = sizes;
  const block = call.int('blocksize', 0);
  const area = [height, width].map((size) => known(exactly(size, number(block))));
  return shaped([items, known(times(channels, number(block * block))), ...area], data.row);
};

/** Each image is read at the places of its own grid. */
export const gridSample: Rule = (call) => {
  const [data, grid] = [call.tensor(0), call.tensor(1)];
  refuseApart([data, grid]);
  refuseOtherAxis(data);
  refuseOtherAxis(grid);
  if (data.dims.length !== grid.dims.length || data.dims.length < 3) throw unknown('its grid does not fit its images');
  return shaped([...data.dims.slice(0, 2), ...grid.dims.slice(1, -1)], data.row);
};

/** Each grid comes from its own matrix. The second input repeats how many there are. */
const affineGrid: Rule = (call) => {
  const data = call.tensor(0);
  refuseOtherAxis(data);
  const [items, , ...area] = call.sizes(1);
  if (items === undefined || data.dims[0] === undefined || !equal(items, data.dims[0]))
    throw mixed('its number of grids is not the number of its matrices');
  const axes = area.map(known);
  if (axes.some((size) => size.rows)) throw mixed('it depends on how many rows are merged');
  return shaped([items, ...axes, number(area.length)], data.row);
};

/** Regions name their image by its place among all images. */
const regions: Rule = (call) => {
  for (let index = 0; index < call.count; index++) call.any(index);
  throw mixed('its regions name images by their place in the batch');
};

/** Operators of the default domain that change the area of images. */
export const images: Readonly<Record<string, Rule>> = {
  ...all(regions, 'MaxRoiPool RoiAlign'),
  AffineGrid: affineGrid,
  DepthToSpace: depthToSpace,
  GridSample: gridSample,
  ImageDecoder: () => {
    throw mixed('it reads one file from all bytes');
  },
  Resize: resize,
  SpaceToDepth: spaceToDepth,
  Upsample: upsample,
};
