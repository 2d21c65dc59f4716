import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import type { Dtype } from '../../../server/entry-script.ts';
import { float16Bits, float16Numbers, float16ToNumber } from '../../../server/tensors/float16.ts';
import { elementTypes } from '../../../server/inference/elements.ts';
import { oipDatatypes } from '../../../server/tensors/oip-datatypes.ts';
import { modelBytes } from '../../models/models.ts';

it('entry-scripts/diabetes.onnx is what the generator writes', () => {
  const committed = readFileSync(new URL('../../../entry-scripts/diabetes.onnx', import.meta.url));
  assert.deepEqual(committed, modelBytes('diabetes'));
});

it('float16 bits and numbers are views of the same memory', () => {
  const numbers = Float16Array.of(1.5, -2, Infinity);
  const bits = float16Bits(numbers.subarray(1));
  assert.deepEqual(bits, Uint16Array.of(0xc000, 0x7c00));
  assert.deepEqual(float16Numbers(bits), Float16Array.of(-2, Infinity));
  assert.equal(float16ToNumber(0x3e00), 1.5);
});

it('every dtype has elements and a datatype of the Open Inference Protocol of its own', () => {
  const dtypes = Object.keys(elementTypes) as Dtype[];
  assert.equal(dtypes.length, 13);
  assert.equal(new Set(dtypes.map((dtype) => oipDatatypes[dtype])).size, 13);
});
