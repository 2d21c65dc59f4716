import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { SCRIPTS, withServer, type ServerProcess } from './start-server.ts';

const models = folder();

type Case = readonly [title: string, body: string, status: number, answer: unknown];

const post = async (
  server: ServerProcess,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers = {},
): Promise<[number, unknown]> => {
  const answer = await fetch(await server.url(path), { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  return [answer.status, await answer.json()];
};

/** Compares an answer: a pattern with the message of an error, else the whole answer. */
async function check(server: ServerProcess, path: string, [title, body, status, expected]: Case): Promise<void> {
  const [got, answer] = await post(server, path, body);
  assert.equal(got, status, `${title}: ${JSON.stringify(answer)}`);
  if (!(expected instanceof RegExp)) return assert.deepEqual(answer, expected, title);
  const { message, error } = answer as { message?: string; error?: string };
  assert.match(message ?? error ?? '', expected, title);
}

async function serve(args: readonly string[], cases: readonly Case[], path = '/score', env: Record<string, string> = {}): Promise<void> {
  await withServer(
    args,
    async (server) => {
      await server.ready();
      for (const each of cases) await check(server, path, each);
    },
    { env },
  );
}

const OWN = '["Age","Monthly Income (€)","Körper/Größe","children"]';
const frame = (age: unknown, children: unknown = 3): object => ({
  Age_out: [[age]],
  Monthly_Income_____out: [[2419]],
  Körper_Größe_out: [['groß']],
  children_out: [[children]],
});

const tables: readonly Case[] = [
  ['its own columns', `{"input_data":{"columns":${OWN},"index":[0],"data":[[31.5,2419,"groß",3]]}}`, 200, frame(31.5)],
  ['records', '{"input_data":[{"Age":31.5,"Monthly Income (€)":2419,"Körper/Größe":"groß","children":3}]}', 200, frame(31.5)],
  ['a table in split form alone', `{"columns":${OWN},"index":[0],"data":[[31.5,2419,"groß",3]]}`, 200, frame(31.5)],
  ['selected outputs of a table alone', `{"columns":${OWN},"data":[[31.5,2419,"groß",3]],"outputs":["children_out"]}`, 200, [3]],
  ['records alone', '[{"Age":31.5,"Monthly Income (€)":2419,"Körper/Größe":"groß","children":3}]', 200, frame(31.5)],
  [
    'a table alone without a column',
    '{"columns":["Age"],"data":[[1]]}',
    400,
    /^the body: expected a column for each input .* got no columns "/,
  ],
  ['a table alone with a short row', `{"columns":${OWN},"data":[[1]]}`, 400, /^the body\.data\[0\]: expected an array of 4 values/],
  [
    'records alone that differ',
    '[{"Age":1},{"age":1}]',
    400,
    /^the body\[1\]: expected the columns of the first record, got no column "Age"/,
  ],
  ['rows alone', '[[1,2,3]]', 400, /the body is no JSON object/],
  ['null and true', `{"input_data":{"columns":${OWN},"index":["2024-01-01"],"data":[[null,2419,"groß",true]]}}`, 200, frame('NaN', 1)],
  ['NaN', `{"input_data":{"columns":${OWN},"index":[["a",1]],"data":[[NaN,2419,"groß",3]]}}`, 200, frame('NaN')],
  [
    'null in whole numbers',
    `{"input_data":{"columns":${OWN},"data":[[1,2,"x",null]]}}`,
    400,
    /^input children\[0\]\[0\]: expected a whole number .* got null$/,
  ],
  [
    'a column too many',
    '{"input_data":[{"Age":1,"Monthly Income (€)":1,"Körper/Größe":"x","children":1,"x":1}]}',
    400,
    /got the unknown column "x"$/,
  ],
  [
    'a column too few',
    '{"data":[{"Agee":1,"Monthly Income (€)":1,"Körper/Größe":"x","children":1}]}',
    400,
    /^data: expected a column for each input \(Age, .*\), got no column "Age" and the unknown column "Agee" \(did you mean "Age"\?\)$/,
  ],
  [
    'another index',
    `{"input_data":{"columns":${OWN},"index":[0,1],"data":[[1,2,"x",3]]}}`,
    400,
    /^input_data\.index: expected an array of 1, .* got 2$/,
  ],
];

const numbers: readonly Case[] = [
  ['1e999', '{"data":[[1,1e999]]}', 400, /^input x\[0\]\[1\]: expected a finite number below 3\.4.*, got the number Infinity, /],
  ['1e39', '{"data":[[1],[1e39]]}', 400, /^input x\[1\]\[0\]: expected a finite number below 3\.4.*, got 1e\+39$/],
  ['1e999 beside a text', '{"data":[["NaN",1e999]]}', 400, /^input x\[0\]\[1\]: .* got the number Infinity, /],
  ['1e999 by name', '{"inputs":{"x":[[-1e999]]}}', 400, /^input x\[0\]\[0\]: .* got the number -Infinity, /],
  ['1e999 in a table', '{"input_data":{"columns":["a"],"data":[[1e999]]}}', 400, /^input x\[0\]\[0\]: .* got the number Infinity, /],
  [
    '1e999 in a tensor',
    '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[0,1e999]}]}',
    400,
    /^input x\[0\]\[1\]: .* got the number Infinity, /,
  ],
  ['texts', '{"data":[["NaN","Infinity","-Infinity"]]}', 200, [['NaN', 'Infinity', '-Infinity']]],
  ['true and null', '{"data":[[true,false,null,2]]}', 200, [[1, 0, 'NaN', 2]]],
  ['bare words', '{"data":[[NaN,Infinity,-Infinity,0]]}', 200, [['NaN', 'Infinity', '-Infinity', 0]]],
  ['a bare NaN alone', '{"inputs":{"x":[[NaN],[1]]}}', 200, { outputs: { y: [['NaN'], [1]] } }],
  ['an error behind a bare NaN', '{"data":[[NaN,Infinity],]}', 400, /no comma behind the last item\): line 1 column 25 \(char 24\)$/],
  ['an output twice', '{"data":[[1]],"outputs":["y","y"]}', 400, /^output y: expected each name once, got it twice$/],
];

const tensors: readonly Case[] = [
  [
    'null for all that is optional',
    '{"id":null,"parameters":null,"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","parameters":null,"data":[1]}],"outputs":null}',
    200,
    { model_name: 'echo_float32', outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [1] }] },
  ],
  [
    'bare words',
    '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[NaN,-Infinity]}]}',
    200,
    {
      model_name: 'echo_float32',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: ['NaN', '-Infinity'] }],
    },
  ],
  [
    '1e999',
    '{"inputs":[{"name":"x","shape":[2,1],"datatype":"FP32","data":[0,1e999]}]}',
    400,
    /^input x\[1\]\[0\]: .* got the number Infinity, /,
  ],
  ['an output twice', '{"inputs":[],"outputs":[{"name":"y"},{"name":"y"}]}', 400, /^output y: expected each name once, got it twice$/],
];

const rows = (count: number): string => JSON.stringify(Array.from({ length: count }, () => [1, 2, 3]));
const pair = (a: number, b: number): string => `{"inputs":{"a":${rows(a)},"b":${rows(b)}}}`;

describe('a model without code', () => {
  it('takes what pandas writes, and names the columns that do not fit', () => serve(['--model', writeModel('frame', models)], tables));

  it('has one answer to a number beyond the range, and takes Python’s words', () =>
    serve(['--model', writeModel('echo_float32', models)], numbers));

  it('takes the tensors that MLServer’s types write', () =>
    serve(['--model', writeModel('echo_float32', models)], tensors, '/v2/models/echo_float32/infer'));

  it('refuses bare words with JSON_NAN=refuse', () =>
    serve(
      ['--model', writeModel('echo_float32', models)],
      [
        [
          'NaN',
          '{"data":[[NaN]]}',
          400,
          /JSON has no NaN: send "NaN", "Infinity" or "-Infinity" as a string, or null\): line 1 column 11 \(char 10\)$/,
        ],
      ],
      '/score',
      { JSON_NAN: 'refuse' },
    ));

  it('asks for equal sizes where inputs share a name, unless SHARED_SIZES=ignore', async () => {
    const args = ['--model', writeModel('shared_size', models)];
    await serve(args, [
      ['equal', pair(1, 1), 200, { outputs: { y: [[2, 4, 6]] } }],
      [
        '2 and 3',
        pair(2, 3),
        400,
        /^input b: expected 2 on axis 0, because axis 0 of input a has the same size batch; got the shape \[3,3\]$/,
      ],
      ['2 and 1', pair(2, 1), 400, /^input b: expected 2 on axis 0, .* batch; got the shape \[1,3\]$/],
    ]);
    const ignored: readonly Case[] = [
      [
        '2 and 1',
        pair(2, 1),
        200,
        {
          outputs: {
            y: [
              [2, 4, 6],
              [2, 4, 6],
            ],
          },
        },
      ],
    ];
    await serve(args, ignored, '/score', { SHARED_SIZES: 'ignore' });
  });

  it('takes one text as a raw request, whatever sizes are open', () =>
    withServer(['--model', writeModel('echo_string', models)], async (server) => {
      await server.ready();
      const asked = { 'content-type': 'application/octet-stream', 'Inference-Header-Content-Length': '0' };
      const answer = await fetch(await server.url('/v2/models/echo_string/infer'), { method: 'POST', body: 'Köln', headers: asked });
      const bytes = Buffer.from(await answer.arrayBuffer());
      assert.equal(answer.status, 200, bytes.toString());
      assert.ok(bytes.includes('"shape":[1,1]') && bytes.subarray(-5).equals(Buffer.from('Köln')));
    }));
});

describe('an entry script', () => {
  it('gets the number NaN, and infinities as texts', () =>
    serve(
      ['--entry-script', join(SCRIPTS, 'kind.ts')],
      [['NaN', '{"x":NaN,"y":[-Infinity]}', 200, { object: { x: 'NaN', y: ['-Infinity'] } }]],
    ));
});
