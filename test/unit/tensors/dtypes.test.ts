import assert from 'node:assert/strict';
import test from 'node:test';
import type { Dtype, Tensor } from '../../../server/entry-script.ts';
import { dtypeEntries, dtypes, isDtype } from '../../../server/tensors/dtypes.ts';
import { elementTypes } from '../../../server/tensors/elements.ts';
import { float16Bits, float16Numbers } from '../../../server/tensors/float16.ts';
import { claimsTensor, dataOf, isTensor, valuesOf } from '../../../server/tensors/tensor.ts';

test('float16 bits and numbers are views of the same memory', () => {
  const numbers = Float16Array.of(1.5, -2, Infinity);
  const bits = float16Bits(numbers.subarray(1));
  assert.deepEqual(bits, Uint16Array.of(0xc000, 0x7c00));
  assert.deepEqual(float16Numbers(bits), Float16Array.of(-2, Infinity));
  assert.equal(float16Numbers(Uint16Array.of(0x3e00))[0], 1.5);
  assert.deepEqual(valuesOf({ type: 'float16', data: bits }), Float16Array.of(-2, Infinity));
  assert.deepEqual(dataOf(numbers.subarray(1)), bits);
});

test('every dtype has elements and a datatype of the Open Inference Protocol of its own', () => {
  assert.equal(dtypeEntries.length, 13);
  assert.deepEqual(
    Object.keys(elementTypes),
    dtypeEntries.map(([dtype]) => dtype),
  );
  assert.equal(new Set(dtypeEntries.map(([, { datatype }]) => datatype)).size, 13);
});

test('the columns of a dtype agree with each other', () => {
  for (const [dtype, row] of dtypeEntries) {
    const [, sign, bits] = /^(u?)(?:int|float)(\d+)$/.exec(dtype) ?? [];
    if (row.kind === 'string' || row.kind === 'boolean') continue;
    assert.equal(row.array.BYTES_PER_ELEMENT * 8, Number(bits), dtype);
    assert.deepEqual(dataOf(elementTypes[dtype].allocate(2)), new row.array(2), dtype);
    if (row.kind === 'float') {
      assert.equal(row.numbers.BYTES_PER_ELEMENT, row.array.BYTES_PER_ELEMENT, dtype);
      assert.equal(row.numbers.of(row.limit)[0], Infinity, dtype);
      continue;
    }
    const least = sign === 'u' ? 0n : -(2n ** BigInt(Number(bits) - 1));
    assert.deepEqual([BigInt(row.least), BigInt(row.most)], [least, least + 2n ** BigInt(Number(bits)) - 1n], dtype);
  }
});

test('only names of rows are dtypes', () => {
  for (const name of ['int4', 'bfloat16', 'constructor', '__proto__', '', 1, null, undefined])
    assert.equal(isDtype(name), false, String(name));
  assert.equal(isDtype('float32' satisfies Dtype), true);
  assert.equal(dtypes.float32.datatype, 'FP32');
});

test('an object with the members of a tensor is one if its data is an array', () => {
  const tensor = (data: unknown): object => ({ type: 'float32', dims: [1], data });
  for (const data of [Float32Array.of(1), [1]]) assert.deepEqual([claimsTensor(tensor(data)), isTensor(tensor(data))], [true, true]);
  for (const data of [5, 'x', null, {}]) assert.deepEqual([claimsTensor(tensor(data)), isTensor(tensor(data))], [true, false]);
  for (const other of [{}, { type: 'float32', dims: 1, data: [1] }, { dims: [1], data: [1] }]) assert.equal(claimsTensor(other), false);
});

test('a tensor of an unknown dtype keeps its data', () => {
  const data = Uint16Array.of(1);
  assert.equal(valuesOf({ type: 'constructor', dims: [1], data } as unknown as Tensor), data);
});
