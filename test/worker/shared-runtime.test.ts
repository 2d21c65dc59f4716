import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { scriptFolder } from './script-folder.ts';
import { Workers, withWorkers } from './start-workers.ts';

const { version } = JSON.parse(readFileSync(new URL('../../node_modules/onnxruntime-node/package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Another version of the library, which cannot be loaded beside the server's. */
const other = (at: string): Record<string, string> => ({
  [`${at}/onnxruntime-node/package.json`]: '{"version": "1.21.0", "main": "index.js"}',
  [`${at}/onnxruntime-node/index.js`]: "throw new Error('the wrong copy is loaded');\n",
});

const tokeniser = (range: string): Record<string, string> => ({
  ...other('node_modules'),
  ...other('node_modules/tokeniser/node_modules'),
  'node_modules/tokeniser/package.json': JSON.stringify({
    exports: { import: './index.mjs', require: './index.cjs' },
    dependencies: { 'onnxruntime-node': range },
  }),
  'node_modules/tokeniser/index.mjs': "export { InferenceSession, Tensor } from 'onnxruntime-node';\n",
  'node_modules/tokeniser/index.cjs':
    "module.exports = { ...require('onnxruntime-node'), version: require('onnxruntime-node/package.json').version };\n",
});

const script = `
import { createRequire } from 'node:module';
import { InferenceSession } from 'onnxruntime-node';
import * as imported from 'tokeniser';
const required = createRequire(import.meta.url)('tokeniser');
let model;
export async function init(context) {
  model = await context.openModel('diabetes.onnx');
}
export async function run(data) {
  const { variable } = await model.run({ X: data });
  return {
    rows: variable.dims[0],
    version: required.version,
    one: [imported.InferenceSession, required.InferenceSession].every((each) => each === InferenceSession),
  };
}
`;

const model = { modelDir: new URL('../../entry-scripts/', import.meta.url).pathname };

test('the script and each package, at any depth, get the onnxruntime-node of the server', () =>
  withWorkers(
    join(scriptFolder({ ...tokeniser('1.21.0'), 'score.mjs': script }), 'score.mjs'),
    async (workers) => assert.deepEqual((await workers.score([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])).json, { rows: 1, version, one: true }),
    { start: model },
  ));

for (const range of ['^2.0.0', '1.999.0', '>=2.1 <3']) {
  test(`a package that asks for onnxruntime-node ${range} is named, with the range and the server's version`, async () => {
    const workers = new Workers(join(scriptFolder({ ...tokeniser(range), 'score.mjs': script }), 'score.mjs'), { start: model });
    try {
      const { code, message } = await workers.failure;
      assert.equal(code, 'script_broken');
      assert.match(message, /node_modules\/tokeniser\/package\.json: expected a range that takes onnxruntime-node \d/);
      assert.ok(message.includes(`got ${range}.`) && message.includes(version), message);
    } finally {
      await workers.stop();
    }
  });
}

test("a name that the server's version lacks is told with the version", async () => {
  const home = scriptFolder({
    'score.mjs': "import { nothing } from 'onnxruntime-node';\nexport const init = nothing;\nexport const run = nothing;\n",
  });
  const workers = new Workers(join(home, 'score.mjs'));
  try {
    const { message } = await workers.failure;
    assert.ok(message.includes('nothing') && message.includes(`this server's onnxruntime-node ${version}`), message);
  } finally {
    await workers.stop();
  }
});
