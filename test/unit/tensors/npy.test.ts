import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Tensor } from '../../../server/entry-script.ts';
import { ServerError } from '../../../server/errors.ts';
import { dtypeEntries } from '../../../server/tensors/dtypes.ts';
import { readNpy, writeNpy } from '../../../server/tensors/npy.ts';
import { assertLinear } from '../linear-time.ts';
import { elements, someTensor } from '../worker/some-tensor.ts';

/** A file as numpy writes it, by hand. */
function file(descr: string, shape: string, content: Uint8Array, { version = 1, fortran = false } = {}): Buffer {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`);
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  const padded = Buffer.alloc(64 * Math.ceil((header.length + 13) / 64) - 8 - length.length, ' ');
  header.copy(padded);
  padded.write('\n', padded.length - 1);
  if (version === 1) length.writeUInt16LE(padded.length);
  else length.writeUInt32LE(padded.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.from([version, 0]), length, padded, content]);
}

const bytes = (array: NodeJS.TypedArray): Uint8Array => new Uint8Array(array.buffer);

/** Files of `numpy.save`; one is in Fortran's order, by version 2. */
const SAVED: readonly { readonly tensor: Tensor; readonly base64: string; readonly same: boolean }[] = [
  {
    tensor: { type: 'float32', dims: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
    base64:
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEAAAEBAAACAQAAAoEA=',
    same: true,
  },
  {
    tensor: { type: 'int64', dims: [2, 3], data: BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n) },
    base64:
      'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IFRydWUsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAMAAAAAAAAAAQAAAAAAAAAEAAAAAAAAAAIAAAAAAAAABQAAAAAAAAA=',
    same: false,
  },
  {
    tensor: { type: 'string', dims: [3], data: ['a', 'é😀', ''] },
    base64:
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPFUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphAAAAAAAAAOkAAAAA9gEAAAAAAAAAAAA=',
    same: true,
  },
  {
    tensor: { type: 'bool', dims: [], data: Uint8Array.of(1) },
    base64:
      'k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoB',
    same: true,
  },
];

const refuses = (body: Buffer, message: RegExp): void =>
  assert.throws(
    () => readNpy('x', body),
    (thrown) => thrown instanceof ServerError && thrown.code === 'invalid_input' && message.test(thrown.message),
  );

describe('a file of numpy', () => {
  it('that numpy 2.4.6 wrote is read, and written with the same bytes', () => {
    for (const { tensor, base64, same } of SAVED) {
      assert.deepEqual(readNpy('x', Buffer.from(base64, 'base64')), tensor);
      if (same) assert.equal(Buffer.concat(writeNpy(tensor)).toString('base64'), base64);
    }
  });

  it('is read as it was written, for every dtype, and each is met', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(someTensor, (tensor) => {
        met.add(tensor.type);
        const again = readNpy('x', Buffer.concat(writeNpy(tensor)));
        assert.deepEqual([again.type, again.dims], [tensor.type, tensor.dims]);
        // Texts of a fixed width lose the NULs at their end, which ONNX Runtime refuses anyway.
        assert.deepEqual(elements(again), elements(tensor));
      }),
      { numRuns: 500 },
    );
    assert.equal(met.size, dtypeEntries.length);
  });

  it('of any version, with any order of members and an aligned content is read', () => {
    const content = bytes(Int16Array.of(1, 2, 3));
    for (const version of [1, 2, 3]) assert.deepEqual(readNpy('x', file('<i2', '(3,)', content, { version })).data, Int16Array.of(1, 2, 3));
    const other = Buffer.from(`{'shape': (3L,), 'fortran_order': False, 'descr': '<i2'}`);
    const length = Buffer.from([other.length, 0]);
    const odd = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, other, content]);
    assert.deepEqual(readNpy('x', odd), { type: 'int16', dims: [3], data: Int16Array.of(1, 2, 3) });
  });

  it('in the order of Fortran becomes rows, of two and of three dimensions', () => {
    const columns = file('<f8', '(2, 3)', bytes(Float64Array.of(1, 4, 2, 5, 3, 6)), { fortran: true });
    assert.deepEqual(readNpy('x', columns), { type: 'float64', dims: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) });
    const place = (at: number): number => (at % 2) * 100 + (Math.floor(at / 2) % 3) * 10 + Math.floor(at / 6);
    const cube = file('<i4', '(2, 3, 2)', bytes(Int32Array.from({ length: 12 }, (_, at) => place(at))), { fortran: true });
    const expected = [0, 1].flatMap((a) => [0, 1, 2].flatMap((b) => [0, 1].map((c) => 100 * a + 10 * b + c)));
    assert.deepEqual(Array.from<unknown>(readNpy('x', cube).data), expected);
    const big = file('<i8', '(2, 2)', bytes(BigInt64Array.of(1n, 3n, 2n, 4n)), { fortran: true });
    assert.deepEqual(readNpy('x', big).data, BigInt64Array.of(1n, 2n, 3n, 4n));
    const texts = file('<U1', '(2, 2)', bytes(Uint32Array.from('acbd', (letter) => letter.charCodeAt(0))), { fortran: true });
    assert.deepEqual(readNpy('x', texts).data, ['a', 'b', 'c', 'd']);
  });

  it('that is none, or has another content, is refused by what was expected', () => {
    const one = bytes(Float32Array.of(1));
    refuses(Buffer.from('[1, 2]'), /expected the bytes that numpy\.save writes/);
    refuses(Buffer.from('\x93NUMPY', 'latin1'), /expected the bytes that numpy\.save writes/);
    refuses(file('<f4', '(1,)', one, { version: 4 }), /expected version 1, 2 or 3/);
    refuses(file('>f4', '(1,)', one), /expected little-endian elements/);
    refuses(file('|O', '(1,)', one), /got the type \|O/);
    refuses(file('<c8', '(1,)', one), /got the type <c8/);
    refuses(file('<f4', '(2,)', one), /expected 8 bytes for the shape \[2\] of its datatype, got 4/);
    refuses(file('<f4', '(-1,)', one), /expected a header/);
    refuses(file('<f4', `(${'1, '.repeat(65)})`, one), /at most 64 dimensions/);
    refuses(file('<U2', '(3,)', one), /expected 24 bytes/);
    refuses(file('<U1', '(1,)', bytes(Uint32Array.of(0x11_0000))), /characters of Unicode/);
    refuses(file('|b1', '(1,)', Uint8Array.of(2)), /a byte of 0 or 1/);
    refuses(file('<f4', '(1,)', one).subarray(0, 30), /a header of/);
    refuses(file("<f4'} + {'a", '(1,)', one), /expected a header/);
    const long = file('<f4', '(1,)', one);
    long.writeUInt16LE(60_000, 8);
    refuses(long, /a header of at most 10000 bytes/);
  });

  it('has no texts of no characters, which would be any number in no bytes', () => {
    for (const shape of ['(300000000,)', '(1,)', '(0,)'])
      refuses(file('<U0', shape, new Uint8Array()), /texts \(U1 or longer\), got the type <U0/);
    refuses(file(`<U${'9'.repeat(5000)}`, '(1,)', new Uint8Array()), /got the type <U9{1,100}…/);
  });

  it('takes linear time, whatever its texts have', () => {
    assertLinear(
      'NULs before another character',
      4000,
      (size) => {
        const text = new Uint32Array(size);
        text[size - 1] = 97;
        return file(`<U${size}`, '(1,)', bytes(text));
      },
      (body) => readNpy('x', body),
    );
  });

  it('takes linear time, whatever its header has', () => {
    assertLinear(
      'members',
      1000,
      (size) => file('<f4', `(${'1, '.repeat(size)})`, new Uint8Array(4)),
      (body) => readNpy('x', body),
    );
    assertLinear(
      'spaces',
      2000,
      (size) => file('<f4', ' '.repeat(size), new Uint8Array(4)),
      (body) => readNpy('x', body),
    );
  });
});
