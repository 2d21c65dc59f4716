import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freePort } from '../e2e/free-port.ts';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { GrpcClient } from '../grpc/client.ts';
import { raw } from '../http/raw-client.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';

const JSON_TYPE = 'application/json';
const nested = (levels: number, open = '[', close = ']', inside = ''): string => open.repeat(levels) + inside + close.repeat(levels);

interface Answered {
  readonly status: number;
  readonly text: string;
}

async function post(server: ServerProcess, path: string, body: string | Buffer, type = JSON_TYPE): Promise<Answered> {
  const answer = await fetch(await server.url(path), {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: type === '' ? {} : { 'content-type': type },
  });
  return { status: answer.status, text: await answer.text() };
}

/**
 * The worker answers in time, and its neighbours too: the deadline is what would end those that
 * wait.
 */
const HASTE = { SCORING_TIMEOUT_MS: '30000', ACCESS_LOG: 'false' };

async function beside<T>(server: ServerProcess, neighbour: () => Promise<Answered>, bad: Promise<T>): Promise<T> {
  const [answered, other] = await Promise.all([bad, neighbour()]);
  assert.equal(other.status, 200, other.text);
  assert.deepEqual(
    server.lines.filter(({ msg }) => /worker.*(?:lost|ended|killed)/.test(msg)),
    [],
  );
  return answered;
}

describe('a body that is expensive to read', () => {
  const bodies: [name: string, body: () => string | Buffer, status: number, message: RegExp, type?: string][] = [
    ['0xff', () => Buffer.alloc(1024 * 1024, 0xff), 400, /can't decode byte 0xff in position 0/],
    ['0xff after many replacement characters', () => '\ufffd'.repeat(300_000), 400, /could not be decoded as JSON/],
    ['lines', () => `${'\n'.repeat(8_000_000)}?`, 400, /line 8000001 column 1 \(char 8000000\)/],
    ['nesting of 5,000', () => nested(5000), 400, /nested more than 1000 deep/],
    ['nesting of 1,000,000', () => nested(1_000_000), 400, /nested more than 1000 deep/],
    ['nesting without an end', () => '['.repeat(1_000_000), 400, /nested more than 1000 deep/],
    ['objects', () => nested(100_000, '{"a":', '}', '1'), 400, /nested more than 1000 deep/],
    ['an integer', () => `[${'9'.repeat(1_000_000)}]`, 400, /at most 1000 digits, got one of 1000000/],
    ['many long integers', () => `[${`${'9'.repeat(1000)},`.repeat(1000)}1]`, 200, /^\[9{1000},/],
    ['UTF-16', () => Buffer.alloc(1024 * 1024, 0xd8), 400, /bytes that this charset does not allow/, 'text/plain; charset=utf-16le'],
    ['an unknown charset', () => 'x', 400, /got \\?"nope/, `text/plain; charset=nope${'e'.repeat(5000)}`],
    ['nesting without a type', () => nested(5000), 400, /nested more than 1000 deep/, 'application/x-www-form-urlencoded'],
  ];

  it('is answered at once by a script, and delays no other request', () =>
    withServer(
      ['--entry-script', 'exact-integers.ts'],
      async (server) => {
        await server.ready();
        const neighbour = (): Promise<Answered> => post(server, '/score', '[1]');
        for (const [name, body, expected, message, type] of bodies) {
          const answered = await beside(server, neighbour, post(server, '/score', body(), type));
          assert.equal(answered.status, expected, `${name}: ${answered.text.slice(0, 200)}`);
          assert.match(answered.text, message, name);
          if (expected === 400) assert.ok(answered.text.length < 400, name);
        }
        const queries = [
          `a=${nested(5000)}`,
          'a=1&'.repeat(3000),
          Array.from({ length: 2000 }, (_, at) => `k${at}=1`).join('&'),
          `a=${'9'.repeat(12_000)}`,
        ];
        for (const query of queries) {
          const answer = await fetch(await server.url(`/score?${query}`));
          assert.equal(answer.status, 200, await answer.text());
        }
      },
      { env: HASTE },
    ));

  it('is answered at once by a model, and delays no other request', async () => {
    const port = await freePort();
    const infer = '/v2/models/parrot/infer';
    const x = (more: object): object => ({ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2], ...more });
    const body = (...inputs: object[]): string => JSON.stringify({ inputs });
    const same = Array.from({ length: 10_000 }, () => ({ name: 'y' }));
    const many: [name: string, path: string, body: string | Buffer, message: RegExp][] = [
      ['0xff', infer, Buffer.alloc(1024 * 1024, 0xff), /can't decode byte 0xff/],
      ['nested inputs', infer, `{"inputs":${nested(5000)}}`, /nested more than 1000 deep/],
      [
        'nested data',
        infer,
        `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":${nested(900)}}]}`,
        /nested more than 64 deep|expected/,
      ],
      ['one output again and again', infer, JSON.stringify({ inputs: [x({})], outputs: same }), /output y: expected each name once/],
      ['shapes of nothing', infer, body(x({ shape: [2 ** 40, 0], data: [] })), /multiply to at most 16777216 beside a 0/],
      ['a shape of 100,000 sizes', infer, body(x({ shape: Array.from({ length: 100_000 }, () => 1) })), /at most 64 dimensions/],
      ['a negative shape', infer, body(x({ shape: [-1, -2] })), /whole numbers from 0/],
      ['a long name', infer, body(x({ name: 'n'.repeat(1_000_000) })), /no input n+…/],
      [
        'a long integer',
        infer,
        `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[${'9'.repeat(1_000_000)}]}]}`,
        /at most 1000 digits/,
      ],
      [
        'one output of a score',
        '/score',
        JSON.stringify({ inputs: { x: [[1, 2]] }, outputs: same.map(({ name }) => name) }),
        /output y: expected each name once/,
      ],
      ['one output of tensors', '/score', JSON.stringify({ inputs: [x({})], outputs: same }), /output y: expected each name once/],
      [
        'a tensor of nothing',
        '/score',
        JSON.stringify({ inputs: { x: { type: 'float32', dims: [2 ** 40, 0], data: [] } } }),
        /expected nested arrays/,
      ],
      ['nested rows', '/score', `{"data":${nested(900)}}`, /nested more than 64 deep/],
      ['deeper rows', '/score', `{"data":${nested(1_000_000)}}`, /nested more than 1000 deep/],
      [
        'a datatype that is no text',
        '/score',
        '{"inputs":[{"name":"x","datatype":9007199254740993,"shape":[1],"data":[1]}]}',
        /expected a datatype, one of/,
      ],
      [
        'a shape that is no list',
        '/score',
        '{"inputs":[{"name":"x","datatype":"FP32","shape":{"toString":1},"data":[[1,2]]}]}',
        /at most 64 dimensions/,
      ],
    ];
    await withServer(
      ['--model', writeModel('echo_float32', folder()), '--model-name', 'parrot', '--grpc-port', String(port)],
      async (server) => {
        await server.ready();
        const neighbour = (): Promise<Answered> => post(server, infer, body(x({})));
        for (const [name, path, bytes, message] of many) {
          const answered = await beside(server, neighbour, post(server, path, bytes));
          assert.equal(answered.status, 400, `${name}: ${answered.text.slice(0, 200)}`);
          assert.match(answered.text, message, name);
          assert.ok(answered.text.length < 700, name);
        }
        const grpc = new GrpcClient(port);
        try {
          const inputs = [{ name: 'x', shape: [1, 2], datatype: 'FP32', contents: { fp32_contents: [1, 2] } }];
          const twice = await grpc.error('ModelInfer', { model_name: 'parrot', inputs, outputs: [{ name: 'y' }, { name: 'y' }] });
          assert.deepEqual([twice.code, twice.details], [status.INVALID_ARGUMENT, 'output y: expected each name once, got it twice']);
          const empty = await grpc.error('ModelInfer', {
            model_name: 'parrot',
            inputs: [{ name: 'x', shape: [2 ** 40, 0], datatype: 'FP32' }],
          });
          assert.equal(empty.code, status.INVALID_ARGUMENT);
        } finally {
          grpc.close();
        }
      },
      { env: HASTE },
    );
  });
});

it('an endless result is answered at once, and delays no other request', () =>
  withServer(
    ['--entry-script', 'absurd-results.ts'],
    async (server) => {
      await server.ready();
      const codes: Record<string, string> = {
        arrays: 'result_not_json',
        objects: 'result_not_json',
        special: 'result_not_json',
        empty: 'result_not_json',
        huge: 'result_not_json',
        negative: 'result_not_json',
        fraction: 'result_not_json',
        none: 'result_not_json',
        axes: 'result_not_json',
        sparse: 'answer_too_large',
        'sparse tensor': 'answer_too_large',
        shared: 'answer_too_large',
        texts: 'answer_too_large',
        numbers: 'answer_too_large',
        response: 'answer_too_large',
        chunk: 'answer_too_large',
      };
      const neighbour = (): Promise<Answered> => post(server, '/score', '"hello"');
      for (const [name, code] of Object.entries(codes)) {
        const answered = await beside(server, neighbour, post(server, '/score', JSON.stringify(name)));
        assert.equal(answered.status, 500, name);
        assert.match(answered.text, /unexpected internal error/);
        const line = await server.line((each) => each['code'] === code);
        server.lines.splice(server.lines.indexOf(line), 1);
      }
      // Its head is gone: what is left to say is that it does not end well.
      await assert.rejects(post(server, '/score', '"second chunk"'));
      await server.line((each) => each['code'] === 'answer_too_large');
      assert.equal((await post(server, '/score', '"as large as may be"')).text.length, 9 * (1024 * 1024 + 3) + 1);
      assert.equal((await neighbour()).status, 200);
    },
    { env: { ...HASTE, ANSWER_LIMIT_BYTES: '10M' } },
  ));

it('a script that takes raw requests gets each of them, whatever its Host', () =>
  withServer(
    ['--entry-script', 'raw-http.ts'],
    async (server) => {
      await server.ready();
      const port = await server.port();
      for (const host of ['user:secret@host', '@', 'a b', 'x:99999999', '[::1', '%', 'ü', 'localhost']) {
        const answer = await raw(port, `POST /score HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`);
        // A request that the front door refuses never gets there.
        assert.match(answer, /^HTTP\/1\.1 (?:202|400) /, host);
      }
      assert.deepEqual(
        server.lines.filter(({ code }) => code === 'run_failed'),
        [],
      );
    },
    { env: HASTE },
  ));
