import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { State } from '../../server/lifecycle.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { start } from './start.ts';

const PATHS: Record<State, State[]> = {
  starting: [],
  ready: ['ready'],
  draining: ['ready', 'draining'],
  stopped: ['ready', 'draining', 'stopped'],
  failed: ['failed'],
};

describe('probes', () => {
  for (const [state, path] of Object.entries(PATHS) as [State, State[]][]) {
    it(`tell the state ${state}`, async (t) => {
      const started = await start(t, {}, '/nowhere', new Lifecycle());
      for (const step of path) started.lifecycle.to(step);
      const { http } = started;
      const ready = state === 'ready';
      const live = state !== 'failed' && state !== 'stopped';

      const health = await http.get('/').expect(ready ? 200 : 503);
      if (ready) {
        assert.equal(health.text, 'Healthy');
        assert.equal(health.headers['content-type'], 'text/html; charset=utf-8');
        assert.ok(!('x-ms-run-function-failed' in health.headers));
      } else {
        assert.match((health.body as { message: string }).message, new RegExp(`^${state}`));
        assert.equal(health.headers['x-ms-run-function-failed'], 'False');
        assert.equal(health.headers['retry-after'], '1');
      }
      assert.equal((await http.head('/').expect(ready ? 200 : 503)).text ?? '', '');
      for (const name of ['/health/live', '/livez']) await http.get(name).expect(live ? 200 : 503, { live });
      for (const name of ['/health/ready', '/readyz']) {
        const { body } = await http.get(name).expect(ready ? 200 : 503);
        if (ready) assert.deepEqual(body, { ready: true });
        else assert.match((body as { reason: string }).reason, new RegExp(`^${state}`));
        assert.equal((body as { ready: boolean }).ready, ready);
      }
    });
  }

  it('tell apart a worker that is being replaced', async (t) => {
    const { http, scorer } = await start(t);
    scorer.ready = false;
    const { body } = await http.get('/readyz').expect(503);
    assert.match((body as { reason: string }).reason, /being replaced/);
    await http.get('/').expect(200);
    await http.get('/livez').expect(200);
    scorer.healthy = false;
    await http.get('/').expect(503);
  });

  it('take GET, HEAD and OPTIONS', async (t) => {
    const { http } = await start(t);
    for (const path of ['/', '/livez', '/health/ready', '/metrics', '/swagger.json']) {
      const { text } = await http.options(path).expect(200).expect('Allow', 'GET, HEAD, OPTIONS');
      assert.equal(text, '');
      await http.head(path).expect(200);
      await http.post(path).send({}).expect(405).expect('Allow', 'GET, HEAD, OPTIONS');
    }
  });

  it('are not logged and not counted', async (t) => {
    const { http, lines, line, metrics } = await start(t);
    for (const path of ['/', '/livez', '/readyz', '/health/live', '/health/ready', '/metrics']) await http.get(path).expect(200);
    await http.get('/none').expect(404);
    await line(({ msg }) => msg === 'request');
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'request').map(({ route }) => route),
      ['*'],
    );
    const { values } = await metrics.requests.get();
    assert.deepEqual(
      values.filter(({ value }) => value > 0).map(({ labels }) => labels['route']),
      ['*'],
    );
  });
});
