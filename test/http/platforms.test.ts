import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseKeys } from '../../server/config/access-keys.ts';
import type { ProfileName } from '../../server/config/platforms/names.ts';
import { profileOf } from '../../server/config/platforms/platforms.ts';
import { ServerError } from '../../server/errors.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import type { LogLine } from '../set-up/log-lines.ts';
import { parse, raw } from './raw-client.ts';
import { NOWHERE } from '../set-up/surroundings.ts';
import { start } from './start.ts';

type Started = Awaited<ReturnType<typeof start>>;

/** The app as that platform starts it, with the fake scorer. */
function startOn(t: TestContext, name: ProfileName, env: Record<string, string> = {}, changes = {}, lifecycle = ready()): Promise<Started> {
  const profile = profileOf(name, { ...NOWHERE, env });
  return start(t, { modelName: 'wine', ...changes }, '/nowhere', lifecycle, undefined, profile);
}

function ready(): Lifecycle {
  const lifecycle = new Lifecycle();
  lifecycle.to('ready');
  return lifecycle;
}

const requestLines = (lines: readonly LogLine[]): unknown[] => lines.filter(({ msg }) => msg === 'request').map(({ route }) => route);

const INSTANCES = '{"instances":[[1,2]]}';

describe('the routes of KServe V1', () => {
  it('name the model and its state', async (t) => {
    const { http, scorer, lifecycle } = await startOn(t, 'kserve');
    await http.get('/v1/models').expect(200, { models: ['wine'] });
    await http.get('/v1/models/wine').expect(200, { name: 'wine', ready: true });
    await http.head('/v1/models/wine').expect(200);
    scorer.ready = false;
    const { body } = await http.get('/v1/models/wine').expect(503);
    assert.deepEqual([(body as { name: string }).name, (body as { ready: boolean }).ready], ['wine', false]);
    scorer.ready = true;
    lifecycle.to('draining');
    await http.get('/v1/models/wine').expect(503);
  });

  it('pass a body to predict on as it is, whatever the content type', async (t) => {
    const { http, scorer, lines, metrics } = await startOn(t, 'kserve');
    for (const path of ['/v1/models/wine:predict', '/v1/models/wine:predict?a=1', '//v1/models/wine:predict']) {
      await http.post(path).set('content-type', 'text/plain').send(INSTANCES).expect(200, { ok: true });
      const request = scorer.requests.at(-1);
      assert.deepEqual([request?.protocol, request?.url, scorer.body], ['instances', path, INSTANCES]);
    }
    assert.deepEqual(requestLines(lines), Array<string>(3).fill('/v1/models/:model:predict'));
    assert.match(await metrics.registry.metrics(), /scoring_requests_total\{route="\/v1\/models\/:model:predict",code="200"\} 3/);
  });

  it('take names with characters that are encoded in a path', async (t) => {
    const { http, scorer } = await startOn(t, 'kserve', {}, { modelName: 'Größe 1:2' });
    const name = encodeURIComponent('Größe 1:2');
    await http.get(`/v1/models/${name}`).expect(200);
    await http.post(`/v1/models/${name}:predict`).send(INSTANCES).expect(200);
    await http
      .post(`/v1/models/${name.replace('%3A', ':')}:predict`)
      .send(INSTANCES)
      .expect(200);
    await http.post(`/v1/models/${name}%3Apredict`).send(INSTANCES).expect(200);
    await http.post(`/v1/models/${name}%3apredict`).send(INSTANCES).expect(200);
    assert.equal(scorer.requests.length, 4);
  });

  it('refuse other models, verbs and methods in the form of KServe', async (t) => {
    const { http, scorer } = await startOn(t, 'kserve');
    const unknown = { error: 'model "beer": there is no such model; this server serves wine.' };
    await http.get('/v1/models/beer').expect(404, unknown);
    await http.post('/v1/models/beer:predict').send(INSTANCES).expect(404, unknown);
    const { body } = await http.post('/v1/models/wine:explain').send(INSTANCES).expect(404);
    assert.deepEqual(body, {
      error: 'explain: there is no such method of a model; this server answers POST /v1/models/wine:predict.',
    });
    await http.get('/v1/models/wine:predict').expect(405).expect('allow', 'POST, OPTIONS');
    await http.options('/v1/models/wine:predict').expect(200).expect('allow', 'POST, OPTIONS');
    await http.post('/v1/models/wine').send(INSTANCES).expect(405).expect('allow', 'GET, HEAD, OPTIONS');
    await http.delete('/v1/models').expect(405);
    assert.equal(scorer.requests.length, 0);
  });

  it('have the errors of a request as a text', async (t) => {
    const { http, scorer } = await startOn(t, 'kserve');
    scorer.outcome = () => new ServerError('invalid_input', 'input X: no');
    await http.post('/v1/models/wine:predict').send(INSTANCES).expect(400, { error: 'input X: no' });
    scorer.refuseAdmit = new ServerError('not_ready', 'not yet');
    await http.post('/v1/models/wine:predict').send(INSTANCES).expect(503, { error: 'not yet' });
  });

  it('ask for a key where /score does, and the state of a model for none', async (t) => {
    const { http } = await startOn(t, 'kserve', {}, { scoringKeys: parseKeys('a-key-of-at-least-16-characters') });
    await http.post('/v1/models/wine:predict').send(INSTANCES).expect(401);
    await http.get('/v1/models').expect(401);
    await http.get('/v1/models/wine').expect(200);
    await http.post('/v1/models/wine:predict').set('api-key', 'a-key-of-at-least-16-characters').send(INSTANCES).expect(200);
  });

  it('are not there on other platforms', async (t) => {
    const { http } = await startOn(t, 'plain');
    for (const path of ['/v1/models', '/v1/models/wine']) await http.get(path).expect(404);
    await http.post('/v1/models/wine:predict').send(INSTANCES).expect(404);
  });
});

describe('the warm-up path of App Service', () => {
  it('may be that of /score, which still scores', async (t) => {
    const env = { WEBSITE_WARMUP_PATH: '/score?warm' };
    const { http, scorer } = await startOn(t, 'app-service', env, { scoringKeys: parseKeys('a-key-of-at-least-16-characters') });
    await http.get('/score').expect(200, { ready: true });
    await http.post('/score').send('{}').expect(401);
    await http.post('/score').set('api-key', 'a-key-of-at-least-16-characters').send('{}').expect(200);
    assert.equal(scorer.requests.length, 1);
  });
});

const routes = (health: string, predict: string): Record<string, string> => ({ AIP_HEALTH_ROUTE: health, AIP_PREDICT_ROUTE: predict });

describe('the routes that Vertex AI chooses', () => {
  const odd = [
    '/v1/endpoints/12/deployedModels/34:predict',
    '/v1/models/:model',
    '/a*b',
    '/*',
    '/a::b',
    '/x(.*)',
    '/with%20space',
    '//twice//',
    '/$.json',
    '/',
    '/score',
    '/metrics',
    '/v2/models/wine/infer',
  ];
  for (const path of odd)
    it(`are matched as they are: ${path}`, async (t) => {
      const { port, scorer } = await startOn(t, 'vertex', routes('/health', path));
      const post = (target: string): string =>
        `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${INSTANCES.length}\r\n\r\n${INSTANCES}`;
      assert.equal(parse(await raw(port, post(path))).status, 200);
      assert.equal(parse(await raw(port, post(`${path}?a=1`))).status, 200);
      assert.equal(parse(await raw(port, post(`http://x${path}`))).status, 200);
      assert.deepEqual(
        scorer.requests.map(({ protocol }) => protocol),
        Array<string>(3).fill('instances'),
      );
      assert.equal(parse(await raw(port, post('/other/path'))).status, 404);
    });

  it('may be routes of this server: then they are what Vertex AI says they are', async (t) => {
    const starting = new Lifecycle();
    const { http, scorer } = await startOn(t, 'vertex', routes('/health/live', '/score'), {}, starting);
    await http.get('/health/live').expect(503);
    starting.to('ready');
    await http.get('/health/live').expect(200);
    await http.get('/score?a=1').expect(200);
    await http.post('/score').send(INSTANCES).expect(200);
    assert.deepEqual(
      scorer.requests.map(({ protocol }) => protocol),
      ['score', 'instances'],
    );
  });

  it('leave the methods of a route that they do not take', async (t) => {
    const { http, scorer } = await startOn(t, 'vertex', routes('/score', '/metrics'));
    await http.get('/score').expect(200, { ready: true });
    await http.post('/score').send(INSTANCES).expect(200);
    await http.post('/metrics').send(INSTANCES).expect(200);
    await http
      .get('/metrics')
      .expect(200)
      .expect(/scoring_requests_total/);
    assert.deepEqual(
      scorer.requests.map(({ protocol }) => protocol),
      ['score', 'instances'],
    );
  });

  it('may be one path', async (t) => {
    const { http, scorer } = await startOn(t, 'vertex', routes('/model', '/model'));
    await http.get('/model').expect(200, { ready: true });
    await http.post('/model').send(INSTANCES).expect(200, { ok: true });
    assert.equal(scorer.requests.length, 1);
  });

  it('refuse other methods', async (t) => {
    const { http } = await startOn(t, 'vertex', routes('/h', '/p:predict'));
    await http.get('/p:predict').expect(405).expect('allow', 'POST, OPTIONS');
    await http.post('/h').expect(405).expect('allow', 'GET, HEAD, OPTIONS');
  });
});
