import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../server/errors.ts';
import { served } from './fake-scorer.ts';
import { start } from './start.ts';

const wine = { modelName: 'wine' };
const MODEL = '/v2/models/wine';

const model = {
  name: 'wine-file',
  inputs: [
    { name: 'x', type: 'float16', dims: ['N', 3] },
    { name: 'any', type: 'string', dims: [] },
  ],
  outputs: [{ name: 'y', type: 'bool', dims: ['', 2] }],
  provider: 'cpu',
  intraOpThreads: 1,
  ortVersion: '1',
  loadSeconds: 1,
  batching: { merges: false, reason: 'a secret of the model' },
} as const;

describe('the Open Inference routes', () => {
  it('describe the server', async (t) => {
    const { http } = await start(t, wine);
    for (const path of ['/v2', '/v2/']) {
      const { body } = await http.get(path).expect(200);
      const { name, version, extensions } = body as Record<string, unknown>;
      assert.deepEqual([name, typeof version, extensions], ['scoring-server', 'string', ['binary_tensor_data']]);
    }
    await http.get('/v2/models').expect(200, { models: ['wine'] });
  });

  it('answer health like the other probes, without a log line', async (t) => {
    const { http, scorer, lifecycle, lines } = await start(t, wine);
    await http.get('/v2/health/live').expect(200, { live: true });
    await http.get('/v2/health/ready').expect(200, { ready: true });
    await http.get(`${MODEL}/ready`).expect(200, { name: 'wine', ready: true });
    scorer.ready = false;
    const { body } = await http.get(`${MODEL}/versions/1/ready`).expect(503);
    assert.deepEqual([(body as { name: string }).name, (body as { ready: boolean }).ready], ['wine', false]);
    lifecycle.to('draining');
    await http.get('/v2/health/ready').expect(503);
    await http.get('/v2/health/live').expect(200);
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'request'),
      [],
    );
  });

  it('describe the inputs and outputs of a model, but not those of models behind a script', async (t) => {
    const { http, scorer } = await start(t, wine);
    scorer.served = { ...served, models: [model] };
    await http.get(MODEL).expect(200, { name: 'wine', versions: ['1'], platform: 'scoring-server_script', inputs: [], outputs: [] });
    scorer.served = { ...served, noCode: true, models: [model] };
    for (const path of [MODEL, `${MODEL}/versions/1`])
      await http.get(path).expect(200, {
        name: 'wine',
        versions: ['1'],
        platform: 'onnx_onnxv1',
        inputs: [
          { name: 'x', datatype: 'FP16', shape: [-1, 3] },
          { name: 'any', datatype: 'BYTES', shape: [] },
        ],
        outputs: [{ name: 'y', datatype: 'BOOL', shape: [-1, 2] }],
        properties: { execution_provider: 'cpu', batching: 'not merged: a secret of the model' },
      });
    scorer.served = undefined;
    await http.get(MODEL).expect(503, { error: 'The server is not ready: its workers have not finished their start yet.' });
  });

  it('pass a body on as it is', async (t) => {
    const { http, scorer, line, metrics } = await start(t, wine);
    const headers: [string, string][] = [
      ['content-type', 'application/octet-stream'],
      ['inference-header-content-length', '8'],
    ];
    scorer.outcome = () => ({ headers, body: Buffer.from('{}      \0\xff', 'latin1') });
    const { body, headers: answered } = await http
      .post(`${MODEL}/versions/1/infer`)
      .set('Inference-Header-Content-Length', '2')
      .set('Content-Type', 'application/octet-stream')
      .send(Buffer.from('{}\0\xfe', 'latin1'))
      .expect(200);
    assert.deepEqual(body, Buffer.from('{}      \0\xff', 'latin1'));
    assert.equal(answered['inference-header-content-length'], '8');
    const [request] = scorer.requests;
    assert.deepEqual([request?.protocol, request?.url], ['open-inference', `${MODEL}/versions/1/infer`]);
    assert.equal(request?.rawHeaders[request.rawHeaders.indexOf('Inference-Header-Content-Length') + 1], '2');
    assert.deepEqual(Buffer.concat([...request.body]), Buffer.from('{}\0\xfe', 'latin1'));
    const route = '/v2/models/:model/versions/:version/infer';
    assert.equal((await line(({ msg }) => msg === 'request'))['route'], route);
    const text = await metrics.registry.metrics();
    assert.ok(text.includes(`scoring_requests_total{route="${route}",code="200"} 1`));
    assert.match(text, /scoring_request_duration_seconds_count 1/);
  });

  it('find a model whose name needs escapes', async (t) => {
    const { http } = await start(t, { modelName: 'Würze 100%' });
    await http.get(`/v2/models/${encodeURIComponent('Würze 100%')}/ready`).expect(200);
    const long = 'x'.repeat(255);
    const other = await start(t, { modelName: long });
    await other.http.get(`/v2/models/${long}/ready`).expect(200);
  });
});

describe('errors of the Open Inference routes', () => {
  it('have the member `error`', async (t) => {
    const { http, scorer } = await start(t, wine);
    const error = 'model "beer": there is no such model; this server serves wine.';
    for (const path of ['/v2/models/beer', '/v2/models/beer/ready', '/v2/models/beer/versions/1'])
      await http.get(path).expect(404, { error });
    await http.post('/v2/models/beer/infer').send({}).expect(404, { error });
    await http.get(`${MODEL}/versions/2`).expect(404, { error: 'model wine: there is no version "2"; the only version is 1.' });
    for (const path of ['/v2/none', '/v2/models/wine/none', '/v2/health']) {
      const { body } = await http.get(path).expect(404);
      assert.deepEqual(Object.keys(body as object), ['error']);
    }
    await http.get(`${MODEL}/infer`).expect(405).expect('Allow', 'POST, OPTIONS');
    await http.options(`${MODEL}/infer`).expect(200).expect('Allow', 'POST, OPTIONS');
    await http.post('/v2/models').expect(405);
    for (const code of ['invalid_input', 'bad_json', 'deadline_exceeded'] as const) {
      scorer.outcome = () => new ServerError(code, 'why');
      await http
        .post(`${MODEL}/infer`)
        .send({})
        .expect(code === 'deadline_exceeded' ? 504 : 400, { error: 'why' });
    }
  });

  it('refuse before a body is read', async (t) => {
    const { http, scorer } = await start(t, { ...wine, bodyLimitBytes: 4 });
    const { body } = await http.post(`${MODEL}/infer`).send({ inputs: [] }).expect(413);
    assert.deepEqual(Object.keys(body as object), ['error']);
    scorer.refuseAdmit = new ServerError('queue_full', 'full');
    await http.post(`${MODEL}/infer`).send({}).expect(429, { error: 'full' }).expect('Retry-After', '1');
    assert.equal(scorer.reserved, 0);
  });
});
