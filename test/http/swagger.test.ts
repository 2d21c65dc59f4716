import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Schema } from '../../server/ipc/script-schemas.ts';
import type { ServedModel } from '../../server/scoring/scorer-types.ts';
import { folder } from '../set-up/folder.ts';
import { parseKeys } from '../../server/config/access-keys.ts';
import { served } from './fake-scorer.ts';
import { profileOf } from '../../server/config/platforms/platforms.ts';
import { NOWHERE } from '../set-up/surroundings.ts';
import { start } from './start.ts';

const EXPECTED = join(import.meta.dirname, '../../../shared', 'reference', 'swagger-expected');
const skip = existsSync(EXPECTED) ? false : `${EXPECTED} is not here`;
const expected = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(EXPECTED, name), 'utf8'));

const KEY = 'a-key-of-this-test';
/** The clients of Azure ML read the documents of its own server. */
const azureml = profileOf('azureml', NOWHERE);
const onAzure = (t: Parameters<typeof start>[0], changes: Parameters<typeof start>[1] = {}): ReturnType<typeof start> =>
  start(t, changes, undefined, undefined, undefined, azureml);

interface Operation {
  responses: Record<string, { description: string }>;
  security?: unknown;
  /** Of OpenAPI 3. */
  parameters?: readonly { readonly name: string; readonly schema: { readonly enum: readonly string[] } }[];
}

interface Document {
  swagger?: string;
  openapi?: string;
  info: { title: string; description: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  security?: unknown;
  securityDefinitions?: unknown;
  definitions: Record<string, unknown>;
  components: { schemas: Record<string, unknown>; securitySchemes?: unknown };
}

const VERSIONS = { '': '2', '?version=2': '2', '?version=2.0': '2', '?version=3': '3', '?version=3.0': '3', '?version=3.1': '3.1' };
const NUMBERS = { '2': '2.0', '3': '3.0.3', '3.1': '3.1.0' };

describe('swagger.json', () => {
  for (const [query, version] of Object.entries(VERSIONS)) {
    it(`${query || 'without a version'} is the document of version ${version}`, async (t) => {
      const { http } = await start(t);
      const { body, headers } = await http.get(`/swagger.json${query}`).expect(200);
      const document = body as Document;
      assert.equal(document.swagger ?? document.openapi, NUMBERS[version as '2']);
      assert.deepEqual(Object.keys(document.paths), ['/', '/score', '/swagger.json']);
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers['x-ms-run-function-failed'], 'False');
      assert.ok(!('x-ms-run-fn-exec-ms' in headers));
    });

    it(`${query || 'without a version'} on Azure ML equals the expected document`, { skip }, async (t) => {
      const { http } = await onAzure(t);
      const { body } = await http.get(`/swagger.json${query}`).expect(200);
      assert.deepEqual(body, await expected(`expected_swagger${version}_without_decorator.json`));
    });
  }

  it('has its title, version and prefix from the options', async (t) => {
    const { http } = await start(t, { serviceName: 'mine', serviceVersion: '7', servicePathPrefix: '/test/' });
    const { info, paths } = (await http.get('/swagger.json').expect(200)).body as Document;
    assert.deepEqual(info, { title: 'mine', description: 'API specification for the Azure Machine Learning service mine', version: '7' });
    assert.deepEqual(Object.keys(paths), ['/test/', '/test/score', '/test/swagger.json']);
    await http.get('/test/swagger.json').expect(404);
  });

  it('with a prefix has the expected paths', { skip }, async (t) => {
    const { http } = await onAzure(t, { servicePathPrefix: 'test' });
    const { paths } = (await http.get('/swagger.json').expect(200)).body as Document;
    assert.deepEqual(paths, ((await expected('expected_swagger_prefix_case.json')) as Document).paths);
  });

  it('names no credential where nobody asks for one', async (t) => {
    const { http } = await start(t);
    for (const version of ['2', '3', '3.1']) {
      const text = JSON.stringify((await http.get(`/swagger.json?version=${version}`).expect(200)).body);
      assert.doesNotMatch(text, /security|Bearer/);
    }
  });

  it('names the key that this server asks for, on every platform', async (t) => {
    for (const profile of [undefined, azureml]) {
      const { http } = await start(t, { scoringKeys: parseKeys(`one:${KEY}`) }, undefined, undefined, undefined, profile);
      const { body } = await http.get('/swagger.json?version=3').set('api-key', KEY).expect(200);
      assert.deepEqual((body as Document).security, [{ Bearer: [] }, { ApiKey: [] }]);
    }
  });

  it('has every route that answers, with ?routes=all', async (t) => {
    const { http, app, scorer } = await start(t, { modelName: 'm' });
    scorer.served = served;
    for (const version of ['2', '3', '3.1']) {
      const { paths } = (await http.get(`/swagger.json?routes=all&version=${version}`).expect(200)).body as Document;
      for (const [path, operations] of Object.entries(paths))
        for (const method of Object.keys(operations)) {
          const url = path.replace('{model}', 'm').replace('{version}', '1');
          assert.ok(app.hasRoute({ method: method.toUpperCase(), url: path.replaceAll(/\{(\w+)\}/g, ':$1') }), path);
          const { status } = method === 'get' ? await http.get(url) : await http.post(url).send('{');
          assert.ok(String(status) in operations[method]!.responses || status === 200, `${method} ${url}: ${status}`);
        }
      assert.ok('/v2/models/{model}/infer' in paths);
    }
  });

  it('asks for a key on exactly the routes that do, with ?routes=all', async (t) => {
    const { http, scorer } = await start(t, { modelName: 'm', scoringKeys: parseKeys(`one:${KEY}`) });
    scorer.served = served;
    for (const version of ['2', '3', '3.1']) {
      const whole = http.get(`/swagger.json?routes=all&version=${version}`).set('api-key', KEY);
      const { paths, security: usual = [] } = (await whole.expect(200)).body as Document;
      for (const [path, operations] of Object.entries(paths))
        for (const [method, { security = usual }] of Object.entries(operations)) {
          const url = path.replace('{model}', 'm').replace('{version}', '1');
          const { status } = method === 'get' ? await http.get(url) : await http.post(url).send('{');
          const asked = status === 401 ? [{ Bearer: [] }, { ApiKey: [] }] : [];
          assert.deepEqual(security, asked, `version ${version}: ${method} ${url} is ${status}`);
        }
    }
  });

  it('has the routes of the platform too, with ?routes=all', async (t) => {
    const platforms = {
      kserve: { env: {}, paths: ['/v1/models', '/v1/models/{model}', '/v1/models/{model}:predict'] },
      vertex: {
        env: { AIP_HTTP_PORT: '8080', AIP_PREDICT_ROUTE: '/v1/endpoints/1/deployedModels/2:predict', AIP_HEALTH_ROUTE: '/healthy' },
        paths: ['/healthy', '/v1/endpoints/1/deployedModels/2:predict'],
      },
      // Any path is a function here, and a document cannot say so.
      'azure-functions': { env: {}, paths: [] },
    } as const;
    for (const [name, { env, paths: more }] of Object.entries(platforms)) {
      const profile = profileOf(name as 'kserve', { ...NOWHERE, env });
      const { http } = await start(t, { modelName: 'm' }, undefined, undefined, undefined, profile);
      const document = async (query: string): Promise<Document> => (await http.get(`/swagger.json?${query}`).expect(200)).body as Document;
      const plain = ['/', '/score', '/swagger.json'];
      assert.deepEqual(Object.keys((await document('version=3')).paths), plain);
      const { paths } = await document('version=3&routes=all');
      const beside = Object.keys(paths).filter((path) => !/^\/(?:v2|health\/)|z$/.test(path));
      assert.deepEqual(beside, [...plain, ...more]);
      for (const [path, operations] of Object.entries(paths))
        for (const [method, { parameters = [] }] of Object.entries(operations)) {
          const url = parameters.reduce((text, { name: part, schema }) => text.replace(`{${part}}`, schema.enum[0] ?? ''), path);
          if (path !== '/swagger.json') assert.doesNotMatch(url, /[{}]/);
          const { status } = method === 'get' ? await http.get(url) : await http.post(url).send('{}');
          assert.notEqual(status, 404, `${method} ${url}`);
        }
    }
  });

  it('has both operations of a path that a platform uses twice, with ?routes=all', async (t) => {
    const env = { AIP_HTTP_PORT: '8080', AIP_PREDICT_ROUTE: '/model', AIP_HEALTH_ROUTE: '/model' };
    const { http } = await start(t, {}, undefined, undefined, undefined, profileOf('vertex', { ...NOWHERE, env }));
    const { paths } = (await http.get('/swagger.json?routes=all').expect(200)).body as Document;
    assert.deepEqual(Object.keys(paths['/model'] ?? {}), ['get', 'post']);
  });

  it('lists the statuses of the table that scoring can end with, and 401 only where a key is asked for', async (t) => {
    const { http } = await start(t);
    const { paths } = (await http.get('/swagger.json?routes=all&version=3').expect(200)).body as Document;
    const { responses } = paths['/v2/models/{model}/infer']!['post']!;
    assert.deepEqual(Object.keys(responses), ['200', '400', '404', '405', '408', '413', '415', '429', '431', '500', '503', '504']);
    const { http: closed } = await start(t, { scoringKeys: parseKeys(`one:${KEY}`) });
    const asked = (await closed.get('/swagger.json?routes=all&version=3').set('api-key', KEY).expect(200)).body as Document;
    assert.ok(['401', '403'].every((status) => status in asked.paths['/v2/models/{model}/infer']!['post']!.responses));
    assert.ok(!('401' in asked.paths['/health/live']!['get']!.responses));
    assert.deepEqual(asked.paths['/health/live']!['get']!.security, []);
  });

  it('refuses other versions', async (t) => {
    const { http } = await start(t);
    for (const version of ['9', '', '2.1', 'toString', '__proto__']) {
      await http
        .get('/swagger.json')
        .query({ version })
        .expect(404, { message: `Swagger version [${version}] is not valid. Supported versions: [2, 3, 3.1].` });
    }
  });
});

describe('an override file', () => {
  it('wins over the generated document of its version', async (t) => {
    const path = folder();
    const { http } = await start(t, {}, path);
    const get = async (version: string): Promise<unknown> => (await http.get(`/swagger.json?version=${version}`).expect(200)).body;
    const put = (name: string): Promise<void> => writeFile(join(path, name), JSON.stringify({ from: name }));
    await put('swagger2.json');
    assert.deepEqual(await get('2'), { from: 'swagger2.json' });
    await put('swagger.json');
    assert.deepEqual(await get('2.0'), { from: 'swagger.json' });
    assert.ok('openapi' in ((await get('3')) as object));
    await put('swagger3.json');
    assert.deepEqual(await get('3.0'), { from: 'swagger3.json' });
    assert.ok('openapi' in ((await get('3.1')) as object));
    await put('swagger3.1.json');
    assert.deepEqual(await get('3.1'), { from: 'swagger3.1.json' });
  });

  it('that cannot be read is a 500 without its path', async (t) => {
    const path = folder();
    const { http } = await start(t, {}, join(path, 'file'));
    await writeFile(join(path, 'file'), '');
    const { text } = await http.get('/swagger.json').expect(500);
    assert.ok(!text.includes(path));
  });
});

/** @param size of a fixed dimension of an input */
const array = (items: object, size?: number): object => ({
  type: 'array',
  ...(size !== undefined && { minItems: size, maxItems: size }),
  items,
});
/** A symbolic dimension of an input. */
const rows = (items: object): object => ({ type: 'array', minItems: 1, items });
/** The largest finite number. */
const FLOAT32 = 3.4028234663852886e38;

const NO_EXAMPLE = 'There is no example: the inputs are too large for a document, or no made-up values are known that the model takes.';

describe('the schemas of a model without code', () => {
  const model: ServedModel = {
    name: 'm',
    inputs: [
      { name: 'x', type: 'float32', dims: ['N', 3] },
      { name: 'flag', type: 'bool', dims: [] },
      { name: 'words', type: 'string', dims: [2] },
      { name: 'image', type: 'uint8', dims: ['N', 3, 224, 224] },
    ],
    outputs: [{ name: 'y', type: 'int64', dims: [''] }],
    provider: 'cpu',
    intraOpThreads: 1,
    ortVersion: '1.30.0',
    loadSeconds: 0.1,
    batching: { merges: false, reason: 'test' },
  };
  const input = {
    type: 'object',
    properties: {
      inputs: {
        type: 'object',
        properties: {
          x: rows(array({ type: 'number', minimum: -FLOAT32, maximum: FLOAT32 }, 3)),
          flag: { type: 'boolean' },
          words: array({ type: 'string' }, 2),
          image: rows(array(array(array({ type: 'integer', minimum: 0, maximum: 255 }, 224), 224), 3)),
        },
        required: ['x', 'flag', 'words', 'image'],
        additionalProperties: false,
      },
    },
    required: ['inputs'],
  };
  const output = {
    type: 'object',
    properties: { outputs: { type: 'object', properties: { y: array({ type: 'integer' }) } } },
    example: { outputs: { y: [0] } },
  };

  it('name its tensors', async (t) => {
    const { http, scorer } = await start(t);
    scorer.served = { ...served, noCode: true, models: [model] };
    const v2 = (await http.get('/swagger.json').expect(200)).body as Document;
    assert.deepEqual([v2.definitions['ServiceInput'], v2.definitions['ServiceOutput']], [{ ...input, description: NO_EXAMPLE }, output]);
    const v3 = (await http.get('/swagger.json?version=3').expect(200)).body as Document;
    assert.deepEqual(v3.components.schemas['ServiceInput'], { ...input, description: NO_EXAMPLE });
    assert.deepEqual(v3.components.schemas['ServiceOutput'], output);
  });

  it('have zeros as their example where a worker names only sizes, and none of too many', async (t) => {
    const { http, scorer } = await start(t);
    const sizes = [
      { name: 'x', dims: [1, 3] },
      { name: 'flag', dims: [] },
      { name: 'words', dims: [2] },
      { name: 'image', dims: [2, 1] },
    ];
    const example = { inputs: { x: [[0, 0, 0]], flag: false, words: ['', ''], image: [[0], [0]] } };
    const narrow = model.inputs.map((each) => (each.name === 'image' ? { ...each, dims: ['N', 1] } : each));
    for (const [zeros, shown] of [
      [sizes, example],
      [sizes.slice(1), undefined],
      [[...sizes.slice(0, 3), { name: 'image', dims: [1e9, 1e9] }], undefined],
    ] as const) {
      scorer.served = { ...served, noCode: true, models: [{ ...model, inputs: narrow }], zeros };
      const { definitions } = (await http.get('/swagger.json').expect(200)).body as {
        definitions: { ServiceInput: { example?: unknown } };
      };
      assert.deepEqual(definitions.ServiceInput.example, shown);
    }
  });

  it('have the body that a worker took as their example, or none', async (t) => {
    const { http, scorer } = await start(t);
    const example = { inputs: { x: [[0.5, 1, -1]] } };
    scorer.served = { ...served, noCode: true, models: [model], example: JSON.stringify(example) };
    const { definitions } = (await http.get('/swagger.json').expect(200)).body as Document;
    assert.deepEqual(definitions['ServiceInput'], { ...input, example });
  });

  it('name class labels and omitted outputs, and have no example that lacks an output', async (t) => {
    const { http, scorer } = await start(t);
    const outputs: ServedModel['outputs'] = [
      { name: 'p', type: 'float32', dims: ['', 2], classLabels: ['cat', 'dog'] },
      { name: 'masks', type: 'float32', dims: ['', 64, 64] },
    ];
    const omittedOutputs = [{ name: 'parts', reason: 'a map' }];
    scorer.served = { ...served, noCode: true, models: [{ ...model, outputs, omittedOutputs }] };
    const { definitions } = (await http.get('/swagger.json').expect(200)).body as Document;
    assert.deepEqual(definitions['ServiceOutput'], {
      type: 'object',
      properties: {
        outputs: {
          type: 'object',
          properties: {
            p: {
              ...array(array({ type: 'number' })),
              description: 'The last axis has the class labels of x-class-labels, in their order.',
              'x-class-labels': ['cat', 'dog'],
            },
            masks: array(array(array({ type: 'number' }))),
          },
        },
      },
      description: 'Omitted outputs, which cannot be carried: parts is a map.',
      'x-omitted-outputs': ['parts'],
    });
  });

  it('are empty for a script, and before a worker is ready', async (t) => {
    const { http, scorer } = await start(t);
    for (const known of [{ ...served, models: [model] }, undefined]) {
      scorer.served = known;
      const { definitions } = (await http.get('/swagger.json').expect(200)).body as Document;
      assert.deepEqual(definitions['ServiceInput'], { type: 'object', example: {} });
    }
  });

  it('are those that a script in Python declares, in the versions that can express them', { skip }, async (t) => {
    const { http, scorer } = await onAzure(t);
    for (const version of ['2', '3', '3.1'] as const) {
      const document = (await expected(`expected_swagger${version}.json`)) as Document;
      const declared = (document.definitions ?? document.components.schemas) as Record<string, Schema>;
      scorer.served = {
        ...served,
        schemas: { input: declared['ServiceInput']!, output: declared['ServiceOutput']!, versions: ['2', '3', '3.1'] },
      };
      assert.deepEqual((await http.get(`/swagger.json?version=${version}`).expect(200)).body, document);
    }
  });

  it('have no document of a version that cannot express them, unless a file is there', async (t) => {
    const path = folder();
    const { http, scorer } = await start(t, {}, path);
    const declared = { input: { type: 'object', example: { a: [1, 'b'] } }, output: { type: 'array' } };
    scorer.served = { ...served, schemas: { ...declared, versions: ['3', '3.1'] } };
    for (const [query, asked] of [
      ['', '2'],
      ['?version=2.0', '2.0'],
    ])
      await http.get(`/swagger.json${query}`).expect(404, {
        message: `Swagger version [${asked}] is not supported for the scoring script. Supported swagger versions: [3, 3.1].`,
      });
    await http.get('/swagger.json?version=9').expect(404, { message: 'Swagger version [9] is not valid. Supported versions: [3, 3.1].' });
    const { components } = (await http.get('/swagger.json?version=3.0').expect(200)).body as Document;
    assert.deepEqual([components.schemas['ServiceInput'], components.schemas['ServiceOutput']], [declared.input, declared.output]);
    await writeFile(join(path, 'swagger2.json'), '{"from":"file"}');
    await http.get('/swagger.json').expect(200, { from: 'file' });
  });

  it('are the JSON Schema of a script, as each version writes it', async (t) => {
    const { http, scorer } = await start(t);
    const declared = { $ref: '#/$defs/house', $defs: { house: { type: ['object', 'null'] } }, example: null };
    const schemas = { input: declared, output: { type: 'integer' }, versions: ['2', '3', '3.1'], jsonSchema: true } as const;
    scorer.served = { ...served, schemas };
    await http.get('/swagger.json').expect(404, {
      message: 'Swagger version [2] is not supported for the scoring script. Supported swagger versions: [3, 3.1].',
    });
    const v3 = (await http.get('/swagger.json?version=3').expect(200)).body as Document;
    const house = '#/components/schemas/ServiceInput.house';
    assert.deepEqual(v3.components.schemas, {
      ServiceInput: { example: null, allOf: [{ $ref: house }] },
      'ServiceInput.house': { type: 'object', nullable: true },
      ServiceOutput: { type: 'integer' },
      ErrorResponse: { type: 'object', properties: { message: { type: 'string' } } },
    });
    const { components } = (await http.get('/swagger.json?version=3.1').expect(200)).body as Document;
    assert.deepEqual(components.schemas['ServiceInput'], { $ref: house, example: null });
  });

  it('follow what workers say: a document is made anew for it', async (t) => {
    const { http, scorer } = await start(t);
    for (const type of ['object', 'array']) {
      scorer.served = { ...served, schemas: { input: { type }, output: { type }, versions: ['2'] } };
      for (let round = 0; round < 2; round++) {
        const { definitions } = (await http.get('/swagger.json').expect(200)).body as Document;
        assert.deepEqual(definitions['ServiceInput'], { type });
      }
    }
  });

  it('passes over a pipe and a folder in the place of a file', async (t) => {
    const path = folder();
    execFileSync('mkfifo', [join(path, 'swagger.json')]);
    await mkdir(join(path, 'swagger2.json'));
    const { http } = await start(t, {}, path);
    // Each reader of a pipe would hold one of the four threads of libuv.
    for (let round = 0; round < 5; round++) assert.equal(((await http.get('/swagger.json').expect(200)).body as Document).swagger, '2.0');
  });
});
