import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ServerError } from '../../server/errors.ts';
import { served } from './fake-scorer.ts';
import { start } from './start.ts';

const PATHS = ['/health/ready', '/readyz', '/v2/health/ready', '/v2/models/wine/ready', '/v2/models/wine/versions/1/ready'] as const;

async function startDeep(t: TestContext) {
  const started = await start(t, { deepCheck: true, modelName: 'wine' });
  started.scorer.served = { ...served, checks: true };
  return started;
}

describe('the deep check', () => {
  for (const path of PATHS)
    it(`of ${path} answers from a scoring of the sample`, async (t) => {
      const { http, scorer } = await startDeep(t);
      const { body } = await http.get(`${path}?deep=true`).expect(200).expect('Content-Type', 'application/json');
      const { deep, ...others } = body as { deep: { ms: number } };
      assert.ok(deep.ms >= 0);
      assert.deepEqual(others, path.includes('wine') ? { name: 'wine', ready: true } : { ready: true });
      assert.deepEqual(
        scorer.requests.map(({ protocol }) => protocol),
        ['sample'],
      );
      await http.head(`${path}?x=1&deep=true`).expect(200);
      await http.options(`${path}?deep=true`).expect(200);
      assert.equal(scorer.requests.length, 1);
    });

  it('answers 503 with the code of a failure, and nothing of its text', async (t) => {
    const { http, scorer } = await startDeep(t);
    scorer.outcome = () => new ServerError('run_failed', 'a secret of the script');
    const { text } = await http.get('/readyz?deep=true').expect(503);
    assert.equal(text, '{"ready":false,"reason":"the deep check failed: run_failed"}');
    await http.get('/readyz').expect(200, { ready: true });
  });

  it('is one run for a thousand that ask at a time, with no line, no count and no telemetry of any', async (t) => {
    const { http, scorer, lines, metrics, line } = await startDeep(t);
    const asked = await Promise.all(Array.from({ length: 1000 }, () => http.get('/readyz?deep=true')));
    assert.ok(asked.every(({ status }) => status === 200));
    assert.ok(scorer.requests.length >= 1 && scorer.requests.length < 10, `${scorer.requests.length} runs`);
    await http.get('/none').expect(404);
    await line(({ msg }) => msg === 'request');
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'debug').map(({ route }) => route),
      ['*'],
    );
    const text = await metrics.registry.metrics();
    assert.match(text, /^scoring_request_duration_seconds_count 0$/m);
    assert.doesNotMatch(text, /^scoring_requests_total\{route="\/readyz"/m);
  });

  it('has the reasons of the plain probe while the server starts, drains, or replaces its worker', async (t) => {
    const { http, scorer, lifecycle } = await startDeep(t);
    scorer.ready = false;
    for (const query of ['', '?deep=true']) assert.match((await http.get(`/readyz${query}`).expect(503)).text, /being replaced/);
    scorer.ready = true;
    scorer.outcome = () => {
      lifecycle.to('draining');
      return {};
    };
    assert.match((await http.get('/readyz?deep=true').expect(503)).text, /draining/);
    assert.match((await http.get('/readyz?deep=true').expect(503)).text, /draining/);
    assert.equal(scorer.requests.length, 1);
  });

  it('is refused without the option, because 200 would be a lie', async (t) => {
    const { http, scorer } = await start(t, { modelName: 'wine' });
    for (const path of PATHS) {
      assert.match((await http.get(`${path}?deep=true`).expect(400)).text, /deep=true: expected a server with DEEP_CHECK=true/);
      for (const query of ['', '?', '?deep=false', '?_=1', '?deeper=true']) await http.get(path + query).expect(200);
    }
    assert.equal(scorer.requests.length, 0);
  });

  it('is asked for by true or false alone, and says so', async (t) => {
    const { http } = await startDeep(t);
    for (const value of ['1', '', 'TRUE', 'yes', 'x'.repeat(300), 'false&deep=true', 'true&deep=true']) {
      const { text } = await http.get(`/readyz?deep=${value}`).expect(400);
      assert.match(text, /deep: expected true or false, once, got/);
      assert.ok(text.length < 300);
    }
  });
});
