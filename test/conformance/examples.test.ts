import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { assertExampleScores } from './example-scores.ts';
import { FOLDER, missing } from './fixtures.ts';

const files = missing ? [] : globSync('reported/**/*.onnx', { cwd: FOLDER });

describe('the example of a reported model scores', { skip: missing }, () => {
  for (const file of files)
    it(basename(file), () =>
      withServer(['--model', join(FOLDER, file)], async (server) => {
        await server.ready();
        await assertExampleScores(server);
      }),
    );
});
