import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { azuremlPost } from '../../../../server/collection/deliver/azureml-post.ts';
import { PostSink, type Format, type Target } from '../../../../server/collection/deliver/event-sinks.ts';
import { httpFormats } from '../../../../server/collection/deliver/http-formats.ts';
import { TestWriter } from '../../../collection/start-writer.ts';
import { block } from '../blocks.ts';

const azureml: Format = { events: 1, bytes: Infinity, largestData: Infinity, around: ['', ''], post: azuremlPost };
const to = (url: string): Target => ({ url, headers: () => ({}), proxies: {} });

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly body: string;
}

/** A receiver whose answers the test chooses. */
async function receive(t: TestContext, answer: (nth: number, body: string) => number): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  let calls = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const status = answer(calls++, body);
      if (status < 300) received.push({ headers: request.headers, url: request.url ?? '', body });
      response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/modeldata/log`, received };
}

test("the platform's collector gets what the Python SDK sends", async (t) => {
  const { url, received } = await receive(t, () => 202);
  const writer = new TestWriter(new PostSink('azureml', to(url), azureml));
  writer.rows('model_inputs', 'corr', [{ n: 12345678901, text: ',"correlationid":' }]);
  await writer.close();
  const [{ headers, body, url: path } = { headers: {}, body: '', url: '' }] = received;
  assert.equal(path, '/modeldata/log');
  assert.equal(body, '[{"n":12345678901,"text":",\\"correlationid\\":"}]');
  assert.match(String(headers['trace-id']), /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-') || name === 'content-type' || name === 'accept')),
    {
      accept: '*/*',
      'content-type': 'application/json',
      'ce-time': String(Date.UTC(2026, 2, 5, 18, 16, 25) / 1000),
      'ce-type': 'azureml.inference.model_inputs',
      'ce-collect-data-type': 'pandas.core.frame.DataFrame',
      'ce-agent': 'test/1',
      'ce-x-request-id': 'corr',
      'ce-model-version': 'default',
    },
  );
});

test('CloudEvents are posted one by one, and after a failure only those that failed', async (t) => {
  const { url, received } = await receive(t, (nth) => (nth % 3 === 0 && nth < 30 ? 503 : 200));
  const writer = new TestWriter(new PostSink('http', to(url), httpFormats.structured));
  writer.collect(0, 40);
  await writer.close();
  assert.equal(writer.counts.of('model_inputs').sent, 40);
  const ids = received.map(({ body }) => (JSON.parse(body) as { correlationid: string }).correlationid);
  assert.deepEqual(new Set(ids).size, 40);
  assert.equal(ids.length, 40);
  assert.match(String(received[0]?.headers['content-type']), /^application\/cloudevents\+json/);
});

test('an event that is refused for good is dropped alone', async (t) => {
  const { url, received } = await receive(t, (_, body) => (body.includes('"n":7}') ? 422 : 200));
  const writer = new TestWriter(new PostSink('http', to(url), httpFormats.structured));
  writer.collect(0, 20);
  await writer.close();
  const { sent, dropped } = writer.counts.of('model_inputs');
  assert.deepEqual([sent, dropped, received.length], [19, 1, 19]);
  assert.equal(writer.counts.dropped.get('rejected'), 1);
});

test("a line that is no event is refused for good by the platform's sink, alone", async (t) => {
  const { url, received } = await receive(t, () => 202);
  const sink = new PostSink('azureml', to(url), azureml);
  const lines = ['{', 'null', '[]', 'text'].map((text) => ({ ...block(1), data: Buffer.from(`${text}\n`) }));
  const batch = { stream: undefined, pieces: [], blocks: [...lines, block(2)] };
  await assert.rejects(sink.write(batch, new AbortController().signal), { code: 'invalid_event', retriable: false, rejected: lines });
  assert.deepEqual([batch.blocks.length, received.length], [0, 1]);
});

test('an event for which no request can be made is refused for good, alone', async (t) => {
  const { url, received } = await receive(t, () => 202);
  const refusing: Format = {
    ...azureml,
    post: (line) => {
      if (line.data.includes('"bad"')) throw new URIError('no such request');
      return azuremlPost(line);
    },
  };
  const writer = new TestWriter(new PostSink('azureml', to(url), refusing));
  writer.rows('model_inputs', 'bad', [{ n: 1 }]);
  writer.rows('model_inputs', 'corr', [{ n: 2 }]);
  await writer.close();
  const { sent, dropped } = writer.counts.of('model_inputs');
  assert.deepEqual([sent, dropped, received.length], [1, 1, 1]);
  assert.equal(writer.counts.dropped.get('rejected'), 1);
});

test('a collector that is not there is told once, and the rest is counted at the end', async () => {
  const writer = new TestWriter(new PostSink('azureml', to('http://127.0.0.1:1/'), azureml));
  writer.collect(0, 5);
  await writer.close(300);
  assert.equal(writer.lines.length, 1);
  assert.match(writer.lines[0] ?? '', /cannot be delivered to azureml \(ECONNREFUSED: http:\/\/127\.0\.0\.1:1: /);
  assert.equal(writer.counts.dropped.get('flush_timeout'), 5);
  assert.equal(writer.counts.records, 0);
});
