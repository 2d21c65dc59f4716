import assert from 'node:assert/strict';
import test from 'node:test';
import { agrees } from './against-runtime.ts';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';

const BETWEEN_ROWS = 'mixed: it interpolates between rows of different calls';
const images = rows('N', 3, 8, 10);
const open = rows('N', 3, 'h', 'w');
const none = undefined;
/** The scale 4/3 as a float, which is a little more. */
const FOUR_THIRDS = Math.fround(4 / 3);

test('scales of images keep items apart and give sizes', () => {
  assert.equal(follow('Resize', [images, none, known(1, 1, 2, 1.5)]), 'rows@0 [rows, 3, 16, 15]');
  assert.equal(follow('Resize', [open, known(), known(1, 1, 2, 1)]), 'rows@0 [rows, 3, 2*h, w]');
  assert.equal(follow('Resize', [open, none, known(1, 1, 0.5, 'k')]), 'rows@0 [rows, 3, scaled(h,0.5), scaled(w,k)]');
  assert.equal(follow('Resize', [rows('N', 3, '4h', 9), none, known(1, 1, 0.5, 0.3)]), 'rows@0 [rows, 3, 2*h, 2]');
  assert.equal(follow('Resize', [images, known(1, 1, 2, 2)], {}, { version: 10 }), 'rows@0 [rows, 3, 16, 20]');
  assert.equal(follow('Resize', [rows(2, 'N'), none, known(2, 1)]), 'rows@1 [4, rows]');
  assert.equal(follow('Resize', [images, fixed(8), known(1, 1, 2, 2)]), 'rows@0 [rows, 3, 16, 20]');
});

test('a product that a float may round to either side has a name', () => {
  const odd = follow('Resize', [rows('N', 3), none, known(1, FOUR_THIRDS)]);
  assert.equal(odd, `rows@0 [rows, scaled(3,${FOUR_THIRDS})]`);
});

test('sizes of images keep items apart where they count the rows', () => {
  assert.equal(follow('Resize', [images, none, known(), known('N', 3, 4, 4)]), 'rows@0 [rows, 3, 4, 4]');
  assert.equal(follow('Resize', [open, none, none, known('N', 3, 'a', 4)]), 'rows@0 [rows, 3, a, 4]');
  assert.equal(follow('Resize', [images, none, none, known(4, 5)], { axes: [-2, 3] }), 'rows@0 [rows, 3, 4, 5]');
  assert.equal(follow('Resize', [images, none, known(2, 0.5)], { axes: [2, 3] }, { version: 18 }), 'rows@0 [rows, 3, 16, 5]');
  assert.equal(follow('Resize', [images, none, none, known(1, 3, 4, 4)]), BETWEEN_ROWS);
  assert.equal(follow('Resize', [images, none, none, known('2N', 3, 4, 4)]), BETWEEN_ROWS);
  assert.equal(follow('Resize', [images, none, none, known('N', 3, 'N', 4)]), BETWEEN_ROWS);
  assert.equal(follow('Resize', [images, none, none, known(4, 5)], { axes: [0, -2] }), BETWEEN_ROWS);
});

test('sizes that keep the ratio of an image give the sizes of the rounded scale', () => {
  const [larger, smaller] = [
    { keep_aspect_ratio_policy: 'not_smaller', axes: [2, 3] },
    { keep_aspect_ratio_policy: 'not_larger', axes: [2, 3] },
  ];
  assert.equal(follow('Resize', [images, none, none, known(4, 4)], larger), 'rows@0 [rows, 3, 4, 5]');
  assert.equal(follow('Resize', [images, none, none, known(4, 4)], smaller), 'rows@0 [rows, 3, 3, 4]');
  assert.equal(follow('Resize', [images, none, none, known(5, 2)], smaller), 'rows@0 [rows, 3, 2, 2]');
  assert.match(String(follow('Resize', [open, none, none, known(4, 4)], smaller)), /^rows@0 \[rows, 3, inratio\(h,not_larger\(/);
  assert.match(String(follow('Resize', [images, none, none, known('N', 3, 4, 4)], { ...smaller, axes: [0, 1, 2, 3] })), /^mixed: /);
  assert.match(String(follow('Resize', [images, none, none, known('N', 4)], smaller)), /^mixed: /);
  assert.match(String(follow('Resize', [images, none, none, known(4, 4)], { ...smaller, keep_aspect_ratio_policy: 'x' })), /^unknown: /);
});

test('scales that touch rows are mixed', () => {
  assert.equal(follow('Resize', [images, none, known(2, 1, 1, 1)]), BETWEEN_ROWS);
  assert.equal(follow('Resize', [rows('2N', 4), none, known(0.5, 1)]), BETWEEN_ROWS);
  assert.equal(follow('Resize', [images, none, known('k', 1, 1, 1)]), BETWEEN_ROWS);
  assert.match(String(follow('Resize', [images, none, known(1, 1, 'N', 1)])), /^mixed: its scales depend/);
  assert.match(String(follow('Resize', [images, none, rows('N')])), /^mixed: /);
  assert.match(String(follow('Resize', [images, none, fixed(4)])), /^unknown: input 2 is not known/);
  assert.match(String(follow('Resize', [images, none, known(2, 2)])), /^unknown: its scales or sizes/);
  assert.match(String(follow('Resize', [images, none, known(1, 1)], { axes: [2, 2] })), /^unknown: it names an axis twice/);
});

test('coordinates that move entries beside their sizes are unknown', () => {
  const scales = [images, known(), known(1, 1, 2, 2)];
  const half = 'tf_half_pixel_for_nn';
  assert.match(String(follow('Resize', scales, { coordinate_transformation_mode: 'tf_crop_and_resize' })), /^unknown: it cuts/);
  assert.match(String(follow('Resize', scales, { coordinate_transformation_mode: half, nearest_mode: 'ceil' })), /^unknown: it moves/);
  assert.match(String(follow('Resize', scales, { coordinate_transformation_mode: half, mode: 'linear' })), /^unknown: it moves/);
  const kept = follow('Resize', scales, { coordinate_transformation_mode: half, nearest_mode: 'floor' });
  assert.equal(kept, 'rows@0 [rows, 3, 16, 20]');
});

test('an upsampling has scales as an attribute before version 9', () => {
  assert.equal(follow('Upsample', [images], { scales: [1, 1, 2, 2] }, { version: 7 }), 'rows@0 [rows, 3, 16, 20]');
  assert.equal(follow('Upsample', [images, known(1, 1, 2, 2)], {}, { version: 9 }), 'rows@0 [rows, 3, 16, 20]');
  assert.equal(follow('Upsample', [images], { scales: [2, 1, 1, 1] }, { version: 7 }), BETWEEN_ROWS);
  assert.match(String(follow('Upsample', [images], {}, { version: 1 })), /^unknown: its scales are not known/);
  assert.match(String(follow('Upsample', [images, scalar(2)], {}, { version: 9 })), /^unknown: its scales or sizes/);
});

test('sizes and rows of resized images are those of ONNX Runtime', async () => {
  const data = { type: 'float32', dims: ['N', 2, 5, 7] } as const;
  const nothing = { type: 'float32', dims: [0], data: [] } as const;
  const scales = (...entries: number[]): { type: 'float32'; dims: number[]; data: number[] } => ({
    type: 'float32',
    dims: [entries.length],
    data: entries.map(Math.fround),
  });
  const shift = 'coordinate_transformation_mode';
  for (const coordinates of ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'])
    for (const mode of ['nearest', 'linear', 'cubic'])
      for (const given of [scales(1, 1, 2, 1.5), scales(1, 1, 0.5, 0.3)])
        await agrees({ operator: 'Resize', attributes: { [shift]: coordinates, mode }, version: 19 }, [data, nothing, given]);
  for (const rounding of ['floor', 'round_prefer_floor'])
    await agrees({ operator: 'Resize', attributes: { [shift]: 'tf_half_pixel_for_nn', nearest_mode: rounding }, version: 11 }, [
      data,
      nothing,
      scales(1, 1, 2, 2),
    ]);
  await agrees({ operator: 'Resize', version: 10 }, [data, scales(1, 1, 2, 0.7)]);
  await agrees({ operator: 'Upsample', version: 9 }, [data, scales(1, 1, 3, 2)]);
  const sizes = { type: 'int64', dims: [2], data: [4, 9] } as const;
  for (const policy of ['stretch', 'not_larger', 'not_smaller'])
    await agrees({ operator: 'Resize', attributes: { keep_aspect_ratio_policy: policy, axes: [2, 3] } }, [data, nothing, nothing, sizes]);
});
