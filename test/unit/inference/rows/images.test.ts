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
