import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { GrpcClient } from '../grpc/client.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, withServer } from './start-server.ts';

/** Lines of the log that speak of a script. */
const ofScripts = (server: ServerProcess): string[] =>
  server.lines.map(({ msg }) => msg).filter((msg) => /script|run\(\)|init\(\)/.test(msg));

describe('a model without code', () => {
  it('that fails in a run is named as such, to clients and in the log', async () => {
    const port = await freePort();
    await withServer(['--model', writeModel('alloc', folder()), '--grpc-port', String(port)], async (server) => {
      await server.ready();
      const text = 'The model failed on this input. Check the logs for more info.';
      const response = await server.score({ inputs: { shape: [-1] } });
      assert.deepEqual([response.status, await response.json()], [500, { message: text }]);
      assert.equal(response.headers.get('x-ms-run-function-failed'), 'True');
      const grpc = new GrpcClient(port);
      try {
        const inputs = [{ name: 'shape', shape: [1], datatype: 'INT64', contents: { int64_contents: [-1] } }];
        const { code, details } = await grpc.error('ModelInfer', { model_name: 'alloc', inputs });
        assert.deepEqual([code, details], [status.INTERNAL, text]);
      } finally {
        grpc.close();
      }
      const line = await server.line((each) => each['code'] === 'model_failed');
      assert.match(JSON.stringify(line), /model alloc failed: .*ConstantOfShape/);
      assert.deepEqual(ofScripts(server), []);
    });
  });

  it('that does not end after its deadline costs its worker, and no line speaks of a script', async () => {
    const env = { SCORING_TIMEOUT_MS: '2000', CANCEL_GRACE_MS: '2000' };
    await withServer(
      ['--model', writeModel('busy', folder())],
      async (server) => {
        const ready = await server.line(({ msg }) => msg === 'ready');
        assert.deepEqual(
          [ready['kind'], path.basename(String(ready['modelFile'])), 'entryScript' in ready],
          ['model without code', 'busy.onnx', false],
        );
        assert.equal((await server.score({ inputs: { iterations: 2_000_000_000 } })).status, 504);
        await server.said('it is killed and replaced');
        assert.deepEqual(ofScripts(server), []);
      },
      { env },
    );
  });

  it('names outputs that it cannot carry once, in the log, the metadata and swagger', async () => {
    await withServer(['--model', writeModel('split_sequence', folder()), '--worker-count', '2'], async (server) => {
      await server.ready();
      const line = await server.said('cannot be carried');
      assert.deepEqual([line['level'], line['model'], line['omittedOutputs']], ['warn', 'split_sequence', ['parts']]);
      assert.match(line.msg, /parts is a sequence whose number of tensors the graph does not fix$/);
      const get = async (route: string): Promise<string> => (await fetch(await server.url(route))).text();
      const metadata = JSON.parse(await get('/v2/models/split_sequence')) as { properties: Record<string, string> };
      assert.equal(metadata.properties['omitted_outputs'], '["parts"]');
      assert.match(await get('/swagger.json'), /"x-omitted-outputs":\["parts"\]/);
      const asked = await server.score({ data: [[1, 2, 3]], outputs: ['parts'] });
      assert.deepEqual(
        [asked.status, await asked.json()],
        [
          400,
          {
            message:
              'model split_sequence has no output parts (it is a sequence whose number of tensors the graph does not fix); the outputs are y.',
          },
        ],
      );
      await server.drain();
      assert.equal(server.linesWith('cannot be carried').length, 1);
      assert.deepEqual(ofScripts(server), []);
    });
  });
});

it('a script whose model refuses its input has failed itself', async () => {
  const app = folder();
  writeModel('alloc', app);
  const script = path.join(app, 'score.mjs');
  writeFileSync(
    script,
    `let model;
    export const init = async ({ openModel }) => (model = await openModel('alloc.onnx'));
    export const run = ({ shape }) => model.run({ shape });`,
  );
  await withServer(['--entry-script', script], async (server) => {
    await server.ready();
    const response = await server.score({ shape: [-1] });
    assert.deepEqual(
      [response.status, await response.json()],
      [500, { message: 'An unexpected error occurred in scoring script. Check the logs for more info.' }],
    );
    const line = await server.line((each) => each['code'] === 'run_failed');
    assert.match(JSON.stringify(line), /ConstantOfShape/);
  });
});
