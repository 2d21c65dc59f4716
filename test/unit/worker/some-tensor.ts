import fc from 'fast-check';
import type { Dtype, Tensor, TensorData } from '../../../server/entry-script.ts';
import { dtypeEntries } from '../../../server/tensors/dtypes.ts';
import { sizeOf } from '../../../server/tensors/tensor-shape.ts';
import { WorkerRequest } from '../../../server/worker/request-context.ts';
import { headText, type ScoreHead } from '../../../server/ipc/score-head.ts';

const text = fc.string({ unit: 'grapheme' }).filter((string) => !string.includes('\0'));

/** Data of one dtype, `size` elements. Floats: every bit pattern that JSON can carry. */
const data: Record<Dtype, (size: number) => fc.Arbitrary<TensorData>> = {
  float32: (size) => list(fc.float(), size).map((items) => Float32Array.from(items)),
  float64: (size) => list(fc.double(), size).map((items) => Float64Array.from(items)),
  float16: (size) => list(fc.integer({ min: 0, max: 0xffff }).filter(isPlainHalf), size).map((items) => Uint16Array.from(items)),
  int8: (size) => list(fc.integer({ min: -128, max: 127 }), size).map((items) => Int8Array.from(items)),
  int16: (size) => list(fc.integer({ min: -32768, max: 32767 }), size).map((items) => Int16Array.from(items)),
  int32: (size) => list(fc.integer(), size).map((items) => Int32Array.from(items)),
  int64: (size) => list(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), size).map((items) => BigInt64Array.from(items)),
  uint8: (size) => list(fc.nat(255), size).map((items) => Uint8Array.from(items)),
  uint16: (size) => list(fc.nat(65535), size).map((items) => Uint16Array.from(items)),
  uint32: (size) => list(fc.nat(2 ** 32 - 1), size).map((items) => Uint32Array.from(items)),
  uint64: (size) => list(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), size).map((items) => BigUint64Array.from(items)),
  bool: (size) => list(fc.nat(1), size).map((items) => Uint8Array.from(items)),
  string: (size) => list(text, size),
};

function list<T>(items: fc.Arbitrary<T>, size: number): fc.Arbitrary<T[]> {
  return fc.array(items, { minLength: size, maxLength: size });
}

/** One NaN is enough: JSON has no others. */
const isPlainHalf = (bits: number): boolean => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0 || bits === 0x7e00;

/** A tensor of any dtype and of up to three dimensions. */
export const someTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypeEntries.map(([dtype]) => dtype)), fc.array(fc.nat(4), { maxLength: 3 }))
  .chain(([type, dims]) => data[type](sizeOf(dims)).map((flat): Tensor => ({ type, dims, data: flat })));

/** Elements as a test compares them: JSON writes no minus zero. */
export function elements(tensor: Tensor): unknown[] {
  return Array.from<unknown>(tensor.data).map((value) => (value === 0 ? 0 : value));
}

/** A request as a worker has it. */
export function request(parts: Partial<ScoreHead>, headers: readonly string[] = []): WorkerRequest {
  const head: ScoreHead = {
    protocol: 'open-inference',
    method: 'POST',
    url: '/v2/models/m/infer',
    contentType: undefined,
    id: 'id',
    clientRequestId: undefined,
    traceId: '0'.repeat(32),
    ...parts,
  };
  return new WorkerRequest(head.protocol, headText(head, headers));
}

/** The bytes at an offset of 0 to 7 from where typed arrays may begin. */
export function shifted(bytes: Uint8Array, by: number): Buffer {
  const buffer = Buffer.from(new ArrayBuffer(bytes.length + 8), by, bytes.length);
  buffer.set(bytes);
  return buffer;
}
