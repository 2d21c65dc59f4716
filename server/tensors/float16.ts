/** The bits of float16 tensors, as ONNX Runtime carries them, and numbers: two views of the same memory, nothing is copied. */

/** The numbers that the bits stand for. */
export const float16Numbers = (bits: Uint16Array): Float16Array => new Float16Array(bits.buffer, bits.byteOffset, bits.length);

/** The bits of the numbers. */
export const float16Bits = (numbers: Float16Array): Uint16Array => new Uint16Array(numbers.buffer, numbers.byteOffset, numbers.length);

/** The number that 16 bits stand for. */
export const float16ToNumber = (bits: number): number => float16Numbers(Uint16Array.of(bits))[0] ?? Number.NaN;
