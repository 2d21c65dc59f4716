import assert from 'node:assert/strict';
import test from 'node:test';
import { agrees } from './against-runtime.ts';
import { fixed, follow, known, rows } from './follow-operator.ts';

const INSIDE = 'mixed: it moves entries between rows of different calls';

test('blocks move between channels and places of one item', () => {
  const block = { blocksize: 2 };
  assert.equal(follow('DepthToSpace', [rows('N', 8, 'h', 3)], block), 'rows@0 [rows, 2, 2*h, 6]');
  assert.equal(follow('SpaceToDepth', [rows('N', 2, '4h', 6)], block), 'rows@0 [rows, 8, 2*h, 3]');
  assert.equal(follow('SpaceToDepth', [rows('2N', 2, 'h', 6)], block), 'rows@0 (1 x rows x 2) [2*rows, 8, blocks(h,2), 3]');
  assert.match(String(follow('DepthToSpace', [rows('N', 6, 2, 2)], block)), /^unknown: its channels/);
  for (const operator of ['DepthToSpace', 'SpaceToDepth']) {
    for (const data of [rows(1, '4N', 2, 2), rows(1, 4, 'N', 2), rows(1, 4, 2, 'N')]) assert.equal(follow(operator, [data], block), INSIDE);
    assert.match(String(follow(operator, [rows('N', 4, 2)], block)), /^unknown: it expects images/);
  }
});

test('a grid names places of its own item', () => {
  const [images, grid] = [rows('N', 3, 8, 8), rows('N', 5, 'w', 2)];
  assert.equal(follow('GridSample', [images, grid]), 'rows@0 [rows, 3, 5, w]');
  assert.equal(follow('GridSample', [rows('N', 3, 8, 8, 8), rows('N', 4, 5, 6, 3)]), 'rows@0 [rows, 3, 4, 5, 6]');
  assert.match(String(follow('GridSample', [images, fixed(1, 5, 5, 2)])), /^mixed: it combines each row with one constant/);
  assert.match(String(follow('GridSample', [fixed(1, 3, 8, 8), grid])), /^mixed: it combines each row with one constant/);
  assert.match(String(follow('GridSample', [rows('2N', 3, 8, 8), grid])), /^mixed: /);
  assert.equal(follow('GridSample', [rows(1, 'N', 8, 8), rows(1, 'N', 5, 2)]), INSIDE);
  assert.match(String(follow('GridSample', [images, rows('N', 5, 2)])), /^unknown: its grid/);
});

test('matrices of rows make grids of rows where the size counts them', () => {
  assert.equal(follow('AffineGrid', [rows('N', 2, 3), known('N', 3, 5, 'w')]), 'rows@0 [rows, 5, w, 2]');
  assert.equal(follow('AffineGrid', [rows('N', 3, 4), known('N', 3, 4, 5, 6)]), 'rows@0 [rows, 4, 5, 6, 3]');
  assert.equal(follow('AffineGrid', [fixed(1, 2, 3), known(1, 3, 4, 5)]), 'constant [1, 4, 5, 2]');
  assert.equal(follow('AffineGrid', [rows('N', 2, 3), known(1, 3, 5, 6)]), 'mixed: its size does not count its rows');
  assert.equal(follow('AffineGrid', [fixed(1, 2, 3), known('N', 3, 5, 6)]), 'mixed: its size does not count its rows');
  assert.match(String(follow('AffineGrid', [rows('N', 2, 3), known('N', 3, 'N', 6)])), /^mixed: its sizes depend/);
  assert.equal(follow('AffineGrid', [rows(1, 'N', 3), known(1, 3, 5, 6)]), INSIDE);
});

test('regions of rows read a constant, never another row', () => {
  const size = { output_height: 2, output_width: 3 };
  assert.equal(follow('RoiAlign', [fixed(1, 3, 8, 8), rows('N', 4), rows('N')], size), 'rows@0 [rows, 3, 2, 3]');
  assert.equal(follow('MaxRoiPool', [fixed(1, 3, 8, 8), rows('N', 5)], { pooled_shape: [2, 3] }), 'rows@0 [rows, 3, 2, 3]');
  assert.equal(follow('RoiAlign', [rows('N', 3, 8, 8), fixed(2, 4), fixed(2)], size), 'mixed: it reads items by their numbers');
  assert.equal(follow('RoiAlign', [rows('N', 3, 8, 8), rows('N', 4), rows('N')], size), 'mixed: it reads items by their numbers');
  assert.match(String(follow('RoiAlign', [fixed(1, 3, 8, 8), rows('N', 4), fixed(1)], size)), /^mixed: /);
  assert.equal(follow('MaxRoiPool', [fixed(1, 3, 8, 8), rows(4, 'N')], { pooled_shape: [2, 3] }), INSIDE);
  assert.match(String(follow('MaxRoiPool', [fixed(1, 3, 8, 8), rows('N', 5)])), /^unknown: the size/);
});

test('columns of one item become its image', () => {
  assert.equal(follow('Col2Im', [rows('N', 12, 9), known(4, 'w'), known(2, 2)]), 'rows@0 [rows, 3, 4, w]');
  assert.equal(follow('Col2Im', [rows(1, '4N', 9), known(4, 4), known(2, 2)]), INSIDE);
  assert.match(String(follow('Col2Im', [rows('N', 12, 9), known(4, 'N'), known(2, 2)])), /^mixed: its sizes depend/);
  assert.match(String(follow('Col2Im', [rows('N', 10, 9), known(4, 4), known(2, 2)])), /^unknown: its channels/);
});

test('a cut around the middle keeps rows along other axes', () => {
  assert.equal(follow('CenterCropPad', [rows('N', 8, 8), known(4, 10)], { axes: [-2, 2] }), 'rows@0 [rows, 4, 10]');
  assert.equal(follow('CenterCropPad', [rows('N', 8), known('N', 4)]), 'rows@0 [rows, 4]');
  assert.equal(follow('CenterCropPad', [rows('N', 8), known(2, 4)]), 'mixed: it cuts or fills rows');
  assert.match(String(follow('CenterCropPad', [rows('N', 8), known('N')], { axes: [1] })), /^mixed: its sizes depend/);
  assert.match(String(follow('CenterCropPad', [rows('N', 8), known(4)])), /^unknown: its sizes/);
});

test('sizes and rows of moved blocks and grids are those of ONNX Runtime', async () => {
  for (const mode of ['DCR', 'CRD'])
    await agrees({ operator: 'DepthToSpace', attributes: { blocksize: 2, mode } }, [{ type: 'float32', dims: ['N', 8, 2, 3] }]);
  await agrees({ operator: 'SpaceToDepth', attributes: { blocksize: 2 } }, [{ type: 'float32', dims: ['N', 3, 4, 6] }]);
  const grid = { type: 'float32', dims: ['N', 2, 5, 2] } as const;
  await agrees({ operator: 'GridSample', version: 20 }, [{ type: 'float32', dims: ['N', 3, 4, 4] }, grid]);
  const sizes = (...data: number[]): { type: 'int64'; dims: number[]; data: number[] } => ({ type: 'int64', dims: [data.length], data });
  await agrees({ operator: 'Col2Im' }, [{ type: 'float32', dims: ['N', 12, 9] }, sizes(4, 4), sizes(2, 2)]);
  await agrees({ operator: 'CenterCropPad', attributes: { axes: [1, 2] } }, [{ type: 'float32', dims: ['N', 5, 4] }, sizes(3, 7)]);
});
