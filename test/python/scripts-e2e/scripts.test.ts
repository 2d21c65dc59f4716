import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from '../python-test.ts';
import { fileURLToPath } from 'node:url';
import { type ServerProcess, withServer } from '../../e2e/start-server.ts';

const SCRIPTS = fileURLToPath(new URL('../scripts/', import.meta.url));
/** The interpreter of this machine, without bytecode beside the scripts. */
const env = { PYTHONDONTWRITEBYTECODE: '1' };

function served(script: string, check: (server: ServerProcess) => Promise<void>): Promise<void> {
  return withServer(['--entry_script', join(SCRIPTS, script)], async (server) => check(await server.ready()), { env });
}

async function post(server: ServerProcess, body: string | Uint8Array<ArrayBuffer> | FormData, headers = {}): Promise<Response> {
  return fetch(await server.url('/score'), { method: 'POST', body, headers });
}

/** Status and headers of a request that fetch does not send so. */
async function head(server: ServerProcess, method: string): Promise<[number | undefined, unknown]> {
  const url = await server.url('/score');
  return new Promise((resolve, reject) => {
    request(url, { method }, (answer) => {
      answer.resume();
      resolve([answer.statusCode, answer.headers['x-head'] ?? answer.headers['x-allow']]);
    })
      .on('error', reject)
      .end();
  });
}

test('run() of a script in Python gets the body as a text', () =>
  served('text_input.py', async (server) => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const answer = await post(server, 'a=1&ä', { 'content-type': type, 'x-kind': 'test' });
      assert.deepEqual([answer.status, await answer.json()], [200, ['a=1&ä', 'str', 'test']]);
    }
    const query = await fetch(await server.url('/score?a=1&b=[1,2]&c=x&c=2'));
    const [text] = (await query.json()) as string[];
    assert.deepEqual(JSON.parse(text ?? ''), { a: 1, b: [1, 2], c: ['x', 2] });
    const refused = await post(server, Uint8Array.of(0xff));
    assert.equal(refused.status, 400);
    assert.deepEqual(await refused.json(), {
      message: "Input cannot be decoded as UTF-8: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    });
    assert.equal((await fetch(await server.url('/score'), { method: 'OPTIONS' })).status, 200);
    assert.deepEqual(await head(server, 'HEAD'), [405, undefined]);
  }));

test('results of a script in Python are answered with their statuses and headers', () =>
  served('answers_by_name.py', async (server) => {
    const cases: [name: string, status: number, body: unknown, failed: string][] = [
      ['none', 200, {}, 'False'],
      ['nan', 200, ['NaN', 1.5], 'False'],
      ['encoded', 200, '{"a":1}', 'False'],
      ['teapot', 418, { tea: 'ä' }, 'False'],
      ['marked', 200, {}, 'True'],
      ['refuse', 422, { message: 'age must be positive' }, 'False'],
      ['fail', 500, { message: 'An unexpected error occurred in scoring script. Check the logs for more info.' }, 'True'],
      ['date', 500, { message: 'An unexpected internal error occurred. Check the logs for more info.' }, 'False'],
    ];
    for (const [name, status, body, failed] of cases) {
      const answer = await post(server, name);
      assert.deepEqual([name, answer.status, await answer.json()], [name, status, body]);
      assert.equal(answer.headers.get('x-ms-run-function-failed'), failed, name);
      assert.equal(answer.headers.get('content-type'), 'application/json');
    }
    const failed = await post(server, 'failed');
    assert.deepEqual([failed.status, await failed.text()], [503, 'later']);
    assert.deepEqual(
      ['x-ms-run-function-failed', 'content-type'].map((name) => failed.headers.get(name)),
      ['True', 'text/html; charset=utf-8'],
    );
    assert.equal((await post(server, 'teapot')).headers.get('x-kind'), '1, 2');
  }));

test('headers of an AMLResponse stay whole', () =>
  served('answers_by_name.py', async (server) => {
    const cookies = await post(server, 'cookies');
    assert.deepEqual(cookies.headers.getSetCookie(), ['a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT', 'b=2']);
    assert.equal(cookies.headers.get('content-type'), 'image/png');
    assert.deepEqual(await cookies.bytes(), Uint8Array.of(0xff));
  }));

test('failures of a script in Python are in the log alone', () =>
  served('answers_by_name.py', async (server) => {
    assert.doesNotMatch(await (await post(server, 'fail')).text(), /secret|Traceback/);
    const failed = await server.said('Traceback (most recent call last)');
    assert.match(JSON.stringify(failed), /json\.decoder\.JSONDecodeError: Expecting property name/);
    assert.doesNotMatch(JSON.stringify(failed), /scoring_worker/);
    await (await post(server, 'date')).text();
    await server.said("run() returned a datetime.datetime at `result['at'][0]`, which has no JSON form: return value.isoformat()");
  }));

test('a script in Python with @rawhttp gets the request of every method', () =>
  served('raw_request.py', async (server) => {
    assert.deepEqual(await head(server, 'HEAD'), [200, 'yes']);
    assert.deepEqual(await head(server, 'OPTIONS'), [204, 'anything']);
    const form = new FormData();
    form.append('image', new Blob([Uint8Array.of(0, 13, 10, 255)]), 'bild ä.png');
    assert.deepEqual(await (await post(server, form)).json(), { image: ['bild ä.png', 4] });
    const zipped = await fetch(await server.url('/score?a=1&a=2'), {
      method: 'POST',
      body: gzipSync('{"x":1}'),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-kind': 'test' },
    });
    assert.deepEqual(await zipped.json(), {
      full_path: '/score?a=1&a=2',
      args: { a: ['1', '2'] },
      body: 7,
      length: 7,
      json: { x: 1 },
      kind: 'test',
    });
  }));

test('a missing package of a script in Python ends the start with the cure', () =>
  withServer(
    ['--entry_script', join(SCRIPTS, 'missing_package.py')],
    async (server) => {
      const line = await server.said('Failed to import user script because it raised an unhandled exception');
      assert.match(JSON.stringify(line), /ModuleNotFoundError: No module named 'package_of_nobody'/);
      assert.match(JSON.stringify(line), /-m pip install package_of_nobody/);
      assert.deepEqual(await server.exited, { code: 3, signal: null });
    },
    { env },
  ));
