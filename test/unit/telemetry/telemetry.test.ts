import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { readConfig } from '../../../server/config/read-config.ts';
import { bodyText } from '../../../server/telemetry/request-exports.ts';
import { insightsConnection, modelIds } from '../../../server/telemetry/telemetry.ts';

const KEY = '11111111-2222-3333-4444-555555555555';
const STRING = `InstrumentationKey=${KEY};IngestionEndpoint=https://westeurope.example/`;

function connection(env: Record<string, string>, argv: string[] = []): string | undefined {
  const command = readConfig({ argv, env, cwd: '/' });
  assert.ok(command.kind === 'serve');
  return insightsConnection(command.config);
}

test('Application Insights is on with a connection string, or with the pair of the Python server, or its flag', () => {
  const pair = { AML_APP_INSIGHTS_ENABLED: 'true', AML_APP_INSIGHTS_KEY: KEY };
  assert.equal(connection({}), undefined);
  assert.equal(connection({ AML_APP_INSIGHTS_KEY: KEY }), undefined);
  assert.equal(connection({ AML_APP_INSIGHTS_ENABLED: 'true' }), undefined);
  assert.equal(connection({ ...pair, AML_APP_INSIGHTS_ENABLED: 'false' }), undefined);
  assert.equal(connection({ ...pair, AML_APP_INSIGHTS_KEY: 'no guid' }), undefined);
  assert.equal(connection(pair), `InstrumentationKey=${KEY}`);
  assert.equal(connection({}, ['--appinsights_instrumentation_key', KEY]), `InstrumentationKey=${KEY}`);
  assert.equal(connection({ AML_APP_INSIGHTS_ENABLED: 'false' }, ['--appinsights-instrumentation-key', KEY]), `InstrumentationKey=${KEY}`);
  assert.equal(connection({ ...pair, APPLICATIONINSIGHTS_CONNECTION_STRING: STRING }), STRING);
});

test('where the connection string is wrong, the pair of the Python server counts', () => {
  const pair = { AML_APP_INSIGHTS_ENABLED: 'true', AML_APP_INSIGHTS_KEY: KEY };
  for (const wrong of ['nonsense', 'InstrumentationKey=1', `InstrumentationKey=${KEY};IngestionEndpoint=ftp://x`]) {
    assert.equal(connection({ APPLICATIONINSIGHTS_CONNECTION_STRING: wrong }), undefined);
    assert.equal(connection({ ...pair, APPLICATIONINSIGHTS_CONNECTION_STRING: wrong }), `InstrumentationKey=${KEY}`);
  }
});

test('models are named by the layout of the registry', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'models-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ['price/3', 'price/12', 'churn/1', 'churn/draft']) mkdirSync(join(root, folder), { recursive: true });
  assert.deepEqual(modelIds(undefined), []);
  assert.deepEqual(modelIds(join(root, 'price', '12')), ['price:12']);
  assert.deepEqual(modelIds(root).toSorted(), ['churn:1', 'price:12', 'price:3']);
  assert.deepEqual(modelIds(join(root, 'none')), []);
});

test('text of a body is cut, whatever its pieces, and what is no text is named so', () => {
  assert.equal(bodyText([Buffer.from('{"a"'), Buffer.from(':1}')], 'application/json'), '{"a":1}');
  assert.equal(
    bodyText(
      Array.from({ length: 10 }, () => Buffer.alloc(1000, 'x')),
      'text/plain',
    ).length,
    8193,
  );
  assert.match(bodyText([Buffer.from([1, 2])], 'application/octet-stream'), /non serializable object or raw binary/);
  assert.equal(bodyText([], 'application/json'), '');
});

test('bytes that no type names, or a wrong one, are no text where they are no UTF-8; a cut character stays a part of a text', () => {
  const noText = '"Scoring request response payload is a non serializable object or raw binary"';
  const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]);
  // A Response without a type gets text/html.
  for (const type of ['', 'text/html; charset=utf-8', 'application/json', 'image/png']) assert.equal(bodyText([bytes], type), noText, type);
  assert.equal(bodyText([Buffer.from('Größe 😀')], 'text/plain'), 'Größe 😀');
  for (const character of ['é', '€', '😀', 'x'])
    for (const size of [1000, 8193, 24_579]) {
      const whole = Buffer.from(character.repeat(20_000));
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size));
      const text = bodyText(pieces, 'text/plain');
      assert.equal(text, character.repeat(8193).slice(0, 8193), `${character} in pieces of ${size}`);
    }
});
