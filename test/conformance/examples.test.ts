import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { assertExampleScores } from './example-scores.ts';
import { FOLDER, missing } from './fixtures.ts';

/** Not a model: an archive with the name of one. */
const NO_MODEL = 'zipext.onnx';
/** Its made-up values are refused, or it takes none that are known. */
const WITHOUT = ['skl_knnimputer.onnx'];

const files = missing ? [] : globSync('reported/**/*.onnx', { cwd: FOLDER }).filter((file) => basename(file) !== NO_MODEL);

describe('the example of a reported model scores', { skip: missing }, () => {
  for (const file of files)
    it(basename(file), () =>
      withServer(['--model', join(FOLDER, file)], async (server) => {
        await server.ready();
        await assertExampleScores(server, !WITHOUT.includes(basename(file)));
      }),
    );
});
