import { type Field, fieldsOf, readVarints } from '../../tensors/protobuf.ts';

/** A size, the name of a symbol, or '' for a size without a name. */
export type Dim = number | string;

/** The bytes of a field that is a message. @throws RangeError if it is none */
export function messageBytes({ value }: Pick<Field, 'value'>): Buffer {
  if (typeof value === 'number') throw new RangeError('expected a message, got a number');
  return value;
}

/** The fields of a field that is a message. @throws RangeError if it is none */
export const inside = (field: Pick<Field, 'value'>): Field[] => fieldsOf(messageBytes(field));

/** The last string under a number, or undefined if there is none. */
export function textOf(fields: readonly Field[], number: number): string | undefined {
  const found = fields.findLast((field) => field.number === number)?.value;
  return Buffer.isBuffer(found) ? found.toString() : undefined;
}

/** All strings under a number, in their order. */
export function textsOf(fields: readonly Field[], number: number): string[] {
  return fields.flatMap((field) => (field.number === number && Buffer.isBuffer(field.value) ? [field.value.toString()] : []));
}

/** The message under a number, or undefined if there is none. */
export function messageOf(fields: readonly Field[], number: number): Field[] | undefined {
  const found = fields.findLast((field) => field.number === number);
  return found === undefined ? undefined : inside(found);
}

/**
 * The whole numbers under a number with their sign, packed or not. Numbers beyond 2^53 are decimal
 * texts.
 * @throws RangeError if they are damaged
 */
export function integersOf(fields: readonly Field[], number: number): (number | string)[] {
  const integers: (number | string)[] = [];
  for (const { number: at, value, raw } of fields) {
    if (at !== number) continue;
    // The field of a single number begins with its key.
    const bytes = typeof value === 'number' ? raw : value;
    readVarints(bytes, (low, high, index) => {
      if (typeof value !== 'number' || index > 0) integers.push(shortest((BigInt(high | 0) << 32n) | BigInt(low)));
    });
  }
  return integers;
}

/** A number where a double holds it exactly, else its decimal text. */
export function shortest(integer: bigint): number | string {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : String(integer);
}

/** The first whole number under a number; undefined if there is none, or it is beyond 2^53. */
export function integerOf(fields: readonly Field[], number: number): number | undefined {
  const [first] = integersOf(fields, number);
  return typeof first === 'number' ? first : undefined;
}

/** The float32 numbers under a number, packed or not. */
export function floatsOf(fields: readonly Field[], number: number): number[] {
  return fields.flatMap((field) => {
    if (field.number !== number || !Buffer.isBuffer(field.value)) return [];
    const { value } = field;
    return Array.from({ length: Math.floor(value.length / 4) }, (_, at) => value.readFloatLE(4 * at));
  });
}
