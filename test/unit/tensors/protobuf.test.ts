import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { countVarints, FieldReader, fieldsOf, numbersOf, packVarints, readVarints } from '../../../server/tensors/protobuf.ts';
import { assertLinear } from '../linear-time.ts';

const { root } = protobuf.parse(`
  syntax = "proto3";
  message M {
    string text = 1;
    bytes data = 2;
    repeated string texts = 3;
    repeated int64 packed = 4 [packed = true];
    repeated int64 single = 5 [packed = false];
    double eight = 16;
    fixed32 four = 2000;
    uint64 whole = 536870911;
    M inner = 7;
  }`);
const type = root.resolveAll().lookupType('M');
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const message = fc.record(
  {
    text: fc.string(),
    data: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    texts: fc.array(fc.string()),
    packed: fc.array(int64),
    single: fc.array(int64),
    eight: fc.double(),
    four: fc.nat(),
    whole: fc.maxSafeNat().map(String),
    inner: fc.record({ text: fc.string({ minLength: 1 }) }),
  },
  { requiredKeys: [] },
);

/** The fields that a walk finds, in the form of protobufjs. */
function walk(bytes: Buffer): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const add = (name: string, values: unknown[]): void =>
    void (found[name] = [...((found[name] as unknown[] | undefined) ?? []), ...values]);
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    const { content } = reader;
    if (reader.number === 1) found['text'] = content.toString();
    else if (reader.number === 2) found['data'] = Buffer.from(content);
    else if (reader.number === 3) add('texts', [content.toString()]);
    else if (reader.number === 4) add('packed', integers(content));
    else if (reader.number === 5) add('single', integers(content));
    else if (reader.number === 16) found['eight'] = content.readDoubleLE();
    else if (reader.number === 2000) found['four'] = content.readUInt32LE();
    else if (reader.number === 536870911) found['whole'] = String(reader.value);
    else if (reader.number === 7) found['inner'] = { ...(found['inner'] as object | undefined), ...walk(content) };
  }
  return found;
}

function integers(bytes: Buffer): string[] {
  const values: string[] = [];
  readVarints(bytes, (low, high) => values.push(String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)))));
  return values;
}

const plain = (bytes: Uint8Array): Record<string, unknown> => type.toObject(type.decode(bytes), { longs: String, bytes: Buffer });

describe('a walk through a protobuf message', () => {
  it('finds the fields that protobufjs finds', () => {
    fc.assert(
      fc.property(message, (fields) => {
        const bytes = Buffer.from(type.encode(type.fromObject(fields)).finish());
        assert.deepEqual(walk(bytes), plain(bytes));
      }),
    );
  });

  it('finds the fields that protobufjs finds where messages follow each other', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        const bytes = Buffer.concat(messages.map((fields) => type.encode(type.fromObject(fields)).finish()));
        assert.deepEqual(walk(bytes), plain(bytes));
      }),
    );
  });

  it('ends, or throws a RangeError, whatever the bytes are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Bytes that are more often keys, lengths and endless varints.
      fc.array(fc.constantFrom(0, 1, 2, 5, 8, 10, 127, 128, 255), { maxLength: 60 }).map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, (list) => {
        for (const read of [walk, fieldsOf, integers, (all: Buffer) => numbersOf({ number: 1, value: all, raw: all })]) {
          try {
            read(Buffer.from(list));
          } catch (error) {
            assert.ok(error instanceof RangeError, String(error));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses varints longer than ten bytes, as key, value, length and packed', () => {
    const long = Buffer.alloc(11, 0x80);
    long[10] = 1;
    for (const front of [[], [8], [10]])
      assert.throws(() => new FieldReader(Buffer.concat([Buffer.from(front), long])).next(), /at most 10 bytes/);
    assert.throws(() => readVarints(long, () => undefined), /at most 10 bytes/);
    assert.throws(() => numbersOf({ number: 1, value: long, raw: long }), /at most 10 bytes/);
  });

  it('refuses bytes that are no field: the number 0, a group, a key beyond 32 bits, a length beyond the end', () => {
    for (const bytes of [[0, 0], [2, 1, 0], [11], [12], [0x80, 0x80, 0x80, 0x80, 0x10, 0], [10, 2, 0], [9, 0], [13], [8]])
      assert.throws(() => fieldsOf(Buffer.from(bytes)), RangeError, String(bytes));
  });

  it('refuses more fields than the limit', () => {
    const reader = new FieldReader(Buffer.from([8, 1, 8, 2, 8, 3]), 2);
    assert.ok(reader.next() && reader.next());
    assert.throws(() => reader.next(), /fewer fields/);
  });

  it('takes twice the time for twice the fields, and no memory for them', () => {
    const emptyFields = (size: number): Buffer => Buffer.alloc(size, Buffer.of(0x1a, 0));
    const walkFields = (bytes: Buffer): void => {
      const reader = new FieldReader(bytes);
      while (reader.next());
    };
    assertLinear('fields', 1e6, emptyFields, walkFields);
    const bytes = emptyFields(4e6);
    const before = process.memoryUsage().heapUsed;
    walkFields(bytes);
    assert.ok(process.memoryUsage().heapUsed - before < 8e6);
  });
});

describe('packed varints', () => {
  it('equal those of protobufjs, from numbers, bigints and arrays of them', () => {
    fc.assert(
      fc.property(fc.bigInt64Array(), (values) => {
        const written = Buffer.from(type.encode(type.fromObject({ packed: Array.from(values, String) })).finish());
        const [field] = fieldsOf(written);
        const expected = field === undefined ? Buffer.alloc(0) : (field.value as Buffer);
        assert.deepEqual(packVarints(values), expected);
        assert.deepEqual(packVarints(Array.from(values)), expected);
        assert.equal(countVarints(expected), values.length);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (values) => {
        assert.deepEqual(packVarints(values), packVarints(values.map(BigInt)));
      }),
    );
  });

  it('take twice the time for twice as many', () => {
    const values = (length: number): BigInt64Array => new BigInt64Array(length).fill(-1n);
    assertLinear('varints', 1e5, values, (packed) => readVarints(packVarints(packed), () => undefined));
  });
});
