import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ModelName, writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { withServer } from './start-server.ts';

const models: readonly ModelName[] = [
  'ridge',
  'mlp',
  'multi',
  'columns',
  'ranks',
  'strange_names',
  'zipmap',
  'sequence_output',
  'echo_string',
  'echo_bool',
  'echo_int64',
  'echo_float16',
  // An image of 150,528 numbers: zeros, of which the worker names the sizes.
  'resnet50',
];

describe("swagger's example of a request", () => {
  for (const name of models) {
    it(`scores: ${name}`, () =>
      withServer(['--model', writeModel(name, folder())], async (server) => {
        await server.ready();
        for (const version of ['2', '3', '3.1']) {
          const document = (await (await fetch(await server.url(`/swagger.json?version=${version}`))).json()) as {
            definitions?: { ServiceInput: object };
            components?: { schemas: { ServiceInput: object } };
          };
          const input = document.definitions?.ServiceInput ?? document.components?.schemas.ServiceInput ?? {};
          assert.ok('example' in input, JSON.stringify(input).slice(0, 500));
          const response = await server.score(input.example);
          assert.equal(response.status, 200, await response.text());
        }
      }));
  }
});
