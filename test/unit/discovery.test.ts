import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { discover, modelTree } from '../../server/discovery.ts';

const HOME = '/opt/scoring-server';

function application(t: TestContext, files: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'discovery-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const file of files) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

const nothing = { sourceDirectory: '', entryScript: '', modelDir: '', model: '' };
const find = (appRoot: string, given: Partial<typeof nothing> = {}, home = HOME): ReturnType<typeof discover> =>
  discover({ ...nothing, appRoot, ...given }, home);

test('nothing named and nothing found: the sample', (t) =>
  assert.deepEqual(find(application(t, ['notes.txt', '.hidden/model.onnx', 'node_modules/x/model.onnx'])).kind, 'sample'));

test('scripts are found by name in a fixed order', (t) => {
  const root = application(t, ['score.ts', 'score.py']);
  assert.equal(find(root).entryScript, join(root, 'score.ts'));
  writeFileSync(join(root, 'main.cjs'), '');
  assert.equal(find(root).entryScript, join(root, 'main.cjs'));
  writeFileSync(join(root, 'main.ts'), '');
  assert.equal(find(root).entryScript, join(root, 'main.ts'));
});

test('a named script is looked up in the source directory first', (t) => {
  const root = application(t, ['a.ts', 'source/a.ts', 'b.ts']);
  assert.equal(find(root, { entryScript: 'a.ts', sourceDirectory: 'source' }).entryScript, join(root, 'source', 'a.ts'));
  assert.equal(find(root, { entryScript: 'b.ts', sourceDirectory: 'source' }).entryScript, join(root, 'b.ts'));
  assert.equal(find(root, { entryScript: join(root, 'b.ts') }).entryScript, join(root, 'b.ts'));
});

test('a script comes before a model that is found, a named model before a script that is found', (t) => {
  const root = application(t, ['main.ts', 'model.onnx']);
  assert.equal(find(root).kind, 'entry script');
  const named = find(root, { model: join(root, 'model.onnx') });
  assert.deepEqual([named.kind, named.modelFile], ['model without code', join(root, 'model.onnx')]);
});

test('the one model below the model directory, or below the application, is served', (t) => {
  const root = application(t, ['azureml-models/iris/1/folder/Model.ONNX', 'elsewhere/a.txt']);
  const file = join(root, 'azureml-models/iris/1/folder/Model.ONNX');
  assert.equal(find(root).modelFile, file);
  assert.equal(find(root, { modelDir: join(root, 'azureml-models') }).modelFile, file);
  assert.equal(find(root, { modelDir: file }).modelFile, file);
  writeFileSync(join(root, 'second.onnx'), '');
  assert.throws(() => find(root), { code: 'model_missing', message: /There are 2 models in[\s\S]*Model\.ONNX[\s\S]*second\.onnx/ });
});

test('what is named must be there', (t) => {
  const root = application(t, ['text.py']);
  assert.throws(() => find(root, { entryScript: 'no.ts' }), { code: 'script_missing' });
  assert.throws(() => find(root, { entryScript: 'text.py' }), { code: 'script_broken', message: /\.ts, \.mts, \.js, \.mjs, \.cjs/ });
  assert.throws(() => find(root, { modelDir: join(root, 'no') }), { code: 'model_missing' });
  assert.throws(() => find(root, { modelDir: root }), { code: 'model_missing', message: /no \.onnx file/ });
  assert.throws(() => find(root, { model: join(root, 'no.onnx') }), { code: 'model_missing' });
  assert.throws(() => find(join(root, 'no')), { code: 'usage' });
});

test("the server's own folder is never searched", (t) => {
  const home = application(t, ['entry-scripts/diabetes.onnx', 'main.ts']);
  assert.equal(find(home, {}, home).kind, 'sample');
  assert.equal(find(join(home, '..'), {}, join(home, '..')).kind, 'sample');
});

test('the tree of a folder is indented, ends at 200 lines, and never throws', (t) => {
  const root = application(t, ['b/c.txt', 'a.txt']);
  assert.equal(modelTree(root), '    a.txt\n    b/\n        c.txt');
  assert.match(modelTree(join(root, 'no')), /cannot be read/);
  for (let index = 0; index < 300; index++) writeFileSync(join(root, `f${index}`), '');
  assert.equal(modelTree(root).split('\n').length, 201);
});
