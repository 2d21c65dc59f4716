import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BytesTensor, Tensor, TensorSpec } from '../../../../server/entry-script.ts';
import { ServerError } from '../../../../server/errors.ts';
import { float16Numbers } from '../../../../server/tensors/float16.ts';
import { dtypes } from '../../../../server/tensors/dtypes.ts';
import type { Encoded } from '../../../../server/worker/codecs/codec.ts';
import { OpenInferenceCodec } from '../../../../server/worker/codecs/open-inference.ts';
import { toBytes } from '../../../../server/tensors/tensor-bytes.ts';
import { assertLinear } from '../../linear-time.ts';
import { elements, request, shifted, someTensor } from '../some-tensor.ts';

const codec = new OpenInferenceCodec({ modelName: 'm', nonFinite: 'string', inputs: undefined });
const LENGTH = 'Inference-Header-Content-Length';

/** JSON in front, bytes behind. */
const binary = (head: string, ...bytes: readonly Uint8Array[]): Buffer => Buffer.concat([Buffer.from(head), ...bytes]);

const decode = (body: string | Buffer, jsonLength?: number, using = codec): Record<string, Tensor> =>
  using.decode(request({}, jsonLength === undefined ? [] : [LENGTH, String(jsonLength)]), Buffer.from(body)) as Record<string, Tensor>;

const input = (more: object): object => ({ name: 'x', shape: [2], datatype: 'FP32', data: [1, 2], ...more });
const body = (...inputs: readonly object[]): string => JSON.stringify({ inputs });

/** JSON as a client writes it: whole numbers exact, what JSON lacks as text. */
function json(tensor: Tensor, nested: boolean): string {
  const { type, data, dims } = tensor;
  const numbers = type === 'float16' ? float16Numbers(data as Uint16Array) : data;
  const texts = Array.from<unknown, string>(numbers, (value) => {
    if (type === 'bool') return String(value === 1);
    if (typeof value === 'string') return JSON.stringify(value);
    return typeof value === 'number' && !Number.isFinite(value) ? `"${value}"` : String(value);
  });
  const nest = (axis: number, items: string[]): string => {
    if (axis >= dims.length - 1) return `[${items.join(',')}]`;
    const step = items.length / (dims[axis] || 1);
    return `[${Array.from({ length: dims[axis]! }, (_, row) => nest(axis + 1, items.slice(row * step, (row + 1) * step))).join(',')}]`;
  };
  return nested ? nest(0, texts) : `[${texts.join(',')}]`;
}

/** An answer as a request: outputs have the members of inputs. */
function asRequest({ headers, parts }: Encoded): [body: Buffer, jsonLength: number | undefined] {
  const whole = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const length = headers?.find(([name]) => name === LENGTH.toLowerCase())?.[1];
  const at = length === undefined ? whole.length : Number(length);
  const head = whole.subarray(0, at).toString().replace('"outputs":', '"inputs":');
  return [binary(head, whole.subarray(at)), length === undefined ? undefined : Buffer.byteLength(head)];
}

describe('tensors in JSON', () => {
  it('are read flat and nested, for every dtype', () => {
    fc.assert(
      fc.property(someTensor, fc.boolean(), (tensor, nested) => {
        const data = json(tensor, nested);
        const text = `{"inputs":[{"name":"x","shape":${JSON.stringify(tensor.dims)},"datatype":"${dtypes[tensor.type].datatype}","data":${data}}]}`;
        const { x } = decode(text);
        assert.deepEqual([x?.type, x?.dims, x?.data.constructor], [tensor.type, tensor.dims, tensor.data.constructor]);
        assert.deepEqual(elements(x!), elements(tensor));
      }),
    );
  });

  it('are answered so that they can be sent again', () => {
    fc.assert(
      fc.property(fc.array(someTensor, { maxLength: 4 }), fc.boolean(), (tensors, asBytes) => {
        const named = Object.fromEntries(tensors.map((tensor, index) => [`t${index}`, tensor]));
        const asked = request({});
        codec.decode(asked, Buffer.from(JSON.stringify({ inputs: [], parameters: { binary_data_output: asBytes } })));
        const again = decode(...asRequest(codec.encode(asked, named)));
        assert.deepEqual(Object.keys(again), Object.keys(named));
        for (const [name, tensor] of Object.entries(named)) {
          assert.deepEqual([again[name]?.type, again[name]?.dims], [tensor.type, tensor.dims]);
          assert.deepEqual(elements(again[name]!), elements(tensor));
        }
      }),
    );
  });
});

describe('binary tensors', () => {
  it('are read at any place in memory', () => {
    fc.assert(
      fc.property(fc.array(someTensor, { maxLength: 3 }), fc.nat(7), (tensors, by) => {
        const bytes = tensors.map((tensor) => toBytes(tensor));
        const head = body(
          ...tensors.map(({ type, dims }, index) => ({
            name: `t${index}`,
            shape: dims,
            datatype: dtypes[type].datatype,
            parameters: { binary_data_size: bytes[index]!.length },
          })),
        );
        const decoded = codec.decode(request({}, [LENGTH, String(Buffer.byteLength(head))]), shifted(binary(head, ...bytes), by));
        for (const [index, tensor] of tensors.entries()) assert.deepEqual(decoded[`t${index}`], tensor);
      }),
    );
  });

  it('are views of a large body where they can be', () => {
    const head = body({ name: 'x', shape: [20_000], datatype: 'FP32', parameters: { binary_data_size: 80_000 } });
    for (let by = 0; by < 4; by++) {
      const whole = shifted(binary(head, new Uint8Array(80_000)), by);
      const { x } = codec.decode(request({}, [LENGTH, String(head.length)]), whole);
      const aligned = (by + head.length) % 4 === 0;
      assert.equal((x!.data as Float32Array).buffer === whole.buffer, aligned);
    }
  });

  it('have memory of their own in a small body, beside which other requests may lie', () => {
    const head = body({ name: 'x', shape: [2], datatype: 'FP32', parameters: { binary_data_size: 8 } });
    for (let by = 0; by < 4; by++) {
      const { x } = codec.decode(request({}, [LENGTH, String(head.length)]), shifted(binary(head, new Uint8Array(8)), by));
      assert.equal((x!.data as Float32Array).buffer.byteLength, 8);
    }
  });

  it('begin at a multiple of eight in an answer, and are not copied', () => {
    for (const id of ['', 'a', 'ab', 'abc']) {
      const asked = request({});
      codec.decode(asked, Buffer.from(JSON.stringify({ id, inputs: [], parameters: { binary_data_output: true } })));
      const data = Float32Array.of(1, 2);
      const { headers, parts } = codec.encode(asked, { y: data });
      const length = Number(headers?.[1]?.[1]);
      assert.deepEqual(
        [headers?.[0], length % 8, Buffer.byteLength(parts[0] as string)],
        [['content-type', 'application/octet-stream'], 0, length],
      );
      assert.equal((parts[1] as Uint8Array).buffer, data.buffer);
    }
  });

  it('may stand beside others in JSON', () => {
    const head = body(
      input({ name: 'a' }),
      { name: 'b', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 6 } },
      input({ name: 'c' }),
    );
    const { a, b, c } = decode(binary(head, Buffer.from('\x02\0\0\0hi')), head.length);
    assert.deepEqual([a, b?.data], [c, ['hi']]);
  });
});

const refused: [title: string, body: string | Buffer, message: RegExp, jsonLength?: number][] = [
  ['no JSON', '{', /POST body could not be decoded as JSON/],
  ['an empty body', '', /POST body is empty/],
  ['a list', '[1]', /the request: expected an object with the array "inputs", got \[1\]/],
  ['no inputs', '{}', /expected an object with the array "inputs"/],
  ['an id that is a number', '{"id":7,"inputs":[]}', /id: expected a string, got 7/],
  ['outputs that are no array', '{"outputs":"y","inputs":[]}', /outputs: expected an array, got "y"/],
  ['an output without a name', '{"outputs":["y"],"inputs":[]}', /outputs\[0\]: expected an object with a "name", got "y"/],
  ['parameters that are no object', '{"parameters":1,"inputs":[]}', /parameters of the request: expected an object, got 1/],
  ['a flag that is none', '{"parameters":{"binary_data_output":1},"inputs":[]}', /binary_data_output: expected true or false, got 1/],
  ['classification', '{"outputs":[{"name":"y","parameters":{"classification":3}}],"inputs":[]}', /does not have that extension/],
  ['an input that is no object', '{"inputs":[null]}', /inputs\[0\]: expected an object, got null/],
  ['an input without a name', body(input({ name: undefined })), /inputs\[0\]: expected a "name", got none/],
  ['a name that comes twice', body(input({}), input({})), /input x: expected each name once/],
  ['an unknown datatype', body(input({ datatype: 'BF16' })), /input x: expected a datatype, one of BOOL, .*, got "BF16"/],
  ['no shape', body(input({ shape: undefined })), /input x: expected a "shape".*, got none/],
  ['a negative size', body(input({ shape: [-1, 2] })), /expected a "shape"/],
  ['a size that is no whole number', body(input({ shape: [1.5] })), /expected a "shape"/],
  ['a nested shape', body(input({ shape: [[2]] })), /expected a "shape"/],
  ['a shape without end', body(input({ shape: Array(65).fill(1) })), /expected a "shape" of at most 64/],
  ['a shape beyond all memory', body(input({ shape: [2 ** 30, 2 ** 30] })), /expected a "shape"/],
  ['a large shape with little data', body(input({ shape: [1e9] })), /input x: expected 1000000000 elements .*, got 2/],
  ['no data', body(input({ data: undefined })), /expected "data", or the parameter "binary_data_size", got neither/],
  ['data of null', body(input({ data: null })), /expected "data", or the parameter "binary_data_size", got neither/],
  ['inputs of null', '{"inputs":null}', /the request: expected an object with the array "inputs"/],
  ['a name of null', body(input({ name: null })), /inputs\[0\]: expected a "name", got null/],
  ['a shape of null', body(input({ shape: null })), /input x: expected a "shape".*, got null/],
  ['data that is no array', body(input({ data: 1 })), /expected data that is an array, got 1/],
  ['data that is too short', body(input({ data: [1] })), /expected 2 elements for the shape \[2\], got 1/],
  [
    'data nested otherwise',
    body(
      input({
        shape: [4, 1],
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
    ),
    /nested as the shape \[4,1\] says, or flat, got \[2,2\]/,
  ],
  [
    'data that is nested where the shape is flat',
    body(input({ data: [[1, 'NaN']] })),
    /nested as the shape \[2\] says, or flat, got \[1,2\]/,
  ],
  [
    'a place in flat data of two dimensions',
    body(input({ shape: [2, 1], data: [1, 1e39] })),
    /^input x\[1\]\[0\]: expected a finite number below 3\.4.*e\+38, .* got 1e\+39$/,
  ],
  ['a place beside other forms', body(input({ shape: [1, 2], data: ['NaN', 'x'] })), /^input x\[0\]\[1\]: .* got "x"$/],
  ['a place in BYTES', body(input({ shape: [2, 1], datatype: 'BYTES', data: ['a', 1] })), /^input x\[1\]\[0\]: .* got 1$/],
  [
    'a number beyond every range',
    '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,1e999]}]}',
    /^input x\[0\]\[1\]: expected a finite number below 3\.4.*e\+38, .* got the number Infinity/,
  ],
  [
    'one beyond FP64',
    '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[[1,-1e400]]}]}',
    /^input x\[0\]\[1\]: expected a finite number up to 1\.79.*e\+308, .* got the number -Infinity/,
  ],
  ['ragged data', body(input({ shape: [2, 1], data: [[1], [2, 3]] })), /input x/],
  [
    'null as an integer',
    body(input({ shape: [2, 2], datatype: 'INT32', data: [1, 2, 3, null] })),
    /input x\[1\]\[1\]: expected a whole number.*, got null/,
  ],
  [
    'a number that is too large',
    body(input({ datatype: 'INT8', data: [1, 128] })),
    /input x\[1\]: expected a whole number from -128 to 127/,
  ],
  ['texts for numbers', body(input({ data: ['1', '2'] })), /input x\[0\]/],
  ['numbers for texts', body(input({ datatype: 'BYTES' })), /input x\[0\]: expected a string/],
  ['data and bytes', body(input({ parameters: { binary_data_size: 8 } })), /either "data" or the parameter "binary_data_size", got both/],
  [
    'bytes that are not there',
    body(input({ data: undefined, parameters: { binary_data_size: 8 } })),
    /binary_data_size from 0 to the 0 bytes/,
  ],
  ['a size that is no number', body(input({ data: undefined, parameters: { binary_data_size: '8' } })), /got "8"/],
  [
    'a length that is no number',
    body(),
    /Inference-Header-Content-Length: expected a whole number from 0 to 13, the length of the body, got NaN/,
    NaN,
  ],
  ['a length beyond the body', body(), /got 14/, 14],
  ['bytes that nobody claims', '{"inputs":[]}\0', /the body: expected 0 bytes of binary tensors behind the JSON, got 1/, 13],
  ['a raw request to a script', '\0\0\0\0', /a raw request .*: an entry script decides/, 0],
];

const ofBytes = (datatype: string, shape: number[], bytes: number[]): [Buffer, number] => {
  const head = body({ name: 'x', shape, datatype, parameters: { binary_data_size: bytes.length } });
  return [binary(head, Uint8Array.from(bytes)), head.length];
};

const refusedBytes: [title: string, body: [Buffer, number], message: RegExp][] = [
  ['too few bytes', ofBytes('FP32', [2], [0, 0, 0, 0]), /input x: expected 8 bytes for the shape \[2\] of its datatype, got 4/],
  ['a bool of two', ofBytes('BOOL', [2], [1, 2]), /input x\[1\]: expected a byte of 0 or 1 \(BOOL\), got 2/],
  ['a text that is cut off', ofBytes('BYTES', [1], [2, 0, 0, 0, 65]), /input x\[0\]: expected four bytes of length and that many bytes/],
  ['a length that is cut off', ofBytes('BYTES', [1], [2, 0]), /input x\[0\]: expected four bytes/],
  ['too many texts', ofBytes('BYTES', [1], [0, 0, 0, 0, 0, 0, 0, 0]), /input x: expected 1 elements for its shape, got 2/],
  ['bytes that are no text', ofBytes('BYTES', [1], [1, 0, 0, 0, 0xff]), /input x\[0\]: expected UTF-8/],
  ['a NUL', ofBytes('BYTES', [1], [1, 0, 0, 0, 0]), /input x\[0\]: expected a string without NUL/],
];

describe('a request that does not fit', () => {
  const check = (call: () => unknown, message: RegExp): void =>
    assert.throws(call, (error) => {
      assert.ok(error instanceof ServerError && ['invalid_input', 'bad_json'].includes(error.code), String(error));
      assert.match(error.message, message);
      return true;
    });

  for (const [title, text, message, jsonLength] of refused)
    it(`is refused: ${title}`, () => {
      check(() => decode(text, jsonLength), message);
    });
  for (const [title, text, message] of refusedBytes)
    it(`is refused in binary: ${title}`, () => {
      check(() => decode(...text), message);
    });

  describe('take null for an optional member as absent', () => {
    const x = { name: 'x', shape: [2], datatype: 'FP32', data: [1, 2] };
    const bodies: [title: string, body: object][] = [
      ['of the request', { id: null, parameters: null, inputs: [x], outputs: null }],
      ['of an input', { inputs: [{ ...x, parameters: null }] }],
      ['of the parameters', { parameters: { binary_data_output: null }, inputs: [{ ...x, parameters: { binary_data_size: null } }] }],
      [
        'of every member, as MLServer sends it',
        {
          id: null,
          model_name: null,
          parameters: { content_type: null, headers: null },
          inputs: [{ ...x, parameters: null }],
          outputs: null,
        },
      ],
    ];
    for (const [title, message] of bodies)
      it(title, () => {
        const asked = request({});
        const decoded = codec.decode(asked, Buffer.from(JSON.stringify(message)));
        assert.deepEqual(decoded['x'], { type: 'float32', dims: [2], data: Float32Array.of(1, 2) });
        assert.deepEqual([asked.infer?.id, asked.infer?.outputs, asked.infer?.binary], [undefined, undefined, false]);
      });

    it('of a requested output', () => {
      const asked = request({});
      const outputs = [
        { name: 'y', parameters: null },
        { name: 'z', parameters: { binary_data: null, classification: null } },
      ];
      codec.decode(asked, Buffer.from(JSON.stringify({ inputs: [x], outputs })));
      assert.deepEqual(asked.infer?.outputs, [
        { name: 'y', binary: undefined },
        { name: 'z', binary: undefined },
      ]);
    });

    it('of an input whose data is behind the JSON', () => {
      const head = JSON.stringify({
        inputs: [{ name: 'x', shape: [1], datatype: 'UINT8', data: null, parameters: { binary_data_size: 1 } }],
      });
      assert.deepEqual(decode(binary(head, Uint8Array.of(7)), head.length)['x']?.data, Uint8Array.of(7));
    });
  });

  it('cannot reach a prototype by its names', () => {
    const decoded = decode('{"inputs":[{"name":"__proto__","shape":[1],"datatype":"FP32","data":[1]}]}');
    assert.deepEqual([Object.getPrototypeOf(decoded), Object.keys(decoded)], [null, ['__proto__']]);
  });
});

const raw = (inputs: readonly TensorSpec[], bytes: Uint8Array): Record<string, Tensor> =>
  decode(Buffer.from(bytes), 0, new OpenInferenceCodec({ modelName: 'm', nonFinite: 'string', inputs }));
const floats = (count: number): Uint8Array => new Uint8Array(Float32Array.from({ length: count }, (_, index) => index).buffer);

describe('BYTES of a script that takes bytes', () => {
  const bytes = new OpenInferenceCodec({ modelName: 'm', nonFinite: 'string', inputs: undefined }, { bytesInputs: true });
  const sent = [Uint8Array.of(0xff, 0xd8, 0), Uint8Array.of()];
  const packed = Uint8Array.of(3, 0, 0, 0, 0xff, 0xd8, 0, 0, 0, 0, 0);

  it('arrive whole behind the JSON, as copies', () => {
    const whole = Buffer.concat(ofBytes('BYTES', [2, 1], Array.from(packed)).slice(0, 1) as Buffer[]);
    const read = decode(whole, whole.length - packed.length, bytes)['x'] as unknown as BytesTensor;
    assert.deepEqual(read, { type: 'bytes', dims: [2, 1], data: sent });
    for (const element of read.data) assert.notEqual(element.buffer, whole.buffer);
  });

  it('are the UTF-8 of texts in JSON', () => {
    const read = decode(body(input({ shape: [1], datatype: 'BYTES', data: ['é'] })), undefined, bytes);
    assert.deepEqual(read['x'], { type: 'bytes', dims: [1], data: [Uint8Array.of(0xc3, 0xa9)] });
  });

  it('leave other datatypes as they are', () => {
    assert.deepEqual(decode(body(input({})), undefined, bytes)['x']?.data, Float32Array.of(1, 2));
  });

  it('are refused with their place, or their number', () => {
    const refuse = (shape: number[], data: number[], message: RegExp): void =>
      assert.throws(() => decode(...ofBytes('BYTES', shape, data), bytes), message);
    refuse([1, 2], [0, 0, 0, 0, 2, 0, 0, 0, 65], /input x\[0\]\[1\]: expected four bytes of length and that many bytes/);
    refuse([3], [0, 0, 0, 0], /input x: expected 3 elements for its shape, got 1/);
  });
});

describe('raw requests', () => {
  const shapes: [dims: TensorSpec['dims'], count: number, shape: number[]][] = [
    [[2, 3], 6, [2, 3]],
    [['N', 3], 6, [2, 3]],
    [['N', 'S'], 6, [1, 6]],
    [['N', 3, 'S'], 6, [1, 3, 2]],
    [[], 1, []],
    [['N'], 0, [0]],
  ];
  for (const [dims, count, shape] of shapes)
    it(`${count} floats are [${shape.join(',')}] for [${dims.join(',')}]`, () => {
      assert.deepEqual(raw([{ name: 'x', type: 'float32', dims }], floats(count))['x']?.dims, shape);
    });

  const texts: [dims: TensorSpec['dims'], shape: number[]][] = [
    [
      ['N', 1],
      [1, 1],
    ],
    [
      ['N', 'S'],
      [1, 1],
    ],
    [
      ['N', 'S', 'T'],
      [1, 1, 1],
    ],
    [['N'], [1]],
    [[], []],
  ];
  for (const [dims, shape] of texts)
    it(`a text is one element, without a length, for [${dims.join(',')}]`, () => {
      assert.deepEqual(raw([{ name: 'x', type: 'string', dims }], Buffer.from('hi'))['x'], { type: 'string', dims: shape, data: ['hi'] });
    });

  it('are refused where the shape does not follow', () => {
    const refuse = (inputs: readonly TensorSpec[], bytes: Uint8Array, message: RegExp): void =>
      assert.throws(() => raw(inputs, bytes), message);
    const x = { name: 'x', type: 'float32', dims: ['N', 3] } as const;
    refuse([x, { ...x, name: 'y' }], floats(3), /has the inputs x, y/);
    refuse([], floats(3), /has the inputs none/);
    refuse([{ ...x, dims: ['N', 'A', 'B'] }], floats(3), /leaves more than that open/);
    for (const count of [1, 2, 4])
      refuse(
        [x],
        floats(count),
        new RegExp(`^ServerError: input x: expected a multiple of 12 bytes for the shape \\[N,3\\] of its datatype, got ${count * 4}$`),
      );
    refuse([{ ...x, dims: ['', 'S', 3] }], floats(4), /expected a multiple of 12 bytes for the shape \[1,S,3\] of its datatype, got 16/);
    refuse([{ ...x, dims: ['N'] }], floats(1).subarray(1), /expected a multiple of 4 bytes for the shape \[N\] of its datatype, got 3/);
    refuse([{ ...x, dims: [2, 3] }], floats(5), /expected 24 bytes for the shape \[2,3\] of its datatype, got 20/);
    for (const dims of [['N', 2], [3], ['N', 0]])
      refuse([{ name: 'x', type: 'string', dims }], Buffer.from('hi'), /has one string, and input x takes \[.*\]: send each string/);
    refuse([x], new Uint8Array(5), /expected a multiple of 12 bytes .*, got 5$/);
  });

  it('are answered in binary', () => {
    const asked = request({}, [LENGTH, '0']);
    const one = new OpenInferenceCodec({ modelName: 'm', nonFinite: 'string', inputs: [{ name: 'x', type: 'bool', dims: [1] }] });
    one.decode(asked, Buffer.of(1));
    assert.equal(one.encode(asked, { y: Uint8Array.of(1) }).parts.length, 2);
  });
});

/** The JSON of an answer. */
const answer = (result: unknown, head: object = {}, url?: string): Record<string, unknown> => {
  const asked = request(url === undefined ? {} : { url });
  codec.decode(asked, Buffer.from(JSON.stringify({ inputs: [], ...head })));
  return JSON.parse(codec.encode(asked, result).parts[0] as string) as Record<string, unknown>;
};
const outputs = (result: unknown, head?: object): unknown =>
  (answer(result, head)['outputs'] as { name: string; datatype: string; shape: number[]; data?: unknown[] }[]).map(
    ({ name, datatype, shape, data }) => [name, datatype, shape, data],
  );

describe('answers', () => {
  it('name the model, the version that was asked for, and the id that was given', () => {
    assert.deepEqual(answer({}), { model_name: 'm', outputs: [] });
    assert.deepEqual(answer(undefined, { id: 'a' }, '/v2/models/m/versions/1/infer'), {
      model_name: 'm',
      model_version: '1',
      id: 'a',
      outputs: [],
    });
  });

  it('take values that carry no dtype', () => {
    const results: [unknown, unknown][] = [
      [
        { a: 1.5, b: 2 },
        [
          ['a', 'FP64', [], [1.5]],
          ['b', 'FP64', [], [2]],
        ],
      ],
      [
        [
          [1, 2],
          [3, 4],
        ],
        [['output', 'FP64', [2, 2], [1, 2, 3, 4]]],
      ],
      [
        { a: 7n, b: [1, 2n ** 53n] },
        [
          ['a', 'INT64', [], [7]],
          ['b', 'INT64', [2], [1, 2 ** 53]],
        ],
      ],
      [
        { a: true, b: ['x', 'y'] },
        [
          ['a', 'BOOL', [], [true]],
          ['b', 'BYTES', [2], ['x', 'y']],
        ],
      ],
      [new Float32Array(), [['output', 'FP32', [0], []]]],
      [Int8Array.of(1, -1), [['output', 'INT8', [2], [1, -1]]]],
      [Float16Array.of(0.5, NaN), [['output', 'FP16', [2], [0.5, 'NaN']]]],
      [Uint8Array.of(1), [['output', 'UINT8', [1], [1]]]],
      [Buffer.of(1), [['output', 'UINT8', [1], [1]]]],
      [{ type: 'int32', dims: [2], data: [1, 2] }, [['output', 'INT32', [2], [1, 2]]]],
      [{ type: 'float32', dims: [2, 0], data: [] }, [['output', 'FP32', [2, 0], []]]],
      ['text', [['output', 'BYTES', [], ['text']]]],
      [[], [['output', 'FP64', [0], []]]],
    ];
    for (const [result, expected] of results) assert.deepEqual(outputs(result), expected);
  });

  it('hold the outputs that were asked for, in that order and form', () => {
    const result = { a: 1, b: 2, c: 3 };
    const head = { outputs: [{ name: 'c' }, { name: 'a', parameters: { binary_data: true } }] };
    assert.deepEqual(outputs(result, head), [
      ['c', 'FP64', [], [3]],
      ['a', 'FP64', [], undefined],
    ]);
    const mixed = { outputs: [{ name: 'a', parameters: { binary_data: false } }, { name: 'b' }], parameters: { binary_data_output: true } };
    assert.deepEqual(outputs(result, mixed), [
      ['a', 'FP64', [], [1]],
      ['b', 'FP64', [], undefined],
    ]);
    assert.throws(() => outputs(result, { outputs: [{ name: 'd' }] }), /output d: there is no such output; the outputs are a, b, c\./);
  });

  it('are refused where there is no tensor form', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    const wrong: [unknown, RegExp][] = [
      [{ a: { b: 1 } }, /run\(\) answered an object as the output a/],
      [{ a: null }, /answered null as the output a/],
      [() => 1, /answered a function as the output output/],
      [[[1], [2, 3]], /answered arrays whose sizes differ/],
      [circular, /answered arrays whose sizes differ/],
      [[1, 'x'], /answered "x" at element 1, where float64 needs/],
      [['x', 1], /answered 1 at element 1, where string needs/],
      [[1.5, 2n], /answered 1.5 at element 0, where int64 needs/],
      [[1, new Map()], /answered a Map at element 1, where float64 needs/],
      [[1, { a: 1 }], /answered an object at element 1, where float64 needs/],
      [new DataView(new ArrayBuffer(1)), /answered a DataView/],
      [new Date(0), /answered an instance of a class/],
      [{ type: 'int4', dims: [1], data: [1] }, /a tensor of the dtype "int4"/],
      [{ type: 'int8', dims: [2], data: Int8Array.of(1) }, /a tensor of dims \[2\] with 1 elements/],
      [{ type: 'int8', dims: [2], data: 5 }, /data that is no array/],
    ];
    for (const [result, message] of wrong)
      assert.throws(
        () => outputs(result),
        (error) => error instanceof ServerError && error.code === 'result_not_json' && message.test(error.message),
        String(message),
      );
  });

  it('write NaN and the infinities by the policy of the server', () => {
    const strict = new OpenInferenceCodec({ modelName: 'm', nonFinite: 'error', inputs: undefined });
    assert.deepEqual(outputs({ a: Float32Array.of(NaN, -Infinity) }), [['a', 'FP32', [2], ['NaN', '-Infinity']]]);
    assert.throws(() => strict.encode(request({}), { a: NaN }), /result\.outputs\[0\]\.data\[0\]/);
  });
});

describe('a request that is refused', () => {
  const refuses = (text: string | Buffer, message: RegExp, jsonLength?: number): void =>
    assert.throws(
      () => decode(text, jsonLength),
      (error) =>
        error instanceof ServerError && error.failure.fault === 'client' && message.test(error.message) && error.message.length < 400,
      String(message),
    );
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

  it('names an output twice', () => {
    const same = Array.from({ length: 10_000 }, () => ({ name: 'y' }));
    refuses(JSON.stringify({ inputs: [], outputs: same }), /^output y: expected each name once, got it twice$/);
    refuses(
      JSON.stringify({ inputs: [], outputs: [{ name: 'a' }, { name: 'y'.repeat(500) }, { name: 'y'.repeat(500) }] }),
      /^output y+…: expected each/,
    );
  });

  it('has a shape that no tensor has', () => {
    const shapes: [shape: unknown, got: RegExp][] = [
      [[2 ** 40, 0], /multiply to at most 16777216 beside a 0, got \[1099511627776,0\]/],
      [[0, 2 ** 40], /multiply to at most/],
      [[-1], /got \[-1\]/],
      [[1.5], /got \[1.5\]/],
      [[1e300, 0], /got \[1e\+300,0\]/],
      [[2 ** 53], /got \["9007199254740992"\]/],
      [Array.from({ length: 65 }, () => 1), /got \[1,1/],
      [Array.from({ length: 100_000 }, () => 1), /got \[1,1/],
      ['x'.repeat(1000), /got "x+…/],
      [null, /got null/],
      [{ a: [{ b: 'x'.repeat(1000) }] }, /got \{"a":\[\{"b":"x+…/],
      [[[1]], /got \[\[1\]\]/],
    ];
    for (const [shape, got] of shapes)
      refuses(body(input({ shape, data: [] })), new RegExp(`^input x: expected a "shape" of .*${got.source}`));
    refuses(`{"inputs":[{"name":"x","shape":[${'9'.repeat(400)}],"datatype":"FP32","data":[]}]}`, /got \["9+…/);
    refuses(`{"inputs":[{"name":"x","shape":[${'9'.repeat(4000)}],"datatype":"FP32","data":[]}]}`, /at most 1000 digits/);
  });

  it('has data that nests deeper than any tensor', () => {
    for (const levels of [65, 900, 1001, 5000, 1_000_000]) {
      refuses(`{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":${nested(levels)}}]}`, /expected|nested more than 1000 deep/);
      refuses(`{"inputs":[{"name":"x","shape":${nested(levels)},"datatype":"FP32","data":[]}]}`, /expected|nested more than 1000 deep/);
      refuses(`{"inputs":${nested(levels)}}`, /expected an object, got \[|nested more than 1000 deep/);
      refuses(nested(levels), /expected an object with the array "inputs", got \[|nested more than 1000 deep/);
      refuses(`{"inputs":[],"parameters":${nested(levels)}}`, /expected an object, got \[|nested more than 1000 deep/);
    }
  });

  it('is answered with a short excerpt of its content', () => {
    const long = 'n'.repeat(100_000);
    refuses(body(input({ name: long, datatype: 'x' })), /^input n+…: expected a datatype/);
    refuses(body(input({ datatype: long })), /got "n+…$/);
    refuses(body(input({ name: long, data: [long, 1] })), /^input n+…\[0\]: expected/);
    refuses(body(input({ name: long }), input({ name: long })), /^input n+…: expected each name once/);
    refuses(
      JSON.stringify({ inputs: [], id: Array.from({ length: 10_000 }, () => long.slice(0, 50)) }),
      /^id: expected a string, got \["n+","n+…/,
    );
  });

  it('takes a time that is linear in its size', () => {
    const bodies: [name: string, make: (size: number) => string | Buffer][] = [
      ['inputs', (size) => body(...Array.from({ length: size / 40 }, (_, at) => input({ name: `x${at}` })))],
      ['inputs of one name', (size) => body(...Array.from({ length: size / 40 }, () => input({})))],
      ['outputs', (size) => JSON.stringify({ inputs: [], outputs: Array.from({ length: size / 12 }, (_, at) => ({ name: `y${at}` })) })],
      ['strings', (size) => body(input({ datatype: 'INT64', shape: [size / 4], data: Array.from({ length: size / 4 }, () => '1') }))],
      ['a string of digits', (size) => body(input({ datatype: 'INT64', shape: [1], data: ['9'.repeat(size)] }))],
      ['nested rows', (size) => body(input({ shape: [size / 8, 2], data: Array.from({ length: size / 8 }, () => [1, 'NaN']) }))],
      ['a wrong member', (size) => JSON.stringify({ inputs: Array.from({ length: size / 2 }, () => 1), id: {} })],
      ['not JSON', (size) => Buffer.alloc(size, 0xff)],
    ];
    for (const [name, make] of bodies) assertLinear(name, 128 * 1024, make, (text) => decode(text));
    const part = (size: number): object => ({ name: `x${size}`, shape: [0], datatype: 'BYTES', parameters: { binary_data_size: 0 } });
    assertLinear(
      'empty binary tensors',
      2000,
      (size) => Buffer.from(body(...Array.from({ length: size }, (_, at) => part(at)))),
      (bytes) => decode(bytes, bytes.length),
    );
  });
});

describe('an answer that is too large or has no shape', () => {
  const limited = new OpenInferenceCodec({ modelName: 'm', nonFinite: 'string', inputs: undefined, answerLimitBytes: 10_000 });
  const shared = (levels: number): unknown => Array.from({ length: levels }).reduce<unknown>((value) => [value, value], 1);

  it('is refused before it is written, in JSON and as bytes', () => {
    const large: unknown[] = [
      new Float32Array(10_001),
      { a: new Uint8Array(6000), b: new Uint8Array(6000) },
      { a: ['x'.repeat(6000), 'x'.repeat(6000)] },
      { type: 'float32', dims: [2 ** 32 - 1], data: Object.assign([], { length: 2 ** 32 - 1 }) },
      shared(40),
    ];
    for (const result of large)
      for (const binary_data_output of [false, true]) {
        const asked = request({});
        limited.decode(asked, Buffer.from(JSON.stringify({ inputs: [], parameters: { binary_data_output } })));
        assert.throws(() => limited.encode(asked, result), { code: 'answer_too_large' });
      }
  });

  it('is the fault of the script', () => {
    const holes: unknown[] = [1];
    holes[2] = 1;
    const wrong: unknown[] = [
      holes,
      Object.assign([], { length: 9000 }),
      { type: 'int8', dims: [2 ** 40, 0], data: [] },
      { type: 'int8', dims: [-1, -1], data: [1] },
      { type: 'int8', dims: [0.5, 2], data: [1] },
      { type: 'int8', dims: [Number.NaN], data: [] },
      { type: 'int8', dims: Array.from({ length: 1_000_000 }, () => 1), data: [1] },
      { type: 'int8', dims: [1], data: new DataView(new ArrayBuffer(1)) },
      Array.from({ length: 5000 }).reduce<unknown>((value) => [value], 1),
    ];
    for (const result of wrong) assert.throws(() => limited.encode(request({}), result), { code: 'result_not_json' });
  });
});
