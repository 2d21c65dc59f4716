import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, known, rows } from './follow-operator.ts';

const image = rows('N', 8, 5, 'w');

test('a tensor is scaled where the axis of rows keeps its size', () => {
  assert.equal(follow('Resize', [image, undefined, known(1, 1, 2, 2)]), 'rows@0 [rows, 8, 10, 2*w]');
  assert.equal(follow('Resize', [image, known(1, 1, 1.3, 2)], {}, { version: 10 }), 'rows@0 [rows, 8, 6, 2*w]');
  assert.equal(follow('Resize', [image, undefined, known(), known('N', 8, 7, 's')]), 'rows@0 [rows, 8, 7, s]');
  assert.equal(follow('Resize', [image, undefined, undefined, known(9, 9)], { axes: [-2, -1], mode: 'cubic' }), 'rows@0 [rows, 8, 9, 9]');
  assert.match(String(follow('Resize', [image, undefined, known(2, 1, 1, 1)])), /^mixed: /);
  assert.match(String(follow('Resize', [image, undefined, undefined, known(4, 8, 7, 7)])), /^mixed: /);
  assert.match(String(follow('Resize', [image, undefined, undefined, known('N', 8, 'N', 7)])), /^mixed: /);
  assert.match(String(follow('Resize', [image, undefined, known('s', 1, 1, 1)])), /^unknown: /);
  assert.match(String(follow('Resize', [image, undefined, fixed(4)])), /^unknown: /);
  assert.match(String(follow('Resize', [image, undefined, known(1, 1)], { axes: [2] })), /^unknown: /);
});

test('rows are no neighbours of each other where a value is a mean', () => {
  const double = known(1, 1, 2);
  assert.equal(follow('Resize', [rows('N', 2, 4), undefined, double]), 'rows@0 [rows, 2, 8]');
  assert.match(String(follow('Resize', [rows('N', 2, 4), undefined, double], { mode: 'linear' })), /^unknown: /);
  assert.match(String(follow('Resize', [rows(1, 'N', 4, 4), undefined, known(1, 1, 2, 2)], { mode: 'linear' })), /^unknown: /);
  const crop = { coordinate_transformation_mode: 'tf_crop_and_resize' };
  assert.match(String(follow('Resize', [image, known(0, 1), known(1, 1, 2, 2)], crop)), /^unknown: /);
});

test('one scale for all axes does not hold the axis of rows', () => {
  const fit = { keep_aspect_ratio_policy: 'not_larger' };
  const open = follow('Resize', [image, undefined, undefined, known(9, 9)], { ...fit, axes: [2, 3] });
  assert.equal(open, 'rows@0 [rows, 8, not_larger(5,5,9,w,9), not_larger(w,5,9,w,9)]');
  assert.match(String(follow('Resize', [image, undefined, undefined, known('N', 8, 9, 9)], fit)), /^mixed: /);
});

test('older versions name their scales otherwise', () => {
  assert.equal(follow('Upsample', [image], { scales: [1, 1, 2, 2] }, { version: 7 }), 'rows@0 [rows, 8, 10, 2*w]');
  assert.equal(follow('Upsample', [image, known(1, 1, 2, 2)], {}, { version: 9 }), 'rows@0 [rows, 8, 10, 2*w]');
  assert.equal(follow('Upsample', [image], { height_scale: 3, width_scale: 2 }, { version: 1 }), 'rows@0 [rows, 8, 15, 2*w]');
  assert.match(String(follow('Upsample', [image], { scales: [2, 1, 1, 1] }, { version: 7 })), /^mixed: /);
  assert.match(String(follow('Upsample', [image], {}, { version: 7 })), /^unknown: /);
});

test('channels and blocks of the area change places', () => {
  assert.equal(follow('DepthToSpace', [image], { blocksize: 2 }), 'rows@0 [rows, 2, 10, 2*w]');
  assert.equal(follow('SpaceToDepth', [rows('N', 3, 8, '4w')], { blocksize: 2 }), 'rows@0 [rows, 12, 4, 2*w]');
  assert.match(String(follow('DepthToSpace', [rows(1, 'N', 5, 5)], { blocksize: 2 })), /^mixed: /);
  assert.match(String(follow('SpaceToDepth', [rows(1, 3, 'N', 4)], { blocksize: 2 })), /^mixed: /);
});

test('each image has its own grid', () => {
  assert.equal(follow('GridSample', [image, rows('N', 3, 4, 2)]), 'rows@0 [rows, 8, 3, 4]');
  assert.match(String(follow('GridSample', [image, fixed(1, 3, 4, 2)])), /^mixed: /);
  assert.match(String(follow('GridSample', [image, rows(1, 'N', 4, 2)])), /^mixed: /);
  assert.equal(follow('AffineGrid', [rows('N', 2, 3), known('N', 3, 4, 's')]), 'rows@0 [rows, 4, s, 2]');
  assert.match(String(follow('AffineGrid', [rows('N', 2, 3), known(2, 3, 4, 4)])), /^mixed: /);
});

test('regions and files belong to no row', () => {
  assert.match(String(follow('RoiAlign', [image, rows('N', 4), rows('N')])), /^mixed: /);
  assert.match(String(follow('MaxRoiPool', [image, rows('N', 5)])), /^mixed: /);
  assert.match(String(follow('ImageDecoder', [rows('N')])), /^mixed: /);
});

test('regions of rows read images that the model brings', () => {
  const size = { output_height: 2, output_width: 3 };
  assert.equal(follow('RoiAlign', [fixed(1, 3, 8, 8), rows('N', 4), rows('N')], size), 'rows@0 [rows, 3, 2, 3]');
  assert.equal(follow('MaxRoiPool', [fixed(1, 3, 8, 8), rows('N', 5)], { pooled_shape: [2, 3] }), 'rows@0 [rows, 3, 2, 3]');
  assert.match(String(follow('RoiAlign', [rows('N', 3, 8, 8), fixed(2, 4), fixed(2)], size)), /^mixed: its regions name/);
  assert.match(String(follow('RoiAlign', [fixed(1, 3, 8, 8), rows('N', 4), fixed(1)], size)), /^mixed: /);
  assert.match(String(follow('RoiAlign', [fixed(1, 3, 8, 8), rows('2N', 4), rows('N')], size)), /^mixed: /);
  assert.match(String(follow('MaxRoiPool', [fixed(1, 3, 8, 8), rows(4, 'N')], { pooled_shape: [2, 3] })), /^mixed: its rows lie/);
});

test('blocks of images of any size have a number that is a symbol', () => {
  assert.equal(follow('SpaceToDepth', [rows('N', 2, 'h', 6)], { blocksize: 2 }), 'rows@0 [rows, 8, blocks(h,2), 3]');
  assert.equal(follow('SpaceToDepth', [rows('N', 2, '4h', 6)], { blocksize: 2 }), 'rows@0 [rows, 8, 2*h, 3]');
});

test('half of an even size is a whole number', () => {
  const scales = (...entries: number[]): string => String(follow('Resize', [rows('N', 3, '4h', 'w'), undefined, known(...entries)]));
  assert.equal(scales(1, 1, 0.5, 0.5), 'rows@0 [rows, 3, 2*h, scaled(w,0.5)]');
});

test('an axis that is named twice, or places that are half an entry further, are unknown', () => {
  const data = rows('N', 3, 4, 4);
  assert.match(String(follow('Resize', [data, undefined, known(1, 2)], { axes: [0, 0] })), /^unknown: its scales/);
  for (const rounding of ['ceil', 'round_prefer_ceil']) {
    const shift = { coordinate_transformation_mode: 'tf_half_pixel_for_nn', nearest_mode: rounding };
    assert.equal(follow('Resize', [data, undefined, known(1, 1, 2, 2)], shift, { version: 11 }), 'unknown: it takes the next row');
    const floor = { ...shift, nearest_mode: 'floor' };
    assert.equal(follow('Resize', [data, undefined, known(1, 1, 2, 2)], floor, { version: 11 }), 'rows@0 [rows, 3, 8, 8]');
  }
});
