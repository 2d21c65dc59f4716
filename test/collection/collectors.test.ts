import assert from 'node:assert/strict';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { files, serve } from './start-collecting.ts';

test('where nothing is collected, the context of a collector has the id of the request', async (t) => {
  const server = await serve(t, 'collects.ts', { MDC_SINK: 'off' });
  assert.deepEqual(await (await server.score({}, { 'x-request-id': 'mine' })).json(), { id: 'mine' });
});

test('the files have floats with their fraction, and v1 as Python writes them', async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir });
  await server.score({});
  await server.score({ legacy: [41, 22.5] });
  await server.score({ legacy: [42, 23] });
  await server.drain();
  const texts = Array.from(files(dir), ([name, data]) => [name, data.toString()] as const);
  const textOf = (part: RegExp): string => texts.find(([name]) => part.test(name))?.[1] ?? '';
  assert.ok(textOf(/model_outputs/).includes('"data":[{"score_0":0.5,"score_1":1.0},{"score_0":null,"score_1":2.0}]'));
  assert.ok(textOf(/model_inputs/).includes('"data":[{"y":1,"w":3},{"y":2,"w":4}]'));
  const [, first = '', second = ''] = textOf(/inputs\.csv$/).split('\r\n');
  assert.deepEqual(
    [first.split(',').slice(0, 2), second.split(',').slice(0, 2)],
    [
      ['41', '22.5'],
      ['42', '23.0'],
    ],
  );
});

test('a collector that MDC_COLLECTIONS does not name is counted, and logged once', async (t) => {
  const server = await serve(t, 'collects.ts', { MDC_DIR: folder(), MDC_COLLECTIONS: 'model_inputs' });
  for (let n = 0; n < 3; n++) await server.score({});
  await until(async () => (await server.metric('mdc_records_total{collection="model_outputs",result="not_selected"}')) === 3);
  assert.equal(await server.metric('mdc_records_total{collection="model_inputs",result="not_selected"}'), 0);
  const lines = server.linesWith('does not select it');
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg.split(':')[0]]),
    [[lines[0]?.['level'], 'model_outputs']],
  );
});
