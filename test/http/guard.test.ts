import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { streamed } from './fake-scorer.ts';
import { open, rest } from './raw-client.ts';
import { start } from './start.ts';

const broken = (): never => {
  throw new Error('broken');
};

describe('an error in a callback', () => {
  it('when a request is over is logged, and nothing else', async (t) => {
    const { http, metrics, line } = await start(t);
    const working = metrics.answered.bind(metrics);
    metrics.answered = broken;
    await http.post('/score').send({}).expect(200);
    assert.equal((await line(({ msg }) => msg.includes('broken')))['code'], 'internal');
    metrics.answered = working;
    await http.post('/score').send({}).expect(200);
  });

  it('when a body is whole, a file is read or metrics are made is a 500 of that request', async (t) => {
    const { http, scorer, metrics } = await start(t);
    const working = scorer.score.bind(scorer);
    scorer.score = broken;
    await http.post('/score').send({ a: 1 }).expect(500);
    scorer.score = working;
    Object.defineProperty(scorer, 'served', { get: broken, configurable: true });
    await http.get('/swagger.json').expect(500);
    Object.defineProperty(scorer, 'served', { value: undefined });
    metrics.registry.metrics = broken;
    await http.get('/metrics').expect(500);
    metrics.registry.metrics = () => Promise.reject(new Error('broken'));
    await http.get('/metrics').expect(500);
    await http.get('/').expect(200);
  });

  it('when neither the answer nor its failure can be written costs the connection', async (t) => {
    const { port, scorer, app, http } = await start(t);
    scorer.outcome = () => streamed(new PassThrough().end('x'), { headers: [['bad name', 'x']] });
    app.server.prependOnceListener('request', (_request, response) => {
      response.writeHead = broken;
    });
    const socket = await open(port);
    socket.on('error', () => undefined).write('GET /score HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(await rest(socket), '');
    scorer.outcome = () => ({});
    await http.get('/score').expect(200);
  });
});
