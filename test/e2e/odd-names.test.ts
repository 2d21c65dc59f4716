import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { GrpcClient } from '../grpc/client.ts';
import { GraphBuilder } from '../models/graph-builder.ts';
import { attribute, mapsValue, value } from '../models/onnx.ts';
import { folder } from '../set-up/folder.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, withServer } from './start-server.ts';

const NAMES = ['constructor', 'toString', '__proto__', 'hasOwnProperty'];

/** float32 [N,1] of one name -> its negative of another name, and itself as `same`. */
function modelOf(input: string, output: string): string {
  const builder = new GraphBuilder('odd');
  builder.node('Neg', [input], { output });
  builder.node('Identity', [input], { output: 'same' });
  const file = path.join(folder(), 'odd.onnx');
  const columns = (name: string): Buffer => value(name, 'float32', ['N', 1]);
  writeFileSync(file, builder.build({ inputs: [columns(input)], outputs: [columns(output), columns('same')] }));
  return file;
}

const post = async (server: ServerProcess, route: string, body: string | Buffer, headers = {}): Promise<string> => {
  const response = await fetch(await server.url(route), { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  assert.equal(response.status, 200, text);
  return text;
};

for (const [index, input] of NAMES.entries()) {
  const output = NAMES[(index + 1) % NAMES.length]!;
  it(`the input ${input} and the output ${output} work at every door`, async () => {
    const port = await freePort();
    await withServer(['--model', modelOf(input, output), '--grpc-port', String(port)], async (server) => {
      await server.ready();
      const both = `{"${output}":[[-2]],"same":[[2]]}`;
      assert.equal(await post(server, '/score', `{"inputs":{"${input}":[[2]]}}`), `{"outputs":${both}}`);
      assert.equal(await post(server, '/score', '{"data":[[2]]}'), both);
      assert.equal(await post(server, '/score', `{"data":[[2]],"outputs":["${output}"]}`), '[-2]');
      assert.equal(await post(server, '/score', `{"data":[[2]],"outputs":["same"]}`), '[2]');
      assert.equal(await post(server, '/score', `{"input_data":{"columns":["${input}"],"index":[0],"data":[[2]]}}`), both);

      const merged = Array.from({ length: 20 }, (_, at) => post(server, '/score', `{"data":[[${at + 1}]]}`));
      assert.deepEqual(
        await Promise.all(merged),
        merged.map((_, at) => `{"${output}":[[${-at - 1}]],"same":[[${at + 1}]]}`),
      );

      const head = `"name":"${input}","shape":[1,1],"datatype":"FP32"`;
      const answer = `{"name":"${output}","datatype":"FP32","shape":[1,1],"data":[-2]}`;
      const wanted = `"outputs":[{"name":"${output}"}]`;
      const infer = '/v2/models/odd/infer';
      assert.equal(await post(server, infer, `{"inputs":[{${head},"data":[2]}],${wanted}}`), `{"model_name":"odd","outputs":[${answer}]}`);
      const json = `{"inputs":[{${head},"parameters":{"binary_data_size":4}}],${wanted}}`;
      const bytes = Buffer.concat([Buffer.from(json), Buffer.from(Float32Array.of(2).buffer)]);
      assert.ok((await post(server, infer, bytes, { 'Inference-Header-Content-Length': String(json.length) })).includes(answer));

      const grpc = new GrpcClient(port);
      try {
        const inputs = [{ name: input, shape: [1, 1], datatype: 'FP32', contents: { fp32_contents: [2] } }];
        const { message } = await grpc.call('ModelInfer', { model_name: 'odd', inputs });
        assert.deepEqual(
          (message['outputs'] as { name: string }[]).map(({ name }) => name),
          [output, 'same'],
        );
      } finally {
        grpc.close();
      }
      const swagger = JSON.stringify(await (await fetch(await server.url('/swagger.json'))).json());
      assert.ok(swagger.includes(`"${input}":{"type":"array"`) && swagger.includes(`"${output}":{"type":"array"`));
    });
  });
}

it('class labels with these names are the members of an answer', async () => {
  const builder = new GraphBuilder('odd');
  const labels = [attribute.strings('classlabels_strings', NAMES)];
  builder.node('ZipMap', ['x'], { attributes: labels, output: 'p', domain: 'ai.onnx.ml' });
  const file = path.join(folder(), 'odd.onnx');
  const ports = { inputs: [value('x', 'float32', ['N', 4])], outputs: [mapsValue('p', 'string')] };
  writeFileSync(file, builder.build(ports, { opsets: { 'ai.onnx.ml': 1 } }));
  await withServer(['--model', file], async (server) => {
    await server.ready();
    const ask = '{"data":[[1,2,3,4]],"parameters":{"class_labels":true}}';
    assert.equal(await post(server, '/score', ask), '[{"constructor":1,"toString":2,"__proto__":3,"hasOwnProperty":4}]');
  });
});
