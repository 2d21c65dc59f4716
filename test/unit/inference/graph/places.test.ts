import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { followModel } from '../../../../server/inference/graph/follow-model.ts';
import { readModel } from '../../../models/onnx-text.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'places-'));
after(() => rmSync(folder, { recursive: true }));

function verdict(text: string): string {
  const file = path.join(folder, 'model.onnx');
  writeFileSync(file, readModel(text, { opset: 17 }));
  const { rows, reason } = followModel(file);
  return rows === 'row-wise' ? rows : `${rows}: ${reason}`;
}

const NUMBERS = `int64 zero = {0}, int64 one = {1}, int64 two = {2}, int64[1] first = {0}, int64[1] second = {1}, int64[1] last = {-1}`;

/** A mask [rows, s] that is read flat, by the number of each row. `more` makes the indices `i`. */
const flat = (more: string, axis = 1): string => `(float32[N, s] x) => (float32[N, t] y) <${NUMBERS}> {
  shape = Shape(x) n = Gather(shape, zero) s = Gather(shape, one)
  places = Range(zero, n, one) steps = Range(zero, s, one)
  p = Unsqueeze(places, second) k = Unsqueeze(steps, first)
  f = Flatten<axis = ${axis}>(x) all = Reshape(x, last)
  ${more}
  y = Gather(all, i)
}`;

test('each row may read its own entries by its number', () => {
  assert.equal(verdict(flat('b = Mul(p, s) i = Add(b, k)')), 'row-wise');
  assert.equal(verdict(flat('b = Mul(s, p) c = Cast<to = 7>(b) i = Add(k, c)')), 'row-wise');
});

test('an index that leaves the row is mixed', () => {
  // The stride is not the length of a row.
  assert.match(verdict(flat('h = Add(s, one) b = Mul(p, h) i = Add(b, k)')), /^mixed/);
  assert.match(verdict(flat('i = Add(p, k)')), /^mixed/);
  assert.match(verdict(flat('i = Identity(p)')), /^mixed/);
  // The offset may be as long as the row, or longer.
  assert.match(verdict(flat('b = Mul(p, s) h = Range(zero, two, one) i = Add(b, h)')), /^mixed/);
  assert.match(verdict(flat('b = Mul(p, s) j = Add(k, one) i = Add(b, j)')), /^mixed/);
  assert.match(verdict(flat('b = Mul(p, s) j = Add(b, k) i = Add(j, k)')), /^mixed/);
  // The place does not survive what changes it.
  assert.match(verdict(flat('b = Mul(p, s) c = Cast<to = 3>(b) d = Cast<to = 7>(c) i = Add(d, k)')), /^mixed/);
  assert.match(verdict(flat('b = Mul(p, s) c = Mul(b, s) i = Add(c, k)')), /^mixed/);
  assert.match(verdict(flat('q = Max(p, one) b = Mul(q, s) i = Add(b, k)')), /^mixed/);
});

test('the number of a row is no answer, in no form', () => {
  const answer = (more: string): string => `(float32[N, s] x) => (int64[N] y) <${NUMBERS}, bool t = {1}> {
    shape = Shape(x) n = Gather(shape, zero) p = Range(zero, n, one) s = Gather(shape, one) u = Greater(s, two)
    ${more}
  }`;
  const branches = 'y = If<then_branch = () => (a) { a = Identity(p) }, else_branch = () => (b) { b = Identity(p) }>';
  assert.match(verdict(answer('y = Identity(p)')), /^mixed: .*places of rows/);
  assert.match(verdict(answer('y = Neg(p)')), /^mixed: .*places of rows/);
  // Which branch runs is known, or not.
  assert.match(verdict(answer(`${branches}(t)`)), /^mixed/);
  assert.match(verdict(answer(`${branches}(u)`)), /^mixed/);
  assert.match(verdict(answer('c = Equal(p, one) y = Cast<to = 7>(c)')), /^mixed: .*places of rows/);
});

test('GatherND reads the row of the place in front, and no other', () => {
  const nd = (indices: string): string => `(float32[N, s] x) => (float32[N, t] y) <${NUMBERS}> {
    shape = Shape(x) n = Gather(shape, zero) s = Gather(shape, one)
    places = Range(zero, n, one) steps = Range(zero, s, one)
    p = Unsqueeze(places, second) k = Unsqueeze(steps, first)
    pe = Expand(p, shape) ke = Expand(k, shape) pu = Unsqueeze(pe, last) ku = Unsqueeze(ke, last)
    ${indices}
    y = GatherND(x, i)
  }`;
  assert.equal(verdict(nd('i = Concat<axis = -1>(pu, ku)')), 'row-wise');
  assert.match(verdict(nd('i = Concat<axis = -1>(ku, pu)')), /^mixed/);
  assert.match(verdict(nd('i = Concat<axis = -1>(pu, pu)')), /^mixed/);
});

test('a table of rows by rows, and a count of rows, are mixed', () => {
  const of = (more: string): string =>
    `(float32[N, 3] x) => (float32[N, t] y) <${NUMBERS}, int64[2] twice = {0, 0}> { shape = Shape(x) n = Gather(shape, zero) ${more} }`;
  assert.match(verdict(of('d = Gather(shape, twice) y = ConstantOfShape(d)')), /^mixed: it depends on how many rows/);
  assert.match(verdict(of('f = Cast<to = 1>(n) g = Sin(f) y = Mul(x, g)')), /^mixed: it depends on how many rows/);
  assert.match(verdict(of('f = Cast<to = 1>(n) g = Det(f) y = Mul(x, g)')), /^mixed: it depends on how many rows/);
  assert.match(
    verdict(of('d = Concat<axis = 0>(n1, second) n1 = Unsqueeze(n, first) y = Reshape(x, d)')),
    /^mixed: its new shape cuts through rows/,
  );
});
