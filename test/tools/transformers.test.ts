import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scriptFolder } from '../worker/script-folder.ts';
import { withWorkers } from '../worker/start-workers.ts';

/** The last version that brings an onnxruntime-node of its own, 1.21, and runs on it. */
const VERSION = '3.8.1';
/** Two attempts of npm, each within this time. */
const INSTALL_MS = 75_000;

const words = ['[UNK]', 'hello', 'world'];
const files = {
  'package.json': JSON.stringify({
    name: 'app',
    version: '1.0.0',
    type: 'commonjs',
    dependencies: { '@huggingface/transformers': VERSION },
  }),
  'words/tokenizer.json': JSON.stringify({
    version: '1.0',
    added_tokens: [],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, id) => [word, id])), unk_token: '[UNK]' },
  }),
  'words/tokenizer_config.json': '{"tokenizer_class": "PreTrainedTokenizer", "unk_token": "[UNK]"}',
};

/** The same script, by import and by require. */
const body = `
let model, tokenizer;
async function init(context) {
  env.allowRemoteModels = false;
  env.localModelPath = folder;
  model = await context.openModel('diabetes.onnx');
  tokenizer = await AutoTokenizer.from_pretrained('words');
}
async function run({ text, data }) {
  const { input_ids: ids } = await tokenizer(text);
  const { variable } = await model.run({ X: data });
  return { ids: Array.from(ids.data, Number), variable: variable.data };
}
`;
const scripts = {
  'imports.ts': `import { AutoTokenizer, env } from '@huggingface/transformers';\nconst folder = import.meta.dirname;${body}export { init, run };\n`,
  'requires.js': `const { AutoTokenizer, env } = require('@huggingface/transformers');\nconst folder = __dirname;${body}module.exports = { init, run };\n`,
};

const home = scriptFolder({ ...files, ...scripts });
const modelDir = dirname(fileURLToPath(new URL('../../entry-scripts/diabetes.onnx', import.meta.url)));

async function install(): Promise<void> {
  const npm = process.env['npm_execpath'] === undefined ? ['npm'] : [process.execPath, process.env['npm_execpath']];
  const [command = 'npm', ...first] = npm;
  // Without install scripts: neither CUDA nor a compiler is needed for a tokeniser.
  const arguments_ = [...first, 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  await promisify(execFile)(command, arguments_, { cwd: home, env, timeout: INSTALL_MS });
}

test('a tokeniser of @huggingface/transformers runs beside openModel()', async (t) => {
  await t.test('npm installs the package', () => install().catch(install));
  for (const script of Object.keys(scripts))
    await t.test(`${script} answers`, () =>
      withWorkers(
        join(home, script),
        async (workers) => {
          const { ids, variable } = (await workers.score({ text: 'Hello there world', data: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] })).json as {
            ids: number[];
            variable: number[];
          };
          assert.deepEqual(ids, [1, 0, 2]);
          assert.ok(Math.abs((variable[0] ?? 0) - 11633.100167144921) < 1e-8);
        },
        { start: { modelDir } },
      ),
    );
  // It is 400 MB.
  rmSync(join(home, 'node_modules'), { recursive: true, force: true });
});
