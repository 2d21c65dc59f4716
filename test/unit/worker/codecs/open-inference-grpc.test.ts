import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Tensor } from '../../../../server/entry-script.ts';
import { ServerError } from '../../../../server/errors.ts';
import { dtypes } from '../../../../server/tensors/dtypes.ts';
import { blockHead, packVarints } from '../../../../server/tensors/protobuf.ts';
import { OpenInferenceGrpcCodec } from '../../../../server/worker/codecs/open-inference-grpc.ts';
import { toBytes } from '../../../../server/tensors/tensor-bytes.ts';
import { read, write } from '../../../grpc/client.ts';
import { assertLinear } from '../../linear-time.ts';
import { request, shifted, someTensor } from '../some-tensor.ts';

const codec = new OpenInferenceGrpcCodec({ modelName: 'm', nonFinite: 'string', inputs: undefined });
const contents = {
  bool: 'bool_contents',
  int8: 'int_contents',
  int16: 'int_contents',
  int32: 'int_contents',
  int64: 'int64_contents',
  uint8: 'uint_contents',
  uint16: 'uint_contents',
  uint32: 'uint_contents',
  uint64: 'uint64_contents',
  float32: 'fp32_contents',
  float64: 'fp64_contents',
  string: 'bytes_contents',
  float16: '',
} as const;

const decode = (message: object | Buffer, by = 0, asked = request({})): Record<string, Tensor> =>
  codec.decode(
    asked,
    shifted(Buffer.isBuffer(message) ? message : write('ModelInferRequest', { model_name: 'm', ...message }), by),
  ) as Record<string, Tensor>;

interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape?: readonly string[];
  readonly contents?: Readonly<Record<string, readonly unknown[]>>;
}
interface Answer {
  readonly outputs?: readonly TensorMessage[];
  readonly raw_output_contents?: readonly Buffer[];
}

const encode = (result: unknown, asked = request({})): Answer =>
  read('ModelInferResponse', Buffer.concat(codec.encode(asked, result).parts.map((part) => Buffer.from(part as Uint8Array))));

const head = (name: string, { type, dims }: Tensor): object => ({ name, datatype: dtypes[type].datatype, shape: dims });

/** Elements as protobufjs takes and gives them. */
const plain = ({ type, data }: Tensor): unknown[] =>
  Array.from<unknown, unknown>(data, (value) => {
    if (type === 'bool') return value === 1;
    if (typeof value === 'string') return Buffer.from(value);
    return typeof value === 'bigint' ? String(value) : value;
  });

/** An asked-for answer in the form of typed or of raw requests. */
const asked = (raw: boolean): ReturnType<typeof request> => {
  const made = request({});
  const x = { name: 'x', datatype: 'BOOL', shape: [1] };
  const message = raw ? { inputs: [x], raw_input_contents: [Buffer.of(1)] } : { inputs: [{ ...x, contents: { bool_contents: [true] } }] };
  decode(message, 0, made);
  return made;
};

describe('tensors in protobuf', () => {
  it('are read raw, at any place in memory', () => {
    fc.assert(
      fc.property(fc.array(someTensor, { minLength: 1, maxLength: 3 }), fc.nat(7), (tensors, by) => {
        const inputs = tensors.map((tensor, index) => head(`t${index}`, tensor));
        const decoded = decode({ inputs, raw_input_contents: tensors.map((tensor) => toBytes(tensor)) }, by);
        for (const [index, tensor] of tensors.entries()) assert.deepEqual(decoded[`t${index}`], tensor);
      }),
    );
  });

  it('are read typed', () => {
    const typed = someTensor.filter(({ type }) => type !== 'float16');
    fc.assert(
      fc.property(typed, fc.nat(7), (tensor, by) => {
        const decoded = decode({ inputs: [{ ...head('x', tensor), contents: { [contents[tensor.type]]: plain(tensor) } }] }, by);
        assert.deepEqual(decoded['x'], tensor);
      }),
    );
  });

  it('are answered raw to raw requests, typed to typed ones', () => {
    fc.assert(
      fc.property(someTensor, fc.boolean(), (tensor, raw) => {
        const { outputs, raw_output_contents: bytes } = encode({ y: tensor }, asked(raw));
        const [y] = outputs ?? [];
        assert.deepEqual([y?.name, y?.datatype, y?.shape ?? []], ['y', dtypes[tensor.type].datatype, tensor.dims.map(String)]);
        // FP16 has no other form
        if (raw || tensor.type === 'float16') assert.deepEqual(bytes, [Buffer.from(toBytes(tensor))]);
        else {
          assert.equal(bytes, undefined);
          const values = y?.contents?.[contents[tensor.type]] ?? [];
          assert.deepEqual(
            values.map((value) => (value === 0 ? 0 : value)),
            plain(tensor).map((value) => (value === 0 ? 0 : value)),
          );
        }
      }),
    );
  });

  it('are read from fields that are not packed', () => {
    const varints = (field: number, ...values: number[][]): number[] => values.flatMap((bytes) => [field * 8, ...bytes]);
    const tensor = Buffer.concat([
      Buffer.from([10, 1, 0x78, 18, 5, ...Buffer.from('INT32')]),
      Buffer.from(varints(3, [1], [2])),
      Buffer.from([42, 13, ...varints(2, [5], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])]),
    ]);
    const { x } = decode(Buffer.concat([Buffer.from([10, 1, 0x6d, 42, tensor.length]), tensor]));
    assert.deepEqual(x, { type: 'int32', dims: [1, 2], data: Int32Array.of(5, -1) });
  });

  it('numbers of an answer are not copied', () => {
    const data = Float64Array.of(1, 2);
    for (const raw of [true, false])
      assert.ok(codec.encode(asked(raw), { y: data }).parts.some((part) => typeof part !== 'string' && part.buffer === data.buffer));
  });
});

describe('a request in protobuf', () => {
  it('names id, version and outputs, which come back', () => {
    const made = request({});
    decode({ id: 'a', model_version: '1', outputs: [{ name: 'b' }, { name: 'a' }] }, 0, made);
    assert.deepEqual(made.outputs, ['b', 'a']);
    const answer = encode({ a: [1], b: [true], c: ['x'] }, made);
    assert.deepEqual(answer, {
      model_name: 'm',
      model_version: '1',
      id: 'a',
      outputs: [
        { name: 'b', datatype: 'BOOL', shape: ['1'], contents: { bool_contents: [true] } },
        { name: 'a', datatype: 'FP64', shape: ['1'], contents: { fp64_contents: [1] } },
      ],
    });
  });

  const x = { name: 'x', datatype: 'FP32', shape: [2] };
  const eight = Buffer.alloc(8);
  const refused: [title: string, message: object | Buffer, text: RegExp][] = [
    ['no protobuf', Buffer.of(0xff, 0xff), /no ModelInferRequest/],
    ['another model', write('ModelInferRequest', { model_name: 'n' }), /model "n": there is no such model; this server serves m/],
    ['no model', Buffer.alloc(0), /model ""/],
    ['another version', { model_version: '2' }, /there is no version "2"/],
    ['an input without a name', { inputs: [{ ...x, name: '' }] }, /inputs\[0\]: expected a "name", got ""/],
    ['a name that comes twice', { inputs: [x, x], raw_input_contents: [eight, eight] }, /expected each name once/],
    ['an unknown datatype', { inputs: [{ ...x, datatype: 'BF16' }] }, /expected a datatype, one of/],
    ['a negative size', { inputs: [{ ...x, shape: [-1] }] }, /expected a "shape".*got \[-1\]/],
    ['a size beyond all memory', { inputs: [{ ...x, shape: ['9223372036854775807'] }] }, /expected a "shape"/],
    ['a large shape without elements', { inputs: [{ ...x, shape: ['1099511627776', 0] }] }, /multiply to at most/],
    ['a large shape without data', { inputs: [{ ...x, shape: [1e9] }] }, /expected 4000000000 bytes/],
    [
      'fewer raw contents than inputs',
      { inputs: [x, { ...x, name: 'y' }], raw_input_contents: [eight] },
      /one entry for each of the 2 inputs/,
    ],
    ['raw and typed contents', { inputs: [{ ...x, contents: { fp32_contents: [1, 2] } }], raw_input_contents: [eight] }, /got both/],
    [
      'contents of another datatype',
      { inputs: [{ ...x, contents: { fp64_contents: [1, 2] } }] },
      /in the field 6 for FP32, got the field 7/,
    ],
    ['too few contents', { inputs: [{ ...x, contents: { fp32_contents: [1] } }] }, /expected 8 bytes/],
    ['too many contents', { inputs: [{ ...x, datatype: 'INT32', contents: { int_contents: [1, 2, 3] } }] }, /expected 2 elements/],
    [
      'a number that is too large',
      { inputs: [{ ...x, datatype: 'INT8', contents: { int_contents: [1, 128] } }] },
      /input x\[1\]: expected INT8, got 128/,
    ],
    [
      'a negative UINT8',
      { inputs: [{ ...x, datatype: 'UINT8', contents: { uint_contents: [256, 1] } }] },
      /input x\[0\]: expected UINT8, got 256/,
    ],
    ['typed FP16', { inputs: [{ ...x, datatype: 'FP16', contents: { fp32_contents: [1, 2] } }] }, /the only form of FP16/],
    [
      'bytes that are no text',
      { inputs: [{ ...x, datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.of(0xff)] } }] },
      /UTF-8/,
    ],
    ['an output that is named twice', { outputs: [{ name: 'y' }, { name: 'y' }] }, /output y: expected each name once/],
    ['a name without end', { inputs: [{ ...x, name: 'x'.repeat(5000) }] }, /names, ids and datatypes of at most 4096 bytes/],
    ['a shape without end', { inputs: [{ ...x, shape: Array<number>(1e5).fill(1) }] }, /fewer than 1024 sizes/],
    ['inputs without end', Buffer.alloc(1e6, Buffer.of(42, 0)), /expected fewer fields/],
    ['unknown fields without end', Buffer.alloc(1e6, Buffer.of(120, 1)), /expected fewer fields/],
    ['a varint of more than ten bytes', Buffer.concat([Buffer.of(120), Buffer.alloc(10, 0x80), Buffer.of(1)]), /at most 10 bytes/],
  ];
  for (const [title, message, text] of refused)
    it(`is refused: ${title}`, () => {
      assert.throws(
        () => decode(message),
        (error) => {
          assert.ok(error instanceof ServerError && ['invalid_input', 'model_unknown'].includes(error.code), String(error));
          assert.match(error.message, text);
          return true;
        },
      );
    });

  /** A tensor whose contents are `count` times the same field. */
  const many = (datatype: string, field: Buffer, count: number, shape = count): Buffer => {
    const block = (number: number, bytes: Buffer): Buffer => Buffer.concat([blockHead(number, bytes.length), bytes]);
    const tensor = [
      block(1, Buffer.from('x')),
      block(2, Buffer.from(datatype)),
      block(3, packVarints([shape])),
      block(5, Buffer.alloc(count * field.length, field)),
    ];
    return Buffer.concat([block(1, Buffer.from('m')), block(5, Buffer.concat(tensor))]);
  };
  const floods: [title: string, make: (count: number) => Buffer][] = [
    ['numbers one by one', (count) => many('INT32', Buffer.of(16, 1), count)],
    ['empty blocks of numbers', (count) => many('INT64', Buffer.of(26, 0), count, 0)],
    ['floats one by one', (count) => many('FP32', Buffer.of(53, 0, 0, 0, 0), count)],
    ['empty strings', (count) => many('BYTES', Buffer.of(66, 0), count)],
    ['more strings than its shape has', (count) => many('BYTES', Buffer.of(66, 0), count, 1)],
    ['contents of a field that there is not', (count) => many('INT64', Buffer.of(120, 1), count)],
  ];
  for (const [title, make] of floods) it(`takes at most in proportion to its size: ${title}`, () => assertLinear(title, 1e5, make, decode));

  it('whatever its bytes are, is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decode(Buffer.concat([Buffer.from([10, 1, 0x6d]), bytes]));
        } catch (error) {
          assert.ok(error instanceof ServerError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
