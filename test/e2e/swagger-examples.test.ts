import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ModelName, writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { withServer } from './start-server.ts';

/** Models, and whether their description has an example of a request. */
const models: readonly (readonly [name: ModelName, example: boolean])[] = [
  ['ridge', true],
  ['mlp', true],
  ['multi', true],
  ['columns', true],
  ['ranks', true],
  ['strange_names', true],
  ['zipmap', true],
  ['sequence_output', true],
  ['echo_string', true],
  ['echo_bool', true],
  ['echo_int64', true],
  ['echo_float16', true],
  // An image of 150,528 numbers.
  ['resnet50', false],
];

describe("swagger's example of a request", () => {
  for (const [name, expected] of models) {
    it(`${expected ? 'scores' : 'is left out'}: ${name}`, () =>
      withServer(['--model', writeModel(name, folder())], async (server) => {
        await server.ready();
        for (const version of ['2', '3', '3.1']) {
          const document = (await (await fetch(await server.url(`/swagger.json?version=${version}`))).json()) as {
            definitions?: { ServiceInput: object };
            components?: { schemas: { ServiceInput: object } };
          };
          const input = document.definitions?.ServiceInput ?? document.components?.schemas.ServiceInput ?? {};
          assert.equal('example' in input, expected, JSON.stringify(input).slice(0, 500));
          if (!('example' in input)) continue;
          const response = await server.score(input.example);
          assert.equal(response.status, 200, await response.text());
        }
      }));
  }
});
