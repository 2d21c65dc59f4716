/**
 * Float16 tensors carry bits. Bits and numbers are two views of the same memory: nothing is copied.
 */

export const float16Numbers = (bits: Uint16Array): Float16Array => new Float16Array(bits.buffer, bits.byteOffset, bits.length);

export const float16Bits = (numbers: Float16Array): Uint16Array => new Uint16Array(numbers.buffer, numbers.byteOffset, numbers.length);
