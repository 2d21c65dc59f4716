import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
import { SCRIPTS, withWorkers } from './start-workers.ts';

for (const script of ['echo.ts', 'echo.mts', 'echo.js', 'echo.mjs', 'echo.cjs']) {
  test(`${script} gets parsed JSON and answers it`, () =>
    withWorkers(script, async (workers) => {
      const answer = await workers.score({
        data: [
          [1, 2.5],
          ['ä', null],
        ],
      });
      assert.deepEqual(
        [answer.status, answer.json],
        [
          200,
          {
            data: [
              [1, 2.5],
              ['ä', null],
            ],
          },
        ],
      );
    }));
}

test('a default export may hold init and run', () =>
  withWorkers('default-export.ts', async (workers) => assert.deepEqual((await workers.score(1)).json, { got: 1 })));

test('the export driver_module has no effect, and the log says so', () =>
  withWorkers('driver-module.cjs', async (workers) => {
    await workers.lineWith('the export driver_module has no effect: export run() itself');
    assert.equal((await workers.score(1)).json, 'own');
  }));

test('an async init is awaited before the worker is ready', () =>
  withWorkers('async-init.ts', async (workers) => assert.equal((await workers.score(1)).json, true)));

test('the content type decides what run() gets', () =>
  withWorkers('kind.ts', async (workers) => {
    const cases: [contentType: string | undefined, body: string, got: unknown][] = [
      ['application/json', '{"a":1}', { object: { a: 1 } }],
      ['application/json; charset=utf-8', '[1]', { object: [1] }],
      ['Application/Vnd.Api+JSON', '"x"', { string: 'x' }],
      ['text/json', '1', { number: 1 }],
      ['text/plain', '{"a":1}', { string: '{"a":1}' }],
      ['text/csv; charset=iso-8859-1', 'a', { string: 'a' }],
      ['application/x-www-form-urlencoded', '{"a":1}', { object: { a: 1 } }],
      ['application/x-www-form-urlencoded', 'a=1&b=2', { bytes: 'a=1&b=2' }],
      ['application/x-www-form-urlencoded', 'a={b}', { bytes: 'a={b}' }],
      [undefined, '[1]', { object: [1] }],
      [undefined, 'plain', { bytes: 'plain' }],
      ['', '[1]', { object: [1] }],
      ['application/octet-stream', '[1]', { bytes: '[1]' }],
      ['image/png', 'x', { bytes: 'x' }],
      ['multipart/form-data; boundary=x', 'x', { bytes: 'x' }],
      ['no media type at all', '1', { bytes: '1' }],
    ];
    for (const [contentType, body, got] of cases) {
      assert.deepEqual((await workers.score(Buffer.from(body), { contentType })).json, got, `${contentType}: ${body}`);
    }
  }));

for (const [inputType, body, got] of [
  ['text', '{"a":1}', { kind: 'string', data: '{"a":1}' }],
  ['bytes', 'ab', { kind: 'object', data: '6162' }],
  ['json', '[1]', { kind: 'object', data: [1] }],
] as const) {
  test(`inputType = '${inputType}' overrules every content type`, () =>
    withWorkers(`input-${inputType}.ts`, async (workers) => {
      for (const contentType of [
        'application/json',
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/octet-stream',
        undefined,
      ]) {
        assert.deepEqual((await workers.score(Buffer.from(body), { contentType })).json, got, String(contentType));
      }
    }));
}

test("bad JSON and bad UTF-8 are the client's fault, with the position", () =>
  withWorkers('echo.ts', async (workers) => {
    const cases: [body: Buffer, code: string, message: RegExp][] = [
      [Buffer.from('{bad'), 'bad_json', /could not be decoded as JSON: .*: line 1 column 2 \(char 1\)$/],
      [Buffer.from('[1,\n 2,}'), 'bad_json', /line 2 column 4 \(char 7\)$/],
      [Buffer.from('{"a": 1'), 'bad_json', /line 1 column 8 \(char 7\)$/],
      [Buffer.from('nope'), 'bad_json', /line 1 column 1 \(char 0\)$/],
      [Buffer.alloc(0), 'bad_json', /^POST body is empty/],
      [Buffer.from([0x22, 0xff, 0x22]), 'bad_text', /Input cannot be decoded as UTF-8: can't decode byte 0xff in position 1$/],
    ];
    for (const [body, code, message] of cases) {
      await assert.rejects(
        workers.score(body),
        (error: { code: string; message: string }) => error.code === code && message.test(error.message),
        body.toString(),
      );
    }
  }));

test('bad JSON of a client that names no type is refused with the position, unless the script takes another form', async () => {
  const refusing = { start: { jsonNan: 'refuse' } } as const;
  await withWorkers(
    'echo.ts',
    async (workers) => {
      for (const contentType of ['application/x-www-form-urlencoded', undefined])
        await assert.rejects(workers.score(Buffer.from(' {"data": [NaN]}'), { contentType }), {
          code: 'bad_json',
          message:
            'POST body could not be decoded as JSON: Unexpected token \'N\' (JSON has no NaN: send "NaN", "Infinity" or "-Infinity" as a string, or null): line 1 column 12 (char 11)',
        });
    },
    refusing,
  );
  await withWorkers('echo.ts', async (workers) => {
    for (const contentType of ['application/x-www-form-urlencoded', undefined])
      assert.deepEqual((await workers.score(Buffer.from(' {"data": [NaN]}'), { contentType })).json, { data: ['NaN'] });
  });
  await withWorkers('input-text.ts', async (workers) => {
    const contentType = 'application/x-www-form-urlencoded; charset=utf-16le';
    assert.deepEqual((await workers.score(Buffer.from('\ufeff{bad'), { contentType })).json, { kind: 'string', data: '\ufeff{bad' });
    await assert.rejects(workers.score(Buffer.of(0x7b, 0xe9), { contentType: 'text/plain; charset=latin1' }), { code: 'bad_text' });
  });
});

test('GET gets the query as an object, each value JSON if it parses', () =>
  withWorkers('echo.ts', async (workers) => {
    const url = '/score?a=1&b=[1,2]&c=a&d=null&e=x&e=2&f=1.50&g=true&h=%22q%22';
    const answer = await workers.score(Buffer.alloc(0), { method: 'GET', url, contentType: undefined });
    assert.deepEqual(answer.json, { a: 1, b: [1, 2], c: 'a', d: null, e: ['x', 2], f: 1.5, g: true, h: 'q' });
    assert.deepEqual((await workers.score(Buffer.alloc(0), { method: 'GET', url: '/score', contentType: undefined })).json, {});
  }));

test('GET with inputType text gets the JSON text of the query', () =>
  withWorkers('input-text.ts', async (workers) => {
    assert.deepEqual((await workers.score(Buffer.alloc(0), { method: 'GET', url: '/score?a=1' })).json, {
      kind: 'string',
      data: '{"a":1}',
    });
  }));

test('exactIntegers keeps whole numbers beyond 2^53, there and back', () =>
  withWorkers('exact-integers.ts', async (workers) => {
    const text = '{"id":9007199254740993,"small":1,"float":1.5e300,"text":"9007199254740993"}';
    assert.equal((await workers.score(Buffer.from(text))).text, text.replace('1.5e300', '1.5e+300'));
  }));

test('rawHttp gets a web Request with any method, and reads forms', () =>
  withWorkers('raw-http.ts', async (workers) => {
    const answer = await workers.score(Buffer.from('hello'), { method: 'PUT', url: '/score?x=1', contentType: 'text/plain' });
    assert.deepEqual(
      [answer.status, answer.headers['x-mine'], JSON.parse(answer.text)],
      [202, 'yes', { method: 'PUT', url: 'http://localhost/score?x=1', body: 'hello' }],
    );
    const form = '--b\r\ncontent-disposition: form-data; name="field"\r\n\r\nvalue\r\n--b--\r\n';
    const uploaded = await workers.score(Buffer.from(form), {
      rawHeaders: ['Content-Type', 'multipart/form-data; boundary=b'],
      contentType: 'multipart/form-data; boundary=b',
    });
    assert.deepEqual((JSON.parse(uploaded.text) as { body: unknown }).body, { field: 'value' });
    assert.equal((await workers.score(Buffer.alloc(0), { method: 'HEAD' })).status, 202);
  }));

test('a returned Response is answered as it is', () =>
  withWorkers('response.ts', async (workers) => {
    const made = await workers.score('made');
    assert.deepEqual([made.status, made.text, made.headers['content-type']], [201, '{"ready":"made"}', 'application/json']);
    const bytes = await workers.score('bytes');
    assert.deepEqual([bytes.headers['content-type'], bytes.text], ['application/octet-stream', '\u0001\u0002\u0003']);
    assert.deepEqual([(await workers.score('empty')).status, (await workers.score('empty')).json], [202, {}]);
    assert.deepEqual([(await workers.score('no content')).status, (await workers.score('no content')).text], [204, '']);
    const cookies = await workers.begin('cookies').reply;
    assert.deepEqual(
      cookies.headers.filter(([name]) => name === 'set-cookie'),
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    );
  }));

test('a Response whose body is used up is a failure of run()', () =>
  withWorkers('response-used.ts', async (workers) => assert.rejects(workers.score(1), { code: 'run_failed' })));

for (const [script, status, message] of [
  ['scoring-error.ts', 422, 'status 422 it is'],
  ['scoring-error.js', 418, 'a teapot'],
  ['scoring-error.cjs', 409, 'from CommonJS'],
] as const) {
  test(`${script} answers with the status and message of its ScoringError`, () =>
    withWorkers(script, async (workers) => {
      const answer = await workers.score({ status });
      assert.deepEqual([answer.status, answer.json], [status, { message }]);
    }));
}

test('a ScoringError answers an object as JSON, as run() would, and over the other protocols as a text', () =>
  withWorkers('scoring-error-object.ts', async (workers) => {
    const answer = await workers.score('object');
    assert.deepEqual(
      [answer.status, answer.headers['content-type'], answer.text],
      [422, 'application/json', '{"field":"age","ids":[9007199254740993],"scores":[1.5,"NaN"]}'],
    );
    assert.deepEqual([(await workers.score('list')).status, (await workers.score('list')).text], [400, '["a","b"]']);
    assert.equal((await workers.score('text')).text, '{"message":"plain"}');
    for (const [way, message] of [
      ['map', /^run\(\) threw a ScoringError with a Map at `body\.deep`, which has no JSON form/],
      ['error', /an Error at `body`.*error\.message/],
    ] as const)
      await assert.rejects(workers.score(way), { code: 'result_not_json', message });
    const inputs = [{ name: 'way', shape: [1], datatype: 'BYTES', data: ['object'] }];
    const rest = await workers.score({ inputs }, { protocol: 'open-inference', url: '/v2/models/scripted/infer' });
    assert.deepEqual(rest.json, { error: '{"field":"age","ids":[9007199254740993],"scores":[1.5,"NaN"]}' });
    await workers.score('object with a cause', { id: 'caused' });
    const { msg, requestId } = await workers.lineWith('for a cause');
    assert.equal(requestId, 'caused');
    assert.match(String(msg), /ScoringError: \{"field":"age"\}\n[\s\S]*\[cause\]: Error: the reason/);
  }));

test('a chunk of a stream, and an output, that have no form are refused by name', () =>
  withWorkers('values.ts', async (workers) => {
    const message = /a Map at `result\.map`.*return Object\.fromEntries\(map\) or \[\.\.\.map\]/;
    await assert.rejects(workers.score('chunk'), { code: 'result_not_json', message });
    for (const [name, what] of [
      ['blob', /a Blob at `result`.*new Response\(blob\) for it alone/],
      ['promise', /a Promise at `result\.later`.*await it/],
      ['error', /an Error at `result\.error`/],
    ] as const)
      await assert.rejects(workers.score(name), { code: 'result_not_json', message: what });
    const inputs = [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }];
    const infer = { protocol: 'open-inference', url: '/v2/models/scripted/infer' } as const;
    await assert.rejects(workers.score({ inputs }, infer), { code: 'result_not_json', message: /a Map as the output output.*fromEntries/ });
  }));

test('a ScoringError of 500 and more counts as a failed run', () =>
  withWorkers('scoring-error.ts', async (workers) => assert.equal((await workers.begin({ status: 503 }).reply).runFailed, true)));

test('an answer that run() threw has no time of run(); one that it returned has', async () => {
  await withWorkers('scoring-error.ts', async (workers) => {
    assert.equal((await workers.begin({ status: 422 }).reply).runMs, undefined);
  });
  await withWorkers('thrown-response.ts', async (workers) => assert.equal((await workers.begin(1).reply).runMs, undefined));
  await withWorkers('values.ts', async (workers) => assert.ok(Number((await workers.begin('null').reply).runMs) >= 0));
});

test('a thrown Response is answered as it is', () =>
  withWorkers('thrown-response.ts', async (workers) => {
    const answer = await workers.score(1);
    assert.deepEqual([answer.status, answer.json], [403, { detail: 'no' }]);
  }));

test('values that JSON.stringify gets wrong are answered right, or refused by name', () =>
  withWorkers('values.ts', async (workers) => {
    for (const [name, text] of [
      ['undefined', '{}'],
      ['null', '{}'],
      ['float32', '[0.5,"NaN","-Infinity"]'],
      ['bigints', '{"ids":[9007199254740993],"one":12345678901234567890}'],
      ['tensor', '[[1,2],[3,4]]'],
      ['nan', '{"score":"NaN","list":[1,"Infinity"]}'],
    ]) {
      assert.equal((await workers.score(name)).text, text, name);
    }
    for (const [name, message] of [
      ['map', /a Map at `result\.deep\[0\]`/],
      ['function', /a function at `result`/],
      ['circular', /an object that contains itself at `result\.self`/],
    ] as const) {
      await assert.rejects(workers.score(name), { code: 'result_not_json', message });
    }
    await workers.score('json');
    await workers.lineWith('itself JSON');
  }));

test('the request tells its ids, url, query and headers', () =>
  withWorkers('request.ts', async (workers) => {
    const answer = await workers.score({}, { id: 'r-1', clientRequestId: 'c-1', url: '/score?a=b' });
    assert.deepEqual(answer.json, {
      id: 'r-1',
      clientRequestId: 'c-1',
      traceId: '0123456789abcdef0123456789abcdef',
      method: 'POST',
      url: '/score?a=b',
      query: { a: 'b' },
      header: 'yes',
    });
  }));

test('concurrency = 1 serialises run(), without it runs interleave', async () => {
  await withWorkers('concurrency-one.ts', async (workers) => {
    const seen = await Promise.all(Array.from({ length: 5 }, () => workers.score(0)));
    assert.deepEqual(
      seen.map(({ json }) => json),
      [1, 1, 1, 1, 1],
    );
  });
  await withWorkers('interleaves.ts', async (workers) => {
    const seen = await Promise.all(Array.from({ length: 5 }, () => workers.score(0)));
    assert.equal(Math.max(...seen.map(({ json }) => Number(json))), 5);
  });
});

test('console output becomes log lines with the request id, also after an await', () =>
  withWorkers('console.ts', async (workers) => {
    await workers.score(1, { id: 'with-id' });
    const { requestId, level, worker } = await workers.lineWith('said before');
    assert.deepEqual({ requestId, level, worker }, { requestId: 'with-id', level: 'info', worker: 0 });
    const warned = await workers.lineWith("warned: 'after'");
    assert.deepEqual([warned['level'], warned['requestId']], ['warn', 'with-id']);
    assert.equal((await workers.lineWith('column'))['requestId'], 'with-id');
    assert.equal((await workers.lineWith('past the console'))['stream'], 'stdout');
  }));

test('parsing what is parsed already gets a hint at inputType', () =>
  withWorkers('double-parse.ts', async (workers) => {
    await assert.rejects(workers.score({ a: 1 }), { code: 'run_failed' });
    assert.equal((await workers.lineWith("inputType = 'text'"))['level'], 'warn');
  }));

test('init() logs through its context', () =>
  withWorkers('init-logs.ts', async (workers) => assert.equal((await workers.lineWith('loading'))['step'], 1)));

test('modelPath finds a version, and the highest one', async () => {
  const modelDir = folder();
  for (const version of ['2', '10']) {
    mkdirSync(join(modelDir, 'iris', version), { recursive: true });
    writeFileSync(join(modelDir, 'iris', version, 'model.onnx'), '');
  }
  writeFileSync(join(modelDir, 'iris', '2', 'labels.txt'), '');
  await withWorkers(
    'model-path.ts',
    async (workers) =>
      assert.deepEqual((await workers.score(1)).json, [join(modelDir, 'iris', '10', 'model.onnx'), join(modelDir, 'iris', '2')]),
    { start: { modelDir } },
  );
});

test('modules of the application are imported by name', async () => {
  const path = folder();
  writeFileSync(join(path, 'shared-code.ts'), 'export const answer: number = 42;\n');
  await withWorkers('imports-by-name.ts', async (workers) => assert.equal((await workers.score(1)).json, 42), {
    start: { importPath: [path, SCRIPTS] },
  });
});

test('the error of run() stays in the log and out of the answer', () =>
  withWorkers('run-throws.ts', async (workers) => {
    await assert.rejects(workers.score(1), (error: { code: string; clientMessage: string; message: string }) => {
      assert.equal(error.code, 'run_failed');
      assert.match(error.message, /secret detail[\s\S]*run-throws\.ts/);
      assert.doesNotMatch(error.clientMessage, /secret/);
      return true;
    });
  }));

test('a thrown string is a failed run too', () =>
  withWorkers('run-rejects-string.ts', async (workers) =>
    assert.rejects(workers.score(1), { code: 'run_failed', message: /just a string/ }),
  ));

test('a forgotten promise is logged and harms nobody', () =>
  withWorkers('unhandled-rejection.ts', async (workers) => {
    assert.equal((await workers.score(1)).json, 'fine');
    const line = await workers.lineWith('unhandled rejection');
    assert.match(String(line['msg']), /forgotten/);
    assert.ok(line['requestId'], 'the request that has made it is named, although it is over');
    assert.equal((await workers.score(1)).json, 'fine');
  }));

test('scoring-server is imported from anywhere on disk, with nothing installed beside the script', async () => {
  const path = folder();
  for (const script of ['scoring-error.ts', 'scoring-error.js', 'scoring-error.cjs']) {
    const copy = join(path, script === 'scoring-error.js' ? 'scoring-error.mjs' : script);
    copyFileSync(join(SCRIPTS, script), copy);
    await withWorkers(copy, async (workers) => assert.ok((await workers.score({ status: 418 })).status >= 400));
  }
});

test('a tensor with too few elements for its dims is refused by name', () =>
  withWorkers('ragged-tensor.ts', async (workers) =>
    assert.rejects(workers.score(1), { code: 'result_not_json', message: /dims \[2,3\] with 4 elements instead of 6/ }),
  ));

test("inputType = 'tensors' gives arrays of numbers as tensors, whatever way the body took", () =>
  withWorkers('input-tensors.ts', async (workers) => {
    for (const text of ['{"x":[[1,2],[3,4.5]],"name":"a"}', '{"x":[[1,2],[3,4.5]],"name":"\\u0061"}']) {
      assert.deepEqual((await workers.score(Buffer.from(text))).json, { dims: [2, 2], type: 'float64', values: [1, 2, 3, 4.5], name: 'a' });
    }
    await assert.rejects(workers.score(Buffer.from('{"x":[1,}')), { code: 'bad_json', message: /line 1 column 9/ });
  }));
