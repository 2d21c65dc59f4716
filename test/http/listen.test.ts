import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { listen } from '../../server/http/listen.ts';
import { freePort } from '../e2e/free-port.ts';
import { open, parse, raw, rest, until } from './raw-client.ts';
import { config, start } from './start.ts';

const GET = 'GET /score HTTP/1.1\r\nHost: x\r\n\r\n';

describe('the ports', () => {
  it('answer every route, parser errors and 100-continue alike', async (t) => {
    const { listening, scorer } = await start(t, { separateHealthEndpoint: true, bodyLimitBytes: 10 });
    assert.equal(listening.ports.length, 2);
    for (const port of listening.ports) {
      for (const path of ['/', '/score', '/swagger.json', '/livez', '/metrics']) {
        assert.equal(parse(await raw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).status, 200);
      }
      assert.equal(parse(await raw(port, 'nonsense\r\n\r\n')).status, 400);
      assert.equal(parse(await raw(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')).status, 405);
      const refused = await raw(port, 'POST /score HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n');
      assert.equal(parse(refused).status, 413);
    }
    assert.equal(scorer.requests.length, 2);
  });

  it('are one unless a health port is asked for', async (t) => {
    const { listening } = await start(t);
    assert.equal(listening.ports.length, 1);
  });

  it('show metrics on a port of their own only, where one is asked for', async (t) => {
    const { listening, http } = await start(t, { metricsPort: await freePort() });
    const [, metricsPort = 0] = listening.ports;
    await http.get('/metrics').expect(404);
    const get = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).status;
    assert.equal(await get('/metrics'), 200);
    for (const path of ['/', '/score', '/livez']) assert.equal(await get(path), 404);
  });

  it('that cannot be opened are named, with what to do', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { app } = await start(t);
    const cases = [
      [config({ port }), new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use.*PORT`)],
      [config({ host: '203.0.113.1' }), /203\.0\.113\.1:0: this machine has no such address.*SCORING_HOST/],
      [config({ host: 'no.such.host.invalid' }), /no\.such\.host\.invalid:0: .*SCORING_HOST/],
    ] as const;
    for (const [options, message] of cases) {
      // The server of the first app is open; a fresh one is needed for each try.
      const { app: fresh, listening } = await start(t);
      await listening.close();
      await assert.rejects(listen(fresh, options), { code: 'listen_failed', message });
    }
    await assert.rejects(start(t, { separateHealthEndpoint: true, healthPort: port }), { code: 'listen_failed', message: /HEALTH_PORT/ });
    const [own, two] = [await freePort(), { code: 'listen_failed', message: /another port of this server has this number.* HEALTH_PORT/ }];
    await assert.rejects(start(t, { separateHealthEndpoint: true, port: own, healthPort: own }), two);
    assert.ok(app.server.listening);
  });
});

describe('closing', () => {
  it('closes idle and silent connections, and waits for the busy ones', async (t) => {
    const { port, listening, lifecycle, scorer } = await start(t);
    const outcome = Promise.withResolvers<object>();
    scorer.outcome = () => outcome.promise;
    const idle = await open(port);
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(idle, 'Healthy');
    const silent = await open(port);
    const busy = await open(port);
    const scored = scorer.called('score');
    busy.write(GET);
    await scored;

    lifecycle.to('draining');
    let closed = false;
    const closing = listening.close().then(() => (closed = true));
    await Promise.all([once(idle.resume(), 'close'), once(silent.resume(), 'close')]);
    assert.equal(closed, false);
    await assert.rejects(open(port), { code: 'ECONNREFUSED' });
    const answer = rest(busy);
    outcome.resolve({});
    assert.equal(parse(await answer).headers['connection'], 'close');
    await closing;
  });

  it('of all ends the busy ones too', async (t) => {
    const { port, listening, scorer } = await start(t, { separateHealthEndpoint: true });
    scorer.outcome = () => new Promise(() => undefined);
    const busy = await open(port);
    busy.on('error', () => undefined);
    const scored = scorer.called('score');
    busy.write(GET);
    await scored;
    const closing = listening.close();
    const cancelled = scorer.called('cancel');
    listening.closeAll();
    await Promise.all([closing, cancelled]);
  });
});

describe('while draining', () => {
  it('every answer says Connection: close', async (t) => {
    const { port, lifecycle } = await start(t);
    const closes = async (path: string): Promise<void> => {
      const { headers } = parse(await raw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
      assert.equal(headers['connection'], 'close', path);
    };
    lifecycle.to('draining');
    for (const path of ['/', '/score', '/swagger.json', '/livez', '/readyz', '/metrics', '/none', '/%zz']) await closes(path);
  });
});

describe('/status', () => {
  it('is there only where it is asked for, beside /metrics, and may load nothing from elsewhere', async (t) => {
    const without = await start(t);
    await without.http.get('/status').expect(404);
    const { http } = await start(t, { statusPage: true });
    const { text, headers } = await http.get('/status').expect(200);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(headers['content-security-policy'] ?? '', /^default-src 'none';/);
    assert.doesNotMatch(text, /https?:\/\/|<style|style=|<script>/);
    const files = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path = '']) => path);
    assert.deepEqual(files, ['status/status.css', 'status/page.js']);
    await http
      .get('/status/status.css')
      .expect(200)
      .expect('content-type', /^text\/css;/)
      .expect('x-content-type-options', 'nosniff');
    await http
      .get('/status/page.js')
      .expect(200)
      .expect('content-type', /^text\/javascript;/)
      .expect('cache-control', 'no-store');
    await http.get('/status/none.js').expect(404);
    await without.http.get('/status/page.js').expect(404);
    const apart = await start(t, { statusPage: true, metricsPort: await freePort() });
    await apart.http.get('/status').expect(404);
    for (const path of ['/status', '/status/page.js'])
      assert.equal((await fetch(`http://127.0.0.1:${apart.listening.ports[1]}${path}`)).status, 200);
  });
});
