import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { test as pythonTest } from '../python/python-test.ts';
import { appOf, binaryData, blobOf, FunctionsHost, textData } from './functions-host.ts';

const custom = { description: { defaultExecutablePath: '/usr/local/bin/node', arguments: ['server/main.ts', 'serve'] } };
const hostFile = (forwards = false, routePrefix?: string): string =>
  JSON.stringify({
    version: '2.0',
    customHandler: { ...custom, enableForwardingHttpRequest: forwards },
    ...(routePrefix !== undefined && { extensions: { http: { routePrefix } } }),
  });

const connection = 'TriggerConnectionString';
const functionFile = (...bindings: object[]): string => JSON.stringify({ bindings });
const HTTP = functionFile(
  { type: 'httpTrigger', direction: 'in', name: 'req', route: 'score' },
  { type: 'http', direction: 'out', name: 'res' },
);
const blob = (dataType?: string): string =>
  functionFile(
    { type: 'blobTrigger', direction: 'in', name: 'input', path: 'input/{blobname}.json', connection, ...(dataType && { dataType }) },
    { type: 'blob', direction: 'out', name: 'output', path: 'output/{blobname}_out.json', connection },
  );
const QUEUE = functionFile(
  { type: 'serviceBusTrigger', direction: 'in', name: 'input', queueName: 'in', connection },
  { type: 'serviceBus', direction: 'out', name: 'output', queueName: 'out', connection },
);

/** Answers what it got, and what it knows of its request. */
const ECHO = `
export function init() {}
export function run(data, request) {
  console.log('got', typeof data);
  const own = Buffer.isBuffer(data) ? { bytes: data.toString('latin1') } : { data };
  return { ...own, id: request.id, protocol: request.protocol, metadata: request.metadata, url: request.url };
}
`;

/** Waits in init() until a file of its folder is there. */
const GATED = `
import { existsSync } from 'node:fs';
const gate = new URL('./gate', import.meta.url);
export async function init() {
  console.log('init began');
  while (!existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 10));
  if (process.env.BREAKS) throw new Error('no model today');
}
export function run(data) {
  console.log('ran ' + data);
  return { data };
}
`;

const open = (app: string): void => writeFileSync(join(app, 'gate'), '');

void test('the host connects while init() runs, and invocations before its end are held, then answered', async (t) => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': GATED });
  await FunctionsHost.run(app, async (host) => {
    const coldMs = await host.answered;
    t.diagnostic(`GET / was answered ${Math.round(coldMs)} ms after the start of the process`);
    assert.ok(coldMs < 30_000, "the host's own limit");
    await host.server.said('init began');
    const held = Array.from({ length: 40 }, (_, index) => host.invoke('score', { input: textData(`text ${index}`) }));
    assert.equal((await host.send('GET', '/')).status, 503, 'answered at once, while 40 wait');
    assert.deepEqual(host.server.linesWith('ran '), []);
    open(app);
    const all = await Promise.all(held);
    assert.deepEqual(
      all.map(({ outputs }) => outputs),
      all.map((_, index) => ({ output: { data: `text ${index}` } })),
    );
    const { msg } = await host.server.said('profile');
    assert.match(msg, /Azure Functions/i);
  });
});

void test('a held invocation gets 503 if the start fails, and one whose client leaves is never run', async () => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': GATED });
  await FunctionsHost.run(
    app,
    async (host) => {
      await host.server.said('init began');
      await host.answered;
      const held = host.post('score', { input: textData('a') });
      await host.readAll();
      open(app);
      assert.equal((await held).status, 503);
      assert.equal((await host.server.exited).code, 3);
    },
    { BREAKS: 'yes' },
  );
  const other = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': GATED });
  await FunctionsHost.run(other, async (host) => {
    await host.server.said('init began');
    await host.answered;
    const leaves = new AbortController();
    const gone = host.post('score', { input: textData('gone') }, { signal: leaves.signal });
    const stays = host.invoke('score', { input: textData('stays') });
    await host.readAll();
    leaves.abort();
    await assert.rejects(gone);
    await host.server.line(({ status }) => status === 499);
    open(other);
    assert.deepEqual((await stays).outputs, { output: { data: 'stays' } });
    assert.deepEqual(host.server.linesWith('ran gone'), []);
  });
});

void test('a stop during the start answers held invocations with 503, and exits 0', async () => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': GATED });
  await FunctionsHost.run(app, async (host) => {
    await host.server.said('init began');
    await host.answered;
    const held = host.post('score', { input: textData('a') });
    await host.readAll();
    host.server.child.kill('SIGTERM');
    const { status, headers } = await held;
    assert.deepEqual([status, headers['connection']], [503, 'close']);
    assert.equal((await host.server.exited).code, 0);
  });
});

void test('at most QUEUE_MAX_REQUESTS invocations are held', async () => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': GATED });
  await FunctionsHost.run(
    app,
    async (host) => {
      await host.server.said('init began');
      await host.answered;
      const held = [1, 2, 3].map((each) => host.post('score', { input: textData(`${each}`) }));
      const first = await Promise.race(held);
      assert.equal(first.status, 429);
      open(app);
      const statuses = (await Promise.all(held)).map(({ status }) => status);
      assert.deepEqual(
        statuses.toSorted((one, other) => one - other),
        [200, 200, 429],
      );
    },
    { QUEUE_MAX_REQUESTS: '2' },
  );
});

void test('a blob is text unless the script asks for something else, and the answer is its output', async () => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': ECHO });
  await FunctionsHost.run(app, async (host) => {
    const id = randomUUID();
    const metadata = { BlobTrigger: 'input/a.json', blobname: 'a', Properties: { Length: 14 } };
    const { outputs, logs, returned } = await host.invoke('score', { input: textData('{"data": [1]}') }, { metadata, id });
    const output = outputs['output'] as Record<string, unknown>;
    assert.deepEqual(Object.keys(outputs), ['output']);
    assert.equal(output['data'], '{"data": [1]}');
    assert.deepEqual([output['id'], output['protocol'], output['url']], [id, 'azure-function', '/score']);
    assert.deepEqual({ ...(output['metadata'] as object), sys: undefined }, { ...metadata, sys: undefined });
    assert.deepEqual([logs, returned], [['got string'], '']);
    const line = await host.server.line(({ requestId, msg }) => requestId === id && msg === 'got string');
    assert.equal(line['level'], 'info');
    assert.equal((await host.post('score', { input: textData('a') })).headers['x-ms-run-function-failed'], 'False');
    // Plain text that no host has put into JSON, and JSON that came as an object.
    const plain = await host.invoke('score', { input: 'plain, "text"' });
    assert.equal((plain.outputs['output'] as { data: unknown }).data, 'plain, "text"');
    const bound = await host.invoke('score', { input: { a: [1] } });
    assert.equal((bound.outputs['output'] as { data: unknown }).data, '{"a":[1]}');
  });
});

void test('every kind of answer reaches a blob as its JSON text, although the host tries base64 first', async () => {
  const values = ['1234', 'null', '', 'aGk=', 5, 0.5, true, [1, 'a'], { a: '1234' }, 'a "quoted" text'];
  const script = `export const inputType = 'json';\nexport function init() {}\nexport const run = (data) => data.value;\n`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    for (const value of values) {
      const { outputs } = await host.invoke('score', { input: textData(JSON.stringify({ value })) });
      assert.equal(blobOf(outputs['output']).toString(), JSON.stringify(value));
    }
  });
  assert.notEqual(blobOf('1234').toString(), '1234', 'the host of this test has the trap');
});

void test('a blob of 30 MB arrives as bytes where its binding is binary', async () => {
  const script = `
import { createHash } from 'node:crypto';
export const inputType = 'bytes';
export function init() {}
export const run = (data) => ({ length: data.length, digest: createHash('sha256').update(data).digest('hex') });
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob('binary'), 'score.mjs': script });
  const bytes = randomBytes(30_000_000);
  await FunctionsHost.run(app, async (host) => {
    const { outputs } = await host.invoke('score', { input: binaryData(bytes) });
    assert.deepEqual(outputs['output'], { length: bytes.length, digest: createHash('sha256').update(bytes).digest('hex') });
    const refused = await host.post('score', { input: 'no base64!' });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /expected base64, because its binding has the dataType binary/);
  });
});

void test('a poison message fails each time, and the script sees its retries', async () => {
  const script = `
export const inputType = 'json';
export function init() {}
export function run(data, { metadata }) {
  console.log('delivery ' + metadata.DeliveryCount + ', retry ' + metadata.RetryContext?.RetryCount);
  if (data.poison) throw new Error('cannot be scored');
  return { ok: true };
}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': QUEUE, 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    for (const attempt of [0, 1, 2, 3, 4]) {
      const metadata = { DeliveryCount: attempt + 1, RetryContext: { RetryCount: attempt, MaxRetryCount: 4 } };
      const { status, text } = await host.post('score', { input: textData('{"poison": true}') }, { metadata });
      assert.equal(status, 500, text);
      await host.server.said(`delivery ${attempt + 1}, retry ${attempt}`);
    }
    const good = await host.invoke('score', { input: textData('{"poison": false}') }, { metadata: { DeliveryCount: 1 } });
    assert.deepEqual([good.outputs, good.logs], [{ output: { ok: true } }, ['delivery 1, retry undefined']]);
    assert.equal((await host.post('score', { input: textData('no JSON') })).status, 400, 'a failed invocation, too');
  });
});

void test('a ScoringError, a Response and a lost worker fail the invocation of a queue', async () => {
  const script = `
import { ScoringError } from 'scoring-server';
export function init() {}
export function run(data) {
  if (data === 'error') throw new ScoringError(422, 'no');
  if (data === 'response') return new Response('no', { status: 404 });
  if (data === 'dies') process.exit(7);
  if (data === 'fine') return new Response('some bytes', { headers: { 'content-type': 'text/plain' } });
  return (function* () { yield { a: 1 }; yield { a: 2 }; })();
}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': QUEUE, 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    assert.equal((await host.post('score', { input: textData('error') })).status, 422);
    assert.equal((await host.post('score', { input: textData('response') })).status, 404);
    assert.equal((await host.post('score', { input: textData('dies') })).status, 503);
    const fine = await host.invoke('score', { input: textData('fine') });
    assert.equal(blobOf(fine.outputs['output']).toString(), 'some bytes');
    const streamed = await host.invoke('score', { input: textData('stream') });
    assert.equal(blobOf(streamed.outputs['output']).toString(), '{"a":1}\n{"a":2}\n');
  });
});

void test('32 invocations at once run beside each other, each with its own lines and id', async () => {
  const script = `
let running = 0;
let most = 0;
export function init() {}
export async function run(data) {
  most = Math.max(most, ++running);
  console.log('line of ' + data);
  while (most < 32) await new Promise((resolve) => setTimeout(resolve, 5));
  running--;
  return { data, most };
}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': QUEUE, 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    await host.server.ready();
    const all = await Promise.all(Array.from({ length: 32 }, (_, index) => host.invoke('score', { input: textData(`m${index}`) })));
    all.forEach(({ outputs, logs }, index) => {
      assert.deepEqual(outputs, { output: { data: `m${index}`, most: 32 } });
      assert.deepEqual(logs, [`line of m${index}`]);
    });
  });
});

void test('GET / is answered while run() blocks its worker', async () => {
  const script = `
export function init() {}
export function run() {
  console.log('busy');
  const until = Date.now() + 3000;
  while (Date.now() < until);
  return {};
}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': QUEUE, 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    await host.server.ready();
    const run = host.invoke('score', { input: textData('a') });
    await host.server.inFlight(1);
    const state = { polls: 0, done: false };
    const ended = run.finally(() => (state.done = true));
    while (!state.done) {
      assert.equal((await host.send('GET', '/')).status, 200);
      state.polls++;
      await delay(25);
    }
    await ended;
    assert.ok(state.polls >= 3, `only ${state.polls} polls were answered in 3 s`);
  });
});

void test('a stop with an invocation under way answers it, and exits 0', async () => {
  const script = `
import { existsSync } from 'node:fs';
const gate = new URL('./gate', import.meta.url);
export function init() {}
export async function run(data) {
  console.log('under way');
  while (!existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 10));
  return { data };
}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': QUEUE, 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    const answer = host.invoke('score', { input: textData('last') });
    await host.server.said('under way');
    host.server.child.kill('SIGTERM');
    await host.server.said('draining');
    open(app);
    assert.deepEqual((await answer).outputs, { output: { data: 'last' } });
    assert.deepEqual(await host.server.exited, { code: 0, signal: null });
  });
});

void test('forwarded HTTP arrives at its absolute path, as on /score', async () => {
  const other = functionFile(
    { type: 'httpTrigger', direction: 'in', name: 'req', route: 'v1/models/{name:alpha}/predict' },
    { type: 'http', direction: 'out', name: '$return' },
  );
  const app = appOf({
    'host.json': hostFile(true, ''),
    'score/function.json': HTTP,
    'other/function.json': other,
    'queued/function.json': QUEUE,
    'score.mjs': ECHO,
  });
  await FunctionsHost.run(app, async (host) => {
    await host.server.ready();
    const id = randomUUID();
    const json = { 'content-type': 'application/json', 'x-azure-functions-invocationid': id };
    for (const path of ['/score', '/Score?a=1', '/v1/models/iris/predict']) {
      const { status, text, headers } = await host.send('POST', path, json, '{"data": [1]}');
      assert.equal(status, 200, text);
      assert.equal(headers['x-request-id'], id);
      const answer = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual([answer['data'], answer['protocol'], answer['url'], answer['metadata']], [{ data: [1] }, 'score', path, undefined]);
    }
    const own = await host.send('POST', '/score', { ...json, 'x-request-id': 'mine' }, '{}');
    assert.equal(own.headers['x-request-id'], 'mine');
    const bad = await host.send('POST', '/score', json, '{');
    assert.deepEqual([bad.status, Object.keys(JSON.parse(bad.text) as object)], [400, ['message']]);
    const queued = await host.invoke('queued', { input: textData('beside it') });
    assert.equal((queued.outputs['output'] as { data: unknown }).data, 'beside it');
  });
});

void test('the usual route prefix is api', async () => {
  const app = appOf({ 'host.json': hostFile(true), 'score/function.json': HTTP, 'score.mjs': ECHO });
  await FunctionsHost.run(app, async (host) => {
    assert.equal((await host.send('POST', '/api/score', { 'content-type': 'application/json' }, '{}')).status, 200);
  });
});

void test('HTTP without forwarding is the request that its client sent, and its answer is res', async () => {
  const script = `
import { ScoringError } from 'scoring-server';
export function init() {}
export function run(data, request) {
  if (data.wrong) throw new ScoringError(422, { field: 'wrong' });
  if (data.broken) throw new Error('broken');
  if (data.page) return new Response('<p>hi', { status: 201, headers: { 'content-type': 'text/html', 'x-own': 'a' } });
  return { data, method: request.method, url: request.url, agent: request.headers.get('user-agent'), query: request.query.get('q') };
}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': HTTP, 'score.mjs': script });
  await FunctionsHost.run(app, async (host) => {
    const req = (Body: unknown, more: object = {}): Record<string, unknown> => ({
      req: {
        Url: 'https://app.example/api/score?q=7',
        Method: 'POST',
        Query: { q: '7' },
        Headers: { 'Content-Type': ['application/json'], 'User-Agent': ['a client'] },
        Params: {},
        Identities: [],
        Body,
        ...more,
      },
    });
    const { outputs } = await host.invoke('score', req('{"x": 1}'));
    assert.deepEqual(outputs, {
      res: {
        statusCode: 200,
        status: 200,
        body: { data: { x: 1 }, method: 'POST', url: '/api/score?q=7', agent: 'a client', query: '7' },
        headers: { 'content-type': 'application/json' },
      },
    });
    const res = async (Body: unknown, more?: object): Promise<Record<string, unknown>> =>
      (await host.invoke('score', req(Body, more))).outputs['res'] as Record<string, unknown>;
    const get = await res('', { Method: 'GET', Headers: {} });
    assert.deepEqual((get['body'] as { data: unknown }).data, { q: 7 });
    const wrong = await res('{"wrong": true}');
    assert.deepEqual([wrong['statusCode'], wrong['body']], [422, { field: 'wrong' }]);
    const bad = await res('{');
    assert.equal(bad['statusCode'], 400);
    assert.match(String((bad['body'] as { message: unknown }).message), /could not be decoded as JSON/);
    const page = await res('{"page": true}');
    assert.deepEqual([page['statusCode'], page['body'], (page['headers'] as Record<string, string>)['x-own']], [201, '<p>hi', 'a']);
    assert.equal((await host.post('score', req('{"broken": true}'))).status, 500);
    const bytes = await res(Buffer.from('{"x": 2}').toString('base64'), { Headers: { 'content-type': ['application/octet-stream'] } });
    assert.deepEqual((bytes['body'] as { data: unknown }).data, [...Buffer.from('{"x": 2}')]);
  });
});

void test('without function.json any POST is an invocation, and a broken one is named in a warning', async () => {
  const bare = appOf({ 'score.mjs': ECHO });
  await FunctionsHost.run(bare, async (host) => {
    const { outputs } = await host.invoke('anything', { trigger: textData('text') });
    assert.equal((outputs['output'] as { data: unknown }).data, 'text');
    assert.equal((outputs['res'] as { statusCode: unknown }).statusCode, 200);
    assert.equal((await host.post('anything', {})).status, 400);
    assert.equal((await host.send('PUT', '/anything', {}, '{}')).status, 405);
  });
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'bad/function.json': '{"bindings": 5}', 'score.mjs': ECHO });
  await FunctionsHost.run(app, async (host) => {
    const { msg, level } = await host.server.said('bad/function.json cannot be used');
    assert.equal(level, 'warn');
    assert.match(msg, /expected a list of at most 100 objects, got number/);
    assert.equal((await host.post('score', { input: textData('a') })).status, 200);
    assert.equal((await host.post('bad', { input: textData('a') })).status, 404);
  });
});

void test('no client can take the place of the header with the bindings', async () => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.mjs': ECHO });
  await FunctionsHost.run(app, async (host) => {
    const bindings = JSON.stringify({ input: 'other', http: true, binary: true, outputs: [] });
    const headers = { 'content-type': 'application/json', 'x-scoring-function-bindings': bindings };
    const { status, text } = await host.send('POST', '/score', headers, JSON.stringify({ Data: { input: textData('a') } }));
    assert.equal(status, 200);
    assert.deepEqual(Object.keys((JSON.parse(text) as { Outputs: object }).Outputs), ['output']);
  });
});

const SCORE_PY = `
import logging
from scoring_server import ScoringError

def init():
    pass

def run(raw_data):
    print("got", raw_data)
    logging.getLogger("mine").warning("careful")
    if raw_data == "error":
        raise ScoringError(422, "no")
    if raw_data == "broken":
        raise ValueError("broken")
    if raw_data == "stream":
        return (word for word in ["a", "b"])
    if raw_data == "number":
        return 1234
    return {"data": raw_data}
`;

pythonTest('a score.py gets text, and its failures fail the invocation', async (t: TestContext) => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob(), 'score.py': SCORE_PY });
  await FunctionsHost.run(app, async (host) => {
    const { outputs, logs, returned } = await host.invoke('score', { input: textData('{"a": 1}') });
    assert.deepEqual([outputs, returned], [{ output: { data: '{"a": 1}' } }, '']);
    assert.deepEqual(logs, ['got {"a": 1}', 'careful']);
    assert.equal((await host.post('score', { input: textData('error') })).status, 422);
    assert.equal((await host.post('score', { input: textData('broken') })).status, 500);
    const number = await host.invoke('score', { input: textData('number') });
    assert.equal(blobOf(number.outputs['output']).toString(), '1234');
    const streamed = await host.invoke('score', { input: textData('stream') });
    assert.equal(blobOf(streamed.outputs['output']).toString(), 'ab');
    assert.equal((await host.post('score', { other: textData('a') })).status, 400);
  });
  t.diagnostic('a score.py was run');
});

pythonTest('a raw score.py gets bytes, and what the trigger says of itself', async () => {
  const script = `
from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    pass

@rawhttp
def run(request):
    metadata = request.environ["scoring_server.metadata"]
    if metadata["blobname"] == "bad":
        return AMLResponse("no", 404)
    return {"bytes": list(request.get_data()), "retry": metadata["RetryContext"]["RetryCount"]}
`;
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': blob('binary'), 'score.py': script });
  await FunctionsHost.run(app, async (host) => {
    const metadata = { blobname: 'a', RetryContext: { RetryCount: 2, MaxRetryCount: 4 } };
    const { outputs } = await host.invoke('score', { input: binaryData(Buffer.from([0, 255])) }, { metadata });
    assert.deepEqual(outputs, { output: { bytes: [0, 255], retry: 2 } });
    const bad = await host.post('score', { input: '' }, { metadata: { ...metadata, blobname: 'bad' } });
    assert.equal(bad.status, 404);
  });
});

pythonTest('HTTP without forwarding reaches a score.py as on /score', async () => {
  const app = appOf({ 'host.json': hostFile(), 'score/function.json': HTTP, 'score.py': SCORE_PY });
  await FunctionsHost.run(app, async (host) => {
    const req = (Body: unknown, Method = 'POST'): Record<string, unknown> => ({
      req: { Url: 'https://app.example/score?a=1', Method, Headers: { 'Content-Type': ['application/json'] }, Body },
    });
    const fine = (await host.invoke('score', req('[1]'))).outputs['res'] as Record<string, unknown>;
    assert.deepEqual([fine['statusCode'], fine['body']], [200, { data: '[1]' }]);
    const get = (await host.invoke('score', req('', 'GET'))).outputs['res'] as Record<string, unknown>;
    assert.deepEqual(get['body'], { data: '{"a": 1}' });
    for (const bound of [{}, 0, false]) {
      const { body } = (await host.invoke('score', req(bound))).outputs['res'] as Record<string, unknown>;
      assert.deepEqual(body, { data: JSON.stringify(bound) });
    }
    const refused = (await host.invoke('score', req('error'))).outputs['res'] as Record<string, unknown>;
    assert.deepEqual([refused['statusCode'], refused['body']], [422, { message: 'no' }]);
    assert.equal((await host.post('score', req('broken'))).status, 500);
  });
});
