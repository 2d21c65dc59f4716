import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, GrpcClient } from '../grpc/client.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { freePort } from './free-port.ts';
import { withServer, type ServerProcess } from './start-server.ts';

const models = folder();
const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

/** A server with both front doors, and a client for gRPC. */
async function withBoth(
  args: readonly string[],
  test: (server: ServerProcess, grpc: GrpcClient) => Promise<void>,
  env = {},
): Promise<void> {
  const port = await freePort();
  await withServer(
    [...args, '--grpc-port', String(port)],
    async (server) => {
      await server.ready();
      const grpc = new GrpcClient(port);
      try {
        await test(server, grpc);
      } finally {
        grpc.close();
      }
    },
    { env },
  );
}

const infer = async (server: ServerProcess, model: string, body: object | Buffer, jsonLength?: number): Promise<Response> =>
  fetch(await server.url(`/v2/models/${model}/infer`), {
    method: 'POST',
    body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
    headers: jsonLength === undefined ? {} : { 'Inference-Header-Content-Length': String(jsonLength) },
  });

describe('a model without code', () => {
  it('answers JSON, binary, raw requests and gRPC', () =>
    withBoth(['--model', writeModel('echo_float32', models), '--model-name', 'parrot'], async (server, grpc) => {
      const x = { name: 'x', shape: [1, 2], datatype: 'FP32' };
      const y = { name: 'y', shape: [1, 2], datatype: 'FP32' };

      const plain = await infer(server, 'parrot', { id: '1', inputs: [{ ...x, data: [1.5, 'NaN'] }] });
      assert.equal(plain.headers.get('content-type'), 'application/json');
      assert.deepEqual(await plain.json(), { model_name: 'parrot', id: '1', outputs: [{ ...y, data: [1.5, 'NaN'] }] });

      const json = JSON.stringify({ inputs: [{ ...x, parameters: { binary_data_size: 8 } }], parameters: { binary_data_output: true } });
      const binary = await infer(server, 'parrot', Buffer.concat([Buffer.from(json), floats(3, 4)]), json.length);
      const at = Number(binary.headers.get('inference-header-content-length'));
      const bytes = Buffer.from(await binary.arrayBuffer());
      assert.equal(binary.headers.get('content-type'), 'application/octet-stream');
      assert.deepEqual(JSON.parse(bytes.subarray(0, at).toString()), {
        model_name: 'parrot',
        outputs: [{ ...y, parameters: { binary_data_size: 8 } }],
      });
      assert.deepEqual(bytes.subarray(at), floats(3, 4));

      // Of two open sizes the batch is one.
      const raw = Buffer.from(await (await infer(server, 'parrot', floats(5, 6), 0)).arrayBuffer());
      assert.deepEqual(raw.subarray(-8), floats(5, 6));

      const inputs = [{ ...x }];
      const { message } = await grpc.call('ModelInfer', { model_name: 'parrot', inputs, raw_input_contents: [floats(7, 8)] });
      assert.deepEqual(message['raw_output_contents'], [floats(7, 8)]);
      const typed = await grpc.call('ModelInfer', { model_name: 'parrot', inputs: [{ ...x, contents: { fp32_contents: [7, 8] } }] });
      assert.deepEqual(typed.message, {
        model_name: 'parrot',
        outputs: [{ name: 'y', datatype: 'FP32', shape: ['1', '2'], contents: { fp32_contents: [7, 8] } }],
      });
    }));

  it('names the input that does not fit, with the status and the code of the protocol', () =>
    withBoth(['--model', writeModel('multi', models)], async (server, grpc) => {
      const x = { name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] };
      const ids = { name: 'ids', shape: [1, 3], datatype: 'INT64', data: [1, 2, 3] };
      const cases: [object | Buffer, RegExp, number?][] = [
        [{ inputs: [x] }, /model multi: input ids is missing/],
        [{ inputs: [x, { ...ids, name: 'none' }] }, /model multi has no input none/],
        [{ inputs: [{ ...x, datatype: 'FP64' }, ids] }, /input x: expected float32 \[N,3\], got dtype "float64"/],
        [{ inputs: [{ ...x, shape: [3] }, ids] }, /input x: expected float32 \[N,3\]/],
        [{ inputs: [x, ids], outputs: [{ name: 'none' }] }, /model multi has no output none/],
        [Buffer.from('{"inputs":[}'), /could not be decoded as JSON: .*char 11/],
        [floats(1, 2, 3), /a raw request .* has the inputs x, ids/, 0],
      ];
      for (const [body, message, jsonLength] of cases) {
        const response = await infer(server, 'multi', body, jsonLength);
        assert.equal(response.status, 400);
        const { error, ...others } = (await response.json()) as { error: string };
        assert.match(error, message);
        assert.deepEqual(others, {});
      }
      const { data: _, ...bare } = x;
      const failed = await grpc.error('ModelInfer', { model_name: 'multi', inputs: [{ ...bare, contents: { fp32_contents: [1, 2, 3] } }] });
      assert.deepEqual(
        [failed.code, failed.details],
        [status.INVALID_ARGUMENT, 'model multi: input ids is missing; the inputs are x, ids.'],
      );
    }));
});

describe('an entry script', () => {
  it('gets BYTES that are no UTF-8 as bytes, if it exports bytesInputs', () =>
    withBoth(['--entry-script', 'image-bytes.ts'], async (server, grpc) => {
      const image = { name: 'image', shape: [1], datatype: 'BYTES' };
      const [jpeg, hex] = [Buffer.from([0xff, 0xd8, 0xff, 0, 0xe0]), 'ffd8ff00e0'];
      const outputs = [
        { name: 'about', shape: [1], datatype: 'BYTES', data: ['bytes [1]'] },
        { name: 'hex', shape: [1], datatype: 'BYTES', data: [hex] },
      ];
      const packed = Buffer.concat([Buffer.from([jpeg.length, 0, 0, 0]), jpeg]);
      const head = JSON.stringify({ inputs: [{ ...image, parameters: { binary_data_size: packed.length } }] });
      const rest = await infer(server, 'image-bytes', Buffer.concat([Buffer.from(head), packed]), head.length);
      assert.deepEqual(await rest.json(), { model_name: 'image-bytes', outputs });
      const json = await infer(server, 'image-bytes', { inputs: [{ ...image, data: ['é'] }] });
      assert.match(await json.text(), /"c3a9"/);
      const ask = (more: object): Promise<Answer> => grpc.call('ModelInfer', { model_name: 'image-bytes', ...more });
      const typed = await ask({ inputs: [{ ...image, contents: { bytes_contents: [jpeg] } }] });
      const raw = await ask({ inputs: [image], raw_input_contents: [packed] });
      assert.ok(JSON.stringify(typed.message).includes(Buffer.from(hex).toJSON().data.join()));
      assert.ok((raw.message['raw_output_contents'] as Buffer[])[1]?.includes(hex));
    }));

  it('answers the object of a ScoringError as a text', () =>
    withBoth(['--entry-script', 'scoring-error-object.ts'], async (server, grpc) => {
      const input = { name: 'way', shape: [1], datatype: 'BYTES' };
      const text = '{"field":"age","ids":[9007199254740993],"scores":[1.5,"NaN"]}';
      const rest = await infer(server, 'scoring-error-object', { inputs: [{ ...input, data: ['object'] }] });
      assert.deepEqual([rest.status, await rest.json()], [422, { error: text }]);
      const inputs = [{ ...input, contents: { bytes_contents: [Buffer.from('object')] } }];
      const error = await grpc.error('ModelInfer', { model_name: 'scoring-error-object', inputs });
      assert.deepEqual([error.code, error.details], [status.INVALID_ARGUMENT, text]);
    }));

  it('gets tensors and the wanted outputs, and answers tensors or an error of its own', () =>
    withBoth(['--entry-script', 'tensors.ts'], async (server, grpc) => {
      const x = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] };
      const outputs = [
        { name: 'doubled', shape: [1, 2], datatype: 'FP32', data: [2, 4] },
        { name: 'wanted', shape: [1], datatype: 'BYTES', data: ['doubled wanted'] },
      ];
      const wanted = [{ name: 'doubled' }, { name: 'wanted' }];
      const answer = await infer(server, 'tensors', { inputs: [x], outputs: wanted });
      assert.deepEqual(await answer.json(), { model_name: 'tensors', outputs });
      const refused = await infer(server, 'tensors', { inputs: [x, { ...x, name: 'refuse' }] });
      assert.deepEqual([refused.status, await refused.json()], [422, { error: 'not today' }]);
      const message = { model_name: 'tensors', inputs: [{ ...x, data: undefined, name: 'refuse', contents: { fp32_contents: [1, 2] } }] };
      const error = await grpc.error('ModelInfer', message);
      assert.deepEqual([error.code, error.details], [status.INVALID_ARGUMENT, 'not today']);
      // No x: the script throws, and the client does not read why.
      const failed = await infer(server, 'tensors', { inputs: [] });
      assert.deepEqual([failed.status, Object.keys((await failed.json()) as object)], [500, ['error']]);
    }));

  it('is called in place of the model behind it, and may stream', () =>
    withBoth(['--entry-script', 'tensors.ts', '--model', writeModel('fixed1', models)], async (server, grpc) => {
      const metadata = (await (await fetch(await server.url('/v2/models/tensors'))).json()) as { inputs: unknown[] };
      assert.deepEqual(metadata.inputs, []);
      const stream = { name: 'stream', shape: [1], datatype: 'BOOL' };
      const answer = await infer(server, 'tensors', { inputs: [{ ...stream, data: [true] }] });
      assert.deepEqual([answer.status, await answer.text()], [200, 'ab']);
      const error = await grpc.error('ModelInfer', { model_name: 'tensors', inputs: [stream], raw_input_contents: [Buffer.of(1)] });
      assert.equal(error.code, status.INTERNAL);
      await server.said('over gRPC return tensors by name');
    }));
});

describe('parameters, ids and headers', () => {
  const x = { name: 'x', shape: [1], datatype: 'FP32' };
  const beside = { cached: true, took: 1.5, rows: 9223372036854775808n, note: 'done' };

  it('of a request reach the script, and those of its answer the client, as JSON and as binary tensors', () =>
    withBoth(['--entry-script', 'parameters.ts'], async (server) => {
      const message = {
        id: 'my id',
        parameters: { temperature: 0.5, greedy: true, lang: 'de' },
        inputs: [
          { ...x, data: [1], parameters: { unit: 'cm' } },
          { ...x, name: 'plain', data: [1] },
        ],
        outputs: [{ name: 'about', parameters: { classes: 3 } }],
      };
      const got = JSON.stringify({ request: message.parameters, inputs: { x: { unit: 'cm' } }, outputs: { about: { classes: 3 } } });
      const json = await infer(server, 'parameters', message);
      assert.deepEqual(
        [json.headers.get('x-model'), json.headers.get('x-request-id') === 'not yours', json.headers.get('content-type')],
        ['v2', false, 'application/json'],
      );
      const text = await json.text();
      assert.match(text, /"parameters":{"cached":true,"took":1.5,"rows":9223372036854775808,"note":"done"}/);
      const [about] = (JSON.parse(text) as { outputs: { parameters: object; data: string[] }[] }).outputs;
      assert.deepEqual([about?.parameters, about?.data], [{ unit: 'words' }, [got, 'my id']]);

      const head = JSON.stringify({
        inputs: [{ ...x, parameters: { binary_data_size: 4, unit: 'cm' } }],
        parameters: { binary_data_output: true },
      });
      const binary = await infer(server, 'parameters', Buffer.concat([Buffer.from(head), floats(1)]), head.length);
      assert.equal(binary.headers.get('x-model'), 'v2');
      const at = Number(binary.headers.get('inference-header-content-length'));
      const bytes = Buffer.from(await binary.arrayBuffer());
      const [output] = (JSON.parse(bytes.subarray(0, at).toString()) as { outputs: { parameters: object }[] }).outputs;
      assert.deepEqual(output?.parameters, { unit: 'words', binary_data_size: bytes.length - at });
      assert.match(bytes.subarray(at).toString(), /"inputs":{"x":{"binary_data_size":4,"unit":"cm"}}.*undefined$/);

      const wrong = await infer(server, 'parameters', { inputs: [{ ...x, name: 'wrong', data: [1] }] });
      assert.equal(wrong.status, 500);
      await server.said('at `parameters.when`: expected a string, a number, a bigint or a boolean');
      const odd = { none: null, list: [1], object: { a: 1 } };
      const others = await infer(server, 'parameters', { inputs: [{ ...x, data: [1], parameters: odd }], parameters: { ...odd, a: 1 } });
      assert.match(await others.text(), /{\\"request\\":{\\"a\\":1},\\"inputs\\":{},\\"outputs\\":{}}/);
    }));

  it('do the same over gRPC', () =>
    withBoth(['--entry-script', 'parameters.ts'], async (_server, grpc) => {
      const { message, metadata } = await grpc.call('ModelInfer', {
        model_name: 'parameters',
        id: 'my id',
        parameters: {
          temperature: { double_param: 0.5 },
          greedy: { bool_param: false },
          lang: { string_param: 'de' },
          tokens: { int64_param: '-3' },
          seed: { uint64_param: '18446744073709551615' },
        },
        inputs: [{ ...x, contents: { fp32_contents: [1] }, parameters: { unit: { string_param: 'cm' } } }],
        outputs: [{ name: 'about', parameters: { classes: { int64_param: '3' } } }],
      });
      const { parameters, outputs } = message as {
        parameters: object;
        outputs: { parameters: object; contents: { bytes_contents: Buffer[] } }[];
      };
      const [about] = outputs;
      assert.deepEqual(parameters, {
        cached: { bool_param: true },
        took: { double_param: 1.5 },
        rows: { uint64_param: String(beside.rows) },
        note: { string_param: 'done' },
      });
      assert.deepEqual(about?.parameters, { unit: { string_param: 'words' } });
      assert.deepEqual(JSON.parse(String(about?.contents.bytes_contents[0])), {
        request: { temperature: 0.5, greedy: false, lang: 'de', tokens: -3, seed: '18446744073709551615n' },
        inputs: { x: { unit: 'cm' } },
        outputs: { about: { classes: 3 } },
      });
      assert.equal(String(about?.contents.bytes_contents[1]), 'my id');
      assert.deepEqual(metadata.get('x-model'), ['v2']);
      assert.notDeepEqual(metadata.get('x-request-id'), ['not yours']);
    }));

  it('are empty on /score, where an answer has headers, and its parameters are a line of the log', () =>
    withServer(['--entry-script', 'parameters.ts'], async (server) => {
      await server.ready();
      for (let request = 0; request < 2; request++) {
        const answer = await server.score({});
        assert.deepEqual([answer.headers.get('x-model'), answer.headers.get('content-type')], ['v2', 'application/json']);
        assert.deepEqual(await answer.json(), { about: ['{"request":{},"inputs":{},"outputs":{}}', 'undefined'] });
      }
      await server.said('whose answers have none: they are left out');
      assert.equal(server.linesWith('whose answers have none').length, 1);
    }));
});

describe('a drain', () => {
  it('reports NOT_SERVING to gRPC clients at once, finishes their calls, and ends watchers', () =>
    withBoth(
      ['--entry-script', 'tensors-slowly.ts'],
      async (server, grpc) => {
        const watched = grpc.watch();
        assert.equal((await watched.next()).value, 'SERVING');
        const slow = grpc.call('ModelInfer', { model_name: 'tensors-slowly' });
        await server.said('the call is under way');
        server.child.kill('SIGTERM');
        assert.equal((await watched.next()).value, 'NOT_SERVING');
        const { outputs } = (await slow).message as { outputs: { name: string }[] };
        assert.equal(outputs[0]?.name, 'done');
        assert.equal((await watched.next()).done, true);
        assert.equal((await server.exited).code, 0);
      },
      { DRAIN_DELAY_MS: '300' },
    ));

  it('a gRPC port that is taken ends the server with 2', async () => {
    await withBoth(['--entry-script', 'tensors.ts'], async (server) => {
      const { port } = await server.said('listening for gRPC');
      await withServer(['--entry-script', 'tensors.ts', '--grpc-port', String(port)], async (second) => {
        assert.equal((await second.exited).code, 2);
        assert.ok(second.lines.some(({ msg }) => /gRPC.*GRPC_PORT/s.test(msg)));
      });
    });
  });
});
