import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readableLog } from '../../../server/system/readable-log.ts';

const plain = await readableLog(false);
const ids = { requestId: '1e418738-31d5-451d-9172-a56c4adace3d', traceId: '1e41873831d5451d9172a56c4adace3d' };
const time = '2026-11-29T01:03:20.134Z';
const show = (line: object, write = plain): string => write(JSON.stringify({ level: 'info', time, ...line }));
const access = { route: '/score', method: 'POST', status: 200, ms: 19.017, ...ids, worker: 0, bytesIn: 34, bytesOut: 20, msg: 'request' };

test('a request is one line: time, level, route, status, duration and the beginning of its id', () => {
  assert.equal(show(access), '[01:03:20.134] INFO: POST /score 200 19.0 ms 1e418738\n');
});

test('a request that no route matched is shown by its path', () => {
  assert.match(show({ ...access, route: '*', path: '/nowhere', status: 404 }), /WARN: POST \/nowhere 404 19\.0 ms 1e418738\n$/);
});

test('a request shows the fields that the option names, in one line', async () => {
  const write = await readableLog(false, ['client', 'user-agent', 'bytes', 'worker']);
  const shown = show({ ...access, client: '10.0.0.7', userAgent: 'curl/8\n\u001b[2J' }, write);
  assert.equal(
    shown,
    '[01:03:20.134] INFO: POST /score 200 19.0 ms 1e418738 {"client":"10.0.0.7","userAgent":"curl/8\\n\\u001b[2J","bytesIn":34,"bytesOut":20,"worker":0}\n',
  );
  assert.match(show(access, write), / 1e418738 \{"bytesIn":34,"bytesOut":20,"worker":0\}\n$/);
});

test('failed requests stand out by their level', () => {
  assert.match(show({ ...access, status: 422 }), /WARN: POST \/score 422/);
  assert.match(show({ ...access, status: 503 }), /ERROR: POST \/score 503/);
});

test('an id that a client has chosen is shown whole', () => {
  assert.match(show({ ...access, requestId: 'order-123456789' }), / ms order-123456789\n$/);
});

test("a script's line is one line with its message and its own fields", () => {
  assert.equal(
    show({ rows: 3, status: 200, ms: 5, name: 'of the model', worker: 0, ...ids, msg: 'scored' }),
    '[01:03:20.134] INFO: scored {"rows":3,"status":200,"ms":5,"name":"of the model","worker":0,"request":"1e418738"}\n',
  );
  assert.match(show({ timestamp: 5, caller: 'me', path: 'C:\\new', msg: 'x' }), / x \{"timestamp":5,"caller":"me","path":"C:\\\\new"\}\n$/);
  assert.match(show({ ...ids, status: 'done', msg: 'request' }), /INFO: request \{"status":"done","request":"1e418738"\}\n$/);
  assert.equal(show({ msg: 'plain' }), '[01:03:20.134] INFO: plain\n');
});

test('a field whose text the message has is left out', () => {
  assert.equal(
    show({ model: 'ridge', pid: 7, threads: 2, msg: 'model ridge runs with 2 threads' }),
    '[01:03:20.134] INFO: model ridge runs with 2 threads {"threads":2}\n',
  );
});

test('a stack has lines of its own', () => {
  const text = show({
    level: 'error',
    err: { type: 'Error', message: 'bad luck', stack: 'Error: bad luck\n    at run (score.ts:3:9)' },
    msg: 'failed',
  });
  assert.match(text, /^\[01:03:20\.134\] ERROR: failed\n/);
  assert.match(text, /\n +at run \(score\.ts:3:9\)\n/);
  const thrown = show({ level: 'error', ...ids, code: 'run_failed', msg: 'Error: bad luck\n    at run (score.ts:3:9)' });
  assert.equal(
    thrown,
    '[01:03:20.134] ERROR: Error: bad luck\n    at run (score.ts:3:9)\n    {"code":"run_failed","request":"1e418738"}\n',
  );
});

test('a failed start shows its whole text in place of the line about it', () => {
  const stack = 'the script broke\nError: bad luck\n    at run (score.ts:3:9)';
  const line = {
    level: 'fatal',
    code: 'script_broken',
    exitCode: 3,
    stack,
    tree: 'models holds:\n  a.onnx',
    msg: 'the script broke: Error: bad luck',
  };
  assert.equal(show(line), `[01:03:20.134] FATAL: ${stack}\nmodels holds:\n  a.onnx\n    {"code":"script_broken","exitCode":3}\n`);
  // A field of a script's own line.
  assert.match(show({ stack: 'lifo', msg: 'kind' }), /INFO: kind \{"stack":"lifo"\}\n$/);
});

test('text of clients cannot control the terminal', () => {
  const text = show({ ...ids, field: '\u001b[2J', msg: 'bad name \u001b[31mred\u0007' });
  assert.ok(!text.includes('\u001b') && !text.includes('\u0007'), JSON.stringify(text));
  const wild = show({ ...access, requestId: '\u001b[2Jwild' });
  assert.ok(!wild.includes('\u001b'), JSON.stringify(wild));
});

test('no line of any form fails, or controls the terminal', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u009b2J', '\u001b]0;title\u0007', '\r\b', '\u007f'));
  const fields = fc.dictionary(
    fc.oneof(text, fc.constantFrom('msg', 'err', 'requestId', 'stack', 'method', 'status', 'pid', 'name')),
    fc.oneof(text, fc.jsonValue()),
  );
  fc.assert(
    fc.property(fields, text, (line, msg) => {
      // oxlint-disable-next-line no-control-regex -- it is about control characters
      assert.doesNotMatch(show({ msg, ...line }), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    }),
  );
});

test('colours are there only where they are asked for', async () => {
  const coloured = await readableLog(true);
  assert.ok(show(access, coloured).includes('\u001b['));
  assert.ok(!show(access).includes('\u001b['));
});
