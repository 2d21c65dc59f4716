import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { azuremlPost } from '../../../../server/collection/deliver/azureml-post.ts';
import { readLine } from '../../../../server/collection/encode/block.ts';
import { CloudEvents } from '../../../../server/collection/encode/cloud-events.ts';
import { settings } from '../../../collection/start-writer.ts';
import { collect, noFiles } from '../collect-records.ts';

const sink = { kind: 'azureml', url: 'http://127.0.0.1:50011/' } as const;

test("a captured header has its own name in the platform's request, and its value as it was sent", async () => {
  const captureHeaders = ['x-custom', 'x-a-b', 'x-ab', 'x-forwarded-client-cert-subject', 'x_under.score', 'plain'];
  const headers = captureHeaders.flatMap((name) => [name, `${name} 100% "é"`]);
  const { blocks } = await collect({ headers, body: ['{"a":1}'] }, noFiles, { sink, captureHeaders });
  const request = blocks.find(({ collection }) => collection === 'request');
  assert.ok(request !== undefined);
  // A line that waited on disk has them, too.
  const replayed = readLine(request.data, undefined);
  assert.ok(replayed !== undefined);
  for (const block of [request, replayed]) {
    const { headers: sent, body } = azuremlPost(block);
    assert.equal(body, '{"a":1}');
    for (const name of captureHeaders) assert.equal(sent[`ce-${name}`], `${name} 100% "%C3%A9"`);
    assert.deepEqual(
      Object.keys(sent).filter((name) => /custom|names|xab|forwarded/.test(name)),
      ['ce-x-custom', 'ce-x-forwarded-client-cert-subject'],
    );
  }
});

test("names of a script's context are headers where HTTP has such names", () => {
  const blocks: Parameters<typeof azuremlPost>[0][] = [];
  const events = new CloudEvents({ ...settings, sink }, noFiles, 'a/1', (block) => blocks.push(block));
  const headers = { 'Tenant-Id': 't', 'a b': 'c', 'x:y': 'z', agent: 'mine', '\n': 'd' };
  events.rows('model_inputs', { id: '1', time: 0, headers }, Buffer.from('[]'));
  const [block] = blocks;
  assert.ok(block !== undefined);
  const { headers: sent } = azuremlPost(block);
  assert.deepEqual([sent['ce-tenant-id'], sent['ce-ab'], sent['ce-xy'], sent['ce-agent']], ['t', 'c', 'z', 'a/1']);
  assert.ok(new Headers(sent).has('ce-tenant-id'));
});

test('every id arrives, also one that no header can carry as it is', async (t) => {
  const server = createServer((request, response) => response.end(request.headers['ce-x-request-id'])).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  for (const id of ['a b', '100%', 'é', '\ud800', 'line\nend', '😀']) {
    let line = '';
    new CloudEvents(settings, noFiles, 'a/1', ({ data }) => (line = data.toString())).rows('rows', { id, time: 0 }, Buffer.from('[]'));
    const block = readLine(Buffer.from(line), undefined);
    assert.ok(block !== undefined);
    const { headers, body } = azuremlPost(block);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const arrived = await (await fetch(url, { method: 'POST', headers: { ...headers, connection: 'close' }, body })).text();
    const clean = id.replace(/[\n\ud800](?![\udc00-\udfff])/, '\ufffd');
    assert.equal(arrived, clean.replaceAll(/[^ -~]+/g, encodeURIComponent), id);
  }
});
