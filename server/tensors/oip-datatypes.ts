import type { Dtype } from '../entry-script.ts';

/** The names that the Open Inference Protocol has for the dtypes. Its BF16 is missing: ONNX Runtime's binding cannot carry it. */
const datatypes = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
} as const satisfies Record<Dtype, string>;

export type OipDatatype = (typeof datatypes)[Dtype];

/** Datatype by dtype, read-only. */
export const oipDatatypes: Readonly<Record<Dtype, OipDatatype>> = datatypes;
