import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventsOf } from '../../collection/azurite.ts';
import { files, serve } from '../../collection/start-collecting.ts';
import type { ServerProcess } from '../../e2e/start-server.ts';
import { folder } from '../../set-up/folder.ts';
import { python, whyNoPython } from '../../set-up/python.ts';
import { until } from '../../set-up/until.ts';
import { pythonServer, servePython } from './serve-python.ts';

/** Environments of test/python: packages of scripts alone, and those of Azure. */
const PLAIN = fileURLToPath(new URL('../plain/', import.meta.url));
const PEER = fileURLToPath(new URL('../peer/', import.meta.url));
const skip = whyNoPython() ?? false;

const rowsOf = (dir: string, collection: string): Record<string, unknown> =>
  Object.fromEntries(eventsOf(files(dir), collection).map(({ correlationid, data }) => [correlationid, data]));

/** Contents of the files by name, without ids and times, which differ between two servers. */
function comparable(dir: string): Record<string, string> {
  const texts = Array.from(files(dir), ([name, data]): [string, string] => [
    name.replace(/[^/]+(?=\.jsonl$)/, 'instance'),
    data
      .toString()
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'uuid')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z?/g, 'time'),
  ]);
  return Object.fromEntries(texts);
}

test('files are as those of a TypeScript script of the same content: lines, names, numbers, CSV', { skip }, async (t) => {
  const [one, other] = [folder(), folder()];
  const body = { at: 1_700_000_000, weight: 70, height: 180.5 };
  const servers: readonly (readonly [ServerProcess, unknown])[] = [
    [await serve(t, 'collects-features.ts', { MDC_DIR: one }), body],
    [await servePython(t, 'collects_features.py', { MDC_DIR: other }), body],
    [await serve(t, 'collects.ts', { MDC_DIR: one }), { legacy: [41, 22.5] }],
    [
      await servePython(t, 'collects.py', { MDC_DIR: other, MDC_COLLECTIONS: 'request,response,inputs,predictions' }),
      { legacy: [41, 22.5] },
    ],
  ];
  for (const [server, data] of servers) {
    assert.equal((await server.score(data, { 'x-request-id': 'request-1' })).status, 200);
    await server.drain();
  }
  const [expected, got] = [comparable(one), comparable(other)];
  assert.ok(Object.keys(expected).some((name) => name.endsWith('inputs.csv')));
  for (const name of Object.keys(expected).filter((each) => !/\/(?:request|response)\//.test(each)))
    assert.equal(got[name], expected[name]);
});

test('rows carry the id of their request, those of init() are not kept, those of close() are', { skip }, async (t) => {
  const dir = folder();
  const server = await servePython(t, 'collects.py', { MDC_DIR: dir, MDC_COLLECTIONS: 'model_inputs,model_outputs,totals' });
  for (const id of ['a', 'b']) assert.deepEqual(await (await server.score({}, { 'x-request-id': id })).json(), { id });
  await server.drain();
  const inputs = [
    { y: 1, w: 3 },
    { y: 2, w: 4 },
  ];
  assert.deepEqual(rowsOf(dir, 'model_inputs'), { a: inputs, b: inputs });
  const outputs = [
    { score_0: 0.5, score_1: 1 },
    { score_0: null, score_1: 2 },
  ];
  assert.deepEqual(rowsOf(dir, 'model_outputs'), { a: outputs, b: outputs });
  assert.deepEqual(Object.values(rowsOf(dir, 'totals')), [[{ closed: true }]]);
  assert.deepEqual(readdirSync(join(dir, 'ep', 'blue')).toSorted(), ['model_inputs', 'model_outputs', 'totals']);
});

test('both halves of a request are sampled, and the rows of its script, or none of them', { skip }, async (t) => {
  const dir = folder();
  const server = await servePython(t, 'collects.py', { MDC_DIR: dir, MDC_SAMPLING_RATE: '0.5' });
  const ids = Array.from({ length: 40 }, (_, n) => `request ${n}`);
  await Promise.all(ids.map(async (id) => (await server.score({}, { 'x-request-id': id })).text()));
  await server.drain();
  const [request = [], ...others] = ['request', 'response', 'model_inputs', 'model_outputs'].map((name) =>
    eventsOf(files(dir), name)
      .map(({ correlationid }) => correlationid)
      .toSorted(),
  );
  assert.ok(request.length > 5 && request.length < 35, `${request.length} of 40`);
  for (const other of others) assert.deepEqual(other, request);
});

test('data that does not fit is counted, logged once and told to on_error; the answer is the same', { skip }, async (t) => {
  const server = await servePython(t, 'collects.py', { MDC_DIR: folder(), MDC_COLLECTIONS: 'model_inputs' });
  for (let n = 0; n < 3; n++) assert.equal((await server.score({ wrong: true, many: 2 })).status, 200);
  await until(async () => (await server.metric('mdc_dropped_total{reason="invalid_data"}')) === 3);
  await until(async () => (await server.metric('mdc_records_total{collection="model_outputs",result="not_selected"}')) === 6);
  assert.equal(server.linesWith('model_inputs: data is not collected: collect: expected columns of the same length').length, 1);
  assert.equal(server.linesWith('model_outputs: its rows are not collected: MDC_COLLECTIONS').length, 1);
  assert.equal(server.linesWith('on_error: collect: expected columns of the same length, got a: 2, b: 1').length, 3);
});

test('where nothing is collected, the script serves, and one line says so', { skip }, async (t) => {
  const server = await servePython(t, 'collects.py', { MDC_SINK: 'off' });
  assert.deepEqual(await (await server.score({}, { 'x-request-id': 'mine' })).json(), { id: 'mine' });
  assert.equal(server.linesWith('collection is off: MDC_DIR=<folder> switches it on').length, 1);
});

test("the documents' script collects DataFrames", { skip }, async (t) => {
  const dir = folder();
  const server = await servePython(t, 'collects_frames.py', { MDC_DIR: dir }, await python(PLAIN));
  const answer = await server.score({ data: { age: [41, 42], bmi: [22.5, 23] } }, { 'x-request-id': 'mine' });
  assert.deepEqual(await answer.json(), { sum: { 0: 63.5, 1: 65 } });
  await server.drain();
  assert.deepEqual(rowsOf(dir, 'model_inputs'), {
    mine: [
      { age: 41, bmi: 22.5 },
      { age: 42, bmi: 23 },
    ],
  });
  assert.ok([...files(dir).values()].some((text) => text.includes('"data":[{"age":41,"bmi":22.5},{"age":42,"bmi":23.0}]')));
  assert.deepEqual(rowsOf(dir, 'model_outputs'), { mine: [{ sum: 63.5 }, { sum: 65 }] });
});

test("a Collector of the environment's own wins, and the log says why it fails and what helps", { skip }, async (t) => {
  const server = pythonServer(t, 'collects.py', { MDC_DIR: folder() }, await python(PEER));
  const line = await server.said("the script's Collector is that of the package azureml-ai-monitoring");
  assert.match(line.msg, /raises an error unless it has on_error; it ignores MDC_DIR\. .* pip uninstall azureml-ai-monitoring$/);
  assert.deepEqual(await server.exited, { code: 3, signal: null });
});
