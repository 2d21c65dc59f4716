import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { freePort } from '../e2e/free-port.ts';
import { GrpcClient, read, write } from '../grpc/client.ts';
import { folder } from '../set-up/folder.ts';
import { eventsOf } from './azurite.ts';
import { files, serve } from './start-collecting.ts';
import { numbers } from './start-writer.ts';

/** A server that collects and speaks gRPC, and a client; both are gone after the test. */
async function start(t: TestContext, script: string, env: Record<string, string>) {
  const port = await freePort();
  const server = await serve(t, script, { GRPC_PORT: String(port), ...env });
  const client = new GrpcClient(port);
  t.after(() => client.close());
  return { server, client };
}

const x = { name: 'x', datatype: 'FP32', shape: ['1', '2'] };
const question = (id: string): object => ({ model_name: 'tensors', id, inputs: [{ ...x, contents: { fp32_contents: [1.5, 2] } }] });

test('requests and answers of gRPC clients are collected, message by message, failed calls too', async (t) => {
  const dir = folder();
  const { server, client } = await start(t, 'tensors.ts', { MDC_DIR: dir, MDC_CAPTURE_HEADERS: 'x-tenant,authorization' });
  const metadata = { 'x-request-id': 'kept', 'x-tenant': 'a', authorization: 'Bearer secret' };
  const answer = await client.call('ModelInfer', question('1'), metadata);
  const refusal = { model_name: 'tensors', inputs: [{ ...x, name: 'refuse', contents: { fp32_contents: [1, 2] } }] };
  assert.equal((await client.error('ModelInfer', refusal, { 'x-request-id': 'refused' })).code, status.INVALID_ARGUMENT);
  const broken = Buffer.of(0xff, 0xff);
  assert.equal((await client.error('ModelInfer', broken, { 'x-request-id': 'broken' })).code, status.INVALID_ARGUMENT);
  await client.call('ServerReady');
  await server.drain();

  const all = files(dir);
  const requests = new Map(eventsOf(all, 'request').map((event) => [event.correlationid, event]));
  const responses = new Map(eventsOf(all, 'response').map((event) => [event.correlationid, event]));
  assert.deepEqual([...requests.keys()].toSorted(), ['broken', 'kept', 'refused'], 'and no probes');
  assert.deepEqual([...responses.keys()].toSorted(), ['broken', 'kept', 'refused']);
  /** Bytes are a file beside the lines. */
  const bytes = (reference: unknown): Buffer | undefined => all.get(String(reference).slice(dir.length + 1));

  const [asked, answered] = [requests.get('kept'), responses.get('kept')];
  const attributes = ['path', 'method', 'datainblob', 'xtenant'].map((name) => asked?.[name]);
  assert.deepEqual(attributes, ['/inference.GRPCInferenceService/ModelInfer', 'POST', 'true', 'a']);
  assert.deepEqual(bytes(asked?.data), write('ModelInferRequest', question('1')));
  assert.equal(answered?.['statuscode'], 200);
  assert.deepEqual(read('ModelInferResponse', bytes(answered?.data) ?? Buffer.alloc(0)), answer.message);

  assert.deepEqual([responses.get('refused')?.['statuscode'], responses.get('broken')?.['statuscode']], [422, 400]);
  assert.match(JSON.stringify(responses.get('refused')?.data), /not today/);
  assert.deepEqual(bytes(requests.get('broken')?.data), broken);
  assert.ok(![...all.values()].some((content) => content.includes('secret')));
});

test("both halves of a gRPC call are sampled, and its script's rows with its id, or none of them", async (t) => {
  const dir = folder();
  const { server, client } = await start(t, 'collects.ts', { MDC_DIR: dir, MDC_SAMPLING_RATE: '0.5' });
  await Promise.all(numbers(40).map((n) => client.call('ModelInfer', { model_name: 'collects' }, { 'x-request-id': `call ${n}` })));
  await server.drain();
  const all = files(dir);
  const [request, ...others] = ['request', 'response', 'model_inputs', 'model_outputs'].map((name) =>
    eventsOf(all, name)
      .map(({ correlationid }) => correlationid)
      .toSorted(),
  );
  assert.ok((request?.length ?? 0) > 5 && (request?.length ?? 0) < 35);
  for (const other of others) assert.deepEqual(other, request);
});
