import { isUtf8 } from 'node:buffer';
import type { InferParameter } from '../../entry-script.ts';
import { misfit } from '../../tensors/infer-request.ts';
import { blockField, FieldReader, packVarints, readVarints } from '../../tensors/protobuf.ts';
import type { Parameters } from './answer-parts.ts';

/** Field numbers of an entry of a map, and of an InferParameter. */
const ENTRY = { key: 1, value: 2 };
const PARAMETER = { bool: 1, int64: 2, string: 3, double: 4, uint64: 5 };
/** Wire type of eight bytes. */
const FIXED64 = 1;

/**
 * Parameters by name, from the entries of a protobuf map; undefined if there are none. Of two
 * entries for one name the last one counts, as in every reader of protobuf.
 * @param nameOf reads a name of limited length
 * @throws RangeError for bytes that are no protobuf; ServerError invalid_input
 */
export function readEntries(entries: readonly Buffer[], where: string, nameOf: (reader: FieldReader) => string): Parameters | undefined {
  if (entries.length === 0) return undefined;
  const parameters: Record<string, InferParameter> = Object.create(null);
  for (const entry of entries) {
    const reader = new FieldReader(entry);
    let name = '';
    let value: InferParameter | undefined;
    while (reader.next()) {
      if (reader.number === ENTRY.key) name = nameOf(reader);
      else if (reader.number === ENTRY.value) value = readParameter(reader.content, () => `parameter ${name} of ${where}`) ?? value;
    }
    if (value === undefined) throw misfit(`parameter ${name} of ${where}`, 'one of the fields of InferParameter', 'none');
    parameters[name] = value;
  }
  return parameters;
}

function readParameter(message: Buffer, where: () => string): InferParameter | undefined {
  const reader = new FieldReader(message);
  let value: InferParameter | undefined;
  while (reader.next()) {
    const { number, content } = reader;
    if (number === PARAMETER.bool) value = readInteger(content, false) !== 0;
    else if (number === PARAMETER.int64) value = readInteger(content, true);
    else if (number === PARAMETER.uint64) value = readInteger(content, false);
    else if (number === PARAMETER.double) value = readDouble(content);
    else if (number === PARAMETER.string) {
      if (!isUtf8(content)) throw misfit(where(), 'UTF-8', 'other bytes');
      value = content.toString();
    }
  }
  return value;
}

/** A bigint only where a number is not exact, so that scripts can compute with it. */
function readInteger(varint: Buffer, signed: boolean): number | bigint {
  let value = 0n;
  readVarints(varint, (low, high) => (value = (BigInt(signed ? high | 0 : high) << 32n) | BigInt(low)));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readDouble(bytes: Buffer): number {
  if (bytes.length !== 8) throw new RangeError(`expected a double of 8 bytes, got ${bytes.length}`);
  return bytes.readDoubleLE();
}

/** Parameters as entries of the map `field`; no bytes if there are none. */
export function writeEntries(field: number, parameters: Parameters = {}): Buffer {
  return Buffer.concat(
    Object.entries(parameters).map(([name, value]) =>
      blockField(field, Buffer.concat([blockField(ENTRY.key, name), blockField(ENTRY.value, writeParameter(value))])),
    ),
  );
}

/** The type of the value alone decides, so that a client can rely on the field. */
function writeParameter(value: InferParameter): Buffer {
  if (typeof value === 'boolean') return packVarints([PARAMETER.bool * 8, Number(value)]);
  if (typeof value === 'string') return blockField(PARAMETER.string, value);
  if (typeof value === 'bigint') return packVarints([(BigInt.asIntN(64, value) === value ? PARAMETER.int64 : PARAMETER.uint64) * 8, value]);
  const bytes = Buffer.alloc(9);
  bytes[0] = PARAMETER.double * 8 + FIXED64;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}
