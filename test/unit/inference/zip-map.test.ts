import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockField, fieldsOf, varintField } from '../../../server/tensors/protobuf.ts';
import { withoutZipMap } from '../../../server/inference/zip-map.ts';
import { modelBytes } from '../../models/models.ts';

/** The fields of a model, those of its graph one by one. */
function parts(model: Buffer): string[] {
  const fields = fieldsOf(model).flatMap((field) => (field.number === 7 ? fieldsOf(field.value as Buffer) : [field]));
  return fields.map(({ raw }) => raw.toString('latin1'));
}

/** The fields of a model that another lacks, by a word in them. */
function onlyIn(model: Buffer, other: Buffer): (string | undefined)[] {
  const known = new Set(parts(other));
  const fresh = parts(model).filter((part) => !known.has(part));
  return fresh.map((part) => ['ZipMap', 'Identity', 'probabilities'].find((word) => part.includes(word)));
}

describe('removing ZipMap', () => {
  it('leaves a model without one alone', () => {
    assert.equal(withoutZipMap(modelBytes('ridge')), undefined);
  });

  it('copies everything but nodes and outputs byte for byte', () => {
    const before = modelBytes('zipmap');
    const after = withoutZipMap(before);
    assert.ok(after);
    assert.deepEqual(onlyIn(before, after), ['ZipMap', 'probabilities']);
    assert.deepEqual(onlyIn(after, before), ['probabilities', 'Identity']);
  });

  it('counts packed class labels too', () => {
    const labels = blockField(5, Buffer.concat([blockField(1, 'classlabels_int64s'), blockField(8, Buffer.from([0, 1, 0xac, 0x02]))]));
    const node = Buffer.concat([blockField(1, 'p'), blockField(2, 'out'), blockField(4, 'ZipMap'), labels]);
    const output = Buffer.concat([blockField(1, 'out'), blockField(2, '')]);
    const model = blockField(7, Buffer.concat([blockField(1, node), blockField(12, output)]));
    const shape = blockField(2, Buffer.concat([blockField(1, ''), blockField(1, varintField(1, 3))]));
    assert.ok(withoutZipMap(model)?.includes(shape));
  });

  it('names the error in bytes that are no protobuf', () => {
    assert.throws(() => fieldsOf(Buffer.from([0x0b])), /^RangeError: expected wire type 0, 1, 2 or 5, got 3$/);
    assert.throws(() => fieldsOf(Buffer.from([0x0a, 5, 1])), /^RangeError: expected 5 bytes at 2, got 1$/);
    assert.throws(() => fieldsOf(Buffer.from([0x80])), RangeError);
  });
});
