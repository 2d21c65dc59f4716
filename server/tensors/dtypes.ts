/**
 * The dtypes that ONNX Runtime's Node binding carries, one row each. The code reads the rows by
 * exhaustive switches over `kind`, so that a new dtype compiles only when every place has it.
 */

/** The dtypes that ONNX Runtime's Node binding can carry. */
export type Dtype =
  | 'bool'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'string';

/** Data of the dtypes that have a fixed element size. */
export type TypedData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** Flat, row-major elements. float16: the bits, in a Uint16Array. bool: 0 or 1. */
export type TensorData = TypedData | string[];

interface Columns {
  /** Name in the Open Inference Protocol. */
  readonly datatype: 'BOOL' | `${'U' | ''}INT${8 | 16 | 32 | 64}` | `FP${16 | 32 | 64}` | 'BYTES';
  /**
   * Field of InferTensorContents in the Open Inference Protocol's gRPC messages; undefined: raw
   * contents only.
   */
  readonly contentsField: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | undefined;
}

/**
 * Numbers with a fraction. JSON has no form for NaN and the infinities, which travel as strings.
 */
export interface FloatDtype extends Columns {
  readonly kind: 'float';
  /** Class of the data of a tensor: the bits, where the binding takes no class of numbers. */
  readonly array: Uint16ArrayConstructor | Float32ArrayConstructor | Float64ArrayConstructor;
  /** Class that reads the same bytes as numbers. */
  readonly numbers: Float16ArrayConstructor | Float32ArrayConstructor | Float64ArrayConstructor;
  /** Smallest magnitude that rounds to infinity. */
  readonly limit: number;
  /**
   * Greatest difference between equal answers, because kernels may round differently at another
   * batch size.
   */
  readonly tolerance: { readonly relative: number; readonly absolute: number };
}

/** Whole numbers that a double holds exactly. */
export interface IntegerDtype extends Columns {
  readonly kind: 'integer';
  readonly array:
    | Int8ArrayConstructor
    | Int16ArrayConstructor
    | Int32ArrayConstructor
    | Uint8ArrayConstructor
    | Uint16ArrayConstructor
    | Uint32ArrayConstructor;
  readonly least: number;
  readonly most: number;
}

/** Whole numbers of 64 bits. In JSON they are exact numbers, or decimal strings. */
export interface BigIntegerDtype extends Columns {
  readonly kind: 'bigint';
  readonly array: BigInt64ArrayConstructor | BigUint64ArrayConstructor;
  readonly least: bigint;
  readonly most: bigint;
}

/** A byte of 0 or 1; `true` and `false` in JSON. */
export interface BooleanDtype extends Columns {
  readonly kind: 'boolean';
  readonly array: Uint8ArrayConstructor;
}

/** Texts, in a plain array. */
interface StringDtype extends Columns {
  readonly kind: 'string';
  readonly array: undefined;
}

export type DtypeRow = FloatDtype | IntegerDtype | BigIntegerDtype | BooleanDtype | StringDtype;

/**
 * Row by dtype, little-endian as every platform of ONNX Runtime. Element size:
 * `array.BYTES_PER_ELEMENT`.
 */
export const dtypes = {
  bool: { kind: 'boolean', datatype: 'BOOL', contentsField: 1, array: Uint8Array },
  uint8: { kind: 'integer', datatype: 'UINT8', contentsField: 4, array: Uint8Array, least: 0, most: 255 },
  uint16: { kind: 'integer', datatype: 'UINT16', contentsField: 4, array: Uint16Array, least: 0, most: 65_535 },
  uint32: { kind: 'integer', datatype: 'UINT32', contentsField: 4, array: Uint32Array, least: 0, most: 2 ** 32 - 1 },
  uint64: { kind: 'bigint', datatype: 'UINT64', contentsField: 5, array: BigUint64Array, least: 0n, most: 2n ** 64n - 1n },
  int8: { kind: 'integer', datatype: 'INT8', contentsField: 2, array: Int8Array, least: -128, most: 127 },
  int16: { kind: 'integer', datatype: 'INT16', contentsField: 2, array: Int16Array, least: -32_768, most: 32_767 },
  int32: { kind: 'integer', datatype: 'INT32', contentsField: 2, array: Int32Array, least: -(2 ** 31), most: 2 ** 31 - 1 },
  int64: { kind: 'bigint', datatype: 'INT64', contentsField: 3, array: BigInt64Array, least: -(2n ** 63n), most: 2n ** 63n - 1n },
  float16: {
    kind: 'float',
    datatype: 'FP16',
    contentsField: undefined,
    array: Uint16Array,
    numbers: Float16Array,
    limit: 65_520,
    tolerance: { relative: 1e-2, absolute: 1e-2 },
  },
  float32: {
    kind: 'float',
    datatype: 'FP32',
    contentsField: 6,
    array: Float32Array,
    numbers: Float32Array,
    limit: 2 ** 128 - 2 ** 103,
    tolerance: { relative: 1e-4, absolute: 1e-5 },
  },
  float64: {
    kind: 'float',
    datatype: 'FP64',
    contentsField: 7,
    array: Float64Array,
    numbers: Float64Array,
    limit: Infinity,
    tolerance: { relative: 1e-9, absolute: 1e-12 },
  },
  string: { kind: 'string', datatype: 'BYTES', contentsField: 8, array: undefined },
} as const satisfies Readonly<Record<Dtype, DtypeRow>>;

export const isDtype = (value: unknown): value is Dtype => typeof value === 'string' && Object.hasOwn(dtypes, value);

/** The dtypes with their rows, in the order of the table. */
export const dtypeEntries: readonly (readonly [dtype: Dtype, row: DtypeRow])[] = Object.keys(dtypes)
  .filter(isDtype)
  .map((dtype) => [dtype, dtypes[dtype]]);

/** A further column of the table, made from its rows. */
export function columnOf<T>(make: (row: DtypeRow) => T): Readonly<Record<Dtype, T>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.fromEntries loses the key type; every dtype has an entry
  return Object.fromEntries(dtypeEntries.map(([dtype, row]) => [dtype, make(row)])) as Record<Dtype, T>;
}
