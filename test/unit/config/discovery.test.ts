import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { discover } from '../../../server/config/discovery.ts';

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
const find = (appRoot: string, given: Partial<typeof nothing> = {}, home = HOME, named: string[] = []): ReturnType<typeof discover> =>
  discover({ ...nothing, appRoot, ...given }, home, named);
const refusal = (...given: Parameters<typeof find>): string => {
  try {
    return `served: ${find(...given).kind}`;
  } catch (thrown) {
    assert.equal((thrown as { code?: string }).code, 'model_missing');
    return (thrown as Error).message;
  }
};

test('the sample is served where nothing is named and nobody has put anything', (t) => {
  assert.equal(find(application(t, [])).kind, 'sample');
  assert.equal(find(application(t, ['.git/config', '.hidden/model.onnx'])).kind, 'sample');
  assert.equal(find(application(t, ['modelDataCollector/a/b.csv', 'lost+found/x'])).kind, 'sample');
});

test('with anything named the sample is not served, and what names it is told', (t) => {
  for (const named of ['--app-root', '--model-name', 'MODEL_NAME', '/x/config.json: AML_APP_ROOT']) {
    const message = refusal(application(t, []), {}, HOME, [named]);
    assert.ok(message.includes(`${named} names something`) && message.includes('is empty'), message);
  }
  const missing = refusal(application(t, []), { sourceDirectory: 'source' }, HOME, ['AZUREML_SOURCE_DIRECTORY']);
  assert.match(missing, /\/source does not exist, or cannot be read/);
});

test('a folder in which nothing is recognised is told with what to do, and never serves the sample', (t) => {
  const cases: [files: string[], ...words: RegExp[]][] = [
    [['notes.txt'], /Found in .*:\n\S+\/\n {4}notes\.txt/, /Looked for: main\.\* or score\.\*/, /--entry-script, --model or --model-dir/],
    [['index.ts', 'types.d.ts'], / - index\.ts: rename it to score\.ts, or name it with --entry-script index\.ts/],
    [['Score.JS'], / - Score\.JS: rename it to score\.js/],
    [
      ['score.R', 'model.pkl'],
      /score\.R: this server runs entry scripts in TypeScript, JavaScript and Python/,
      /model\.pkl: this server runs ONNX models: convert it to one \.onnx file \(skl2onnx\), or write a score\.py that loads it/,
    ],
    [['predict.py'], / - predict\.py: rename it to score\.py, or name it with --entry-script predict\.py/],
    [
      ['notebooks/a.ipynb', 'score.ipynb'],
      /score\.ipynb: the server runs no notebooks: put init\(\) and run\(\) into score\.py \(docs\/python-scripts\.md\)/,
    ],
    [['model/MLmodel', 'model/model.pt'], /model\/MLmodel: an MLflow model: .*load_model/, /model\.pt: .*\(torch\.onnx\.export\)/],
    [['venv/pyvenv.cfg', 'venv/lib/x/mul_1.onnx', 'venv/lib/x/a.pkl'], /Found in .*:\n\S+\/\n {4}venv\//],
    [['sub/score.ts'], /sub\/score\.ts: name it with --entry-script sub\/score\.ts .* or set AZUREML_SOURCE_DIRECTORY to sub/],
    [['model.onnx.zip'], /model\.onnx\.zip: unpack it/],
    [['models/a.tar.gz'], /models\/a\.tar\.gz: unpack it/],
    [['model.onnx/x', 'score.ts/x'], /model\.onnx: expected a file, but it is a folder/, /score\.ts: expected a file/],
    [['1/2/3/4/5/6/model.onnx'], /not as deep: name it with --model \/\S+\/1\/2\/3\/4\/5\/6\/model\.onnx/],
    [['node_modules/x/model.onnx'], /Found in .*:\n\S+\/\n {4}node_modules\//],
    ...['joblib', 'sav', 'pt', 'h5', 'keras', 'pb', 'gguf', 'safetensors'].map((kind): [string[], RegExp] => [
      [`m.${kind}`],
      /convert it to one/,
    ]),
  ];
  for (const [files, ...words] of cases) {
    const message = refusal(application(t, files));
    for (const word of words) assert.match(message, word);
    assert.doesNotMatch(message, /types\.d\.ts:|venv\/lib\/x\/\S+:/);
  }
});

test('a link that leads nowhere, a circle of links and a folder of thousands of files are told too, in bounded text', (t) => {
  const root = application(
    t,
    Array.from({ length: 1500 }, (_, index) => `data/${index}.pkl`),
  );
  symlinkSync('/nowhere/score.ts', join(root, 'score.ts'));
  symlinkSync('circle', join(root, 'circle'));
  symlinkSync('.', join(root, 'again'));
  execFileSync('mkfifo', [join(root, 'pipe.onnx'), join(root, 'main.js')]);
  const message = refusal(root);
  assert.match(message, /score\.ts: it cannot be opened/);
  assert.match(message, /main\.js: expected a file, but it is a pipe/);
  assert.match(message, /pipe\.onnx: expected a file, but it is a pipe/);
  assert.match(message, /And \d+ more such files/);
  assert.ok(message.length < 5000, `${message.length} characters`);
});

test('a model directory without an .onnx file tells what to do with what is there, and with what is in the application', (t) => {
  const root = application(t, ['models/model.pkl', 'app/index.js']);
  const message = refusal(join(root, 'app'), { modelDir: join(root, 'models') });
  assert.match(message, /no \.onnx file[\s\S]*model\.pkl: this server runs ONNX[\s\S]*index\.js: rename it/);
  mkdirSync(join(root, 'empty'));
  assert.match(refusal(join(root, 'app'), { modelDir: join(root, 'empty') }), /empty is empty: check that/);
});

test('a model directory that is no model is told once, with the models that lie beside it', (t) => {
  const root = application(t, ['model.pkl', 'model.onnx.zip', 'beside/model.onnx']);
  const message = refusal(join(root, 'beside'), { modelDir: join(root, 'model.pkl') });
  assert.equal(message.match(/model\.pkl: this server runs ONNX/g)?.length, 1);
  const same = refusal(root, { modelDir: join(root, 'model.pkl') });
  assert.equal(same.match(/model\.pkl: this server runs ONNX/g)?.length, 1);
  assert.ok(message.includes(`elsewhere, or not as deep: name it with --model ${join(root, 'beside/model.onnx')}`), message);
});

test('a named model that does not exist is told with what is there', (t) => {
  const root = application(t, ['app/iris.onnx', 'models/prices.onnx', 'cwd/x.txt']);
  const [app, models] = [join(root, 'app'), join(root, 'models')];
  const told = (model: string, modelDir = ''): string => refusal(app, { model, modelDir });
  assert.match(told(join(models, 'price.onnx')), /Did you mean \S+\/models\/prices\.onnx\?/);
  assert.match(told(join(models, 'other.onnx')), /In \S+\/models are: prices\.onnx\./);
  assert.ok(told(join(root, 'cwd/iris.onnx')).endsWith(`Did you mean ${join(app, 'iris.onnx')}?`));
  assert.ok(told(join(root, 'cwd/prices'), models).endsWith(`Did you mean ${join(models, 'prices.onnx')}?`));
  const [named, missing] = [join(root, 'model/zzz.onnx'), join(root, 'model')];
  assert.ok(told(named).endsWith(`There is no folder ${missing}. Did you mean ${models}? In ${app} are: iris.onnx.`));
});

test('scripts are found by name in a fixed order', (t) => {
  const root = application(t, ['score.py']);
  assert.equal(find(root).entryScript, join(root, 'score.py'));
  writeFileSync(join(root, 'score.ts'), '');
  assert.equal(find(root).entryScript, join(root, 'score.ts'));
  writeFileSync(join(root, 'main.py'), '');
  assert.equal(find(root).entryScript, join(root, 'main.py'));
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
  assert.throws(() => find(root), { code: 'model_missing', message: /There are 2 models in[\s\S]*second\.onnx[\s\S]*Model\.ONNX/ });
});

test('a model that several paths lead to is one model', (t) => {
  const root = application(t, ['models/iris/3/model.onnx']);
  symlinkSync('3', join(root, 'models/iris/latest'));
  symlinkSync('../..', join(root, 'models/iris/3/again'));
  symlinkSync('models/iris/3/model.onnx', join(root, 'newest.onnx'));
  // External data lies beside the file, not beside the link.
  assert.equal(find(root).modelFile, join(root, 'models/iris/3/model.onnx'));
  assert.equal(find(root, { modelDir: join(root, 'models') }).modelFile, join(root, 'models/iris/3/model.onnx'));
  mkdirSync(join(root, 'a/b/c/d'), { recursive: true });
  symlinkSync('../../../../models', join(root, 'a/b/c/d/deep'));
  assert.equal(find(root).modelFile, join(root, 'models/iris/3/model.onnx'));
  // As Kubernetes mounts a ConfigMap.
  const volume = application(t, ['..2026/model.onnx']);
  symlinkSync('..2026', join(volume, '..data'));
  symlinkSync('..data/model.onnx', join(volume, 'model.onnx'));
  assert.equal(find(volume).modelFile, join(volume, 'model.onnx'));
  assert.equal(find(root, { modelDir: join(root, 'models/iris/latest') }).modelFile, join(root, 'models/iris/latest/model.onnx'));
});

test('the error for a name that is wrong says what was meant, or what is there', (t) => {
  const root = application(t, ['a/iris.onnx', 'b/one.onnx', 'b/two.onnx', 'b/notes.txt', 'score.ts', 'handle.js', 'c/readme.md']);
  const message = (given: Partial<typeof nothing>): string => {
    try {
      return `served: ${find(root, given).kind}`;
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  assert.match(message({ model: join(root, 'a/irsi.onnx') }), /irsi\.onnx does not exist.* Did you mean \S+\/a\/iris\.onnx\?/);
  assert.match(message({ model: join(root, 'b/model.onnx') }), /In \S+\/b are: one\.onnx, two\.onnx\.$/);
  assert.match(message({ model: join(root, 'a') }), /is a folder.* Did you mean \S+a\/iris\.onnx\?/);
  assert.match(message({ model: join(root, 'b') }), /is a folder.* Below it are:\n.*one\.onnx\n.*two\.onnx/);
  assert.match(message({ model: join(root, 'c') }), /is a folder.* There is no \.onnx file below it/);
  mkdirSync(join(root, 'models'));
  assert.match(message({ modelDir: join(root, 'modles') }), /modles does not exist.* Did you mean \S+\/models\?/);
  assert.match(message({ entryScript: 'scoer.ts' }), /Did you mean \S+\/score\.ts\?/);
  assert.match(message({ entryScript: 'predict.ts' }), /In \S+ are: handle\.js, score\.ts\.$/);
  assert.match(message({ entryScript: 'score.py' }), /Did you mean \S+\/score\.ts\?/);
  assert.match(message({ entryScript: 'a' }), /cannot be run: .* It is no regular file\./);
});

test('a script that a file names is told with the file and the way out', (t) => {
  const root = application(t, ['score.ipynb']);
  const named = [join(root, 'inferenceconfig.json: AZUREML_ENTRY_SCRIPT')];
  assert.throws(() => find(root, { entryScript: 'score.ipynb' }, HOME, named), {
    code: 'script_broken',
    message: /score\.ipynb, which \S+\/inferenceconfig\.json names, cannot be run: .* score\.ipynb: the server runs no notebooks/,
  });
  assert.throws(() => find(root, { entryScript: 'no.ts' }, HOME, named), {
    code: 'script_missing',
    message: /^The entry script no\.ts, which \S+\/inferenceconfig\.json names, does not exist/,
  });
});

test('packages of a Python environment are no models of the application', (t) => {
  const root = application(t, ['model.onnx', 'env/conda-meta/history', 'env/lib/x/sigmoid.onnx', 'venv/pyvenv.cfg', 'venv/x/mul_1.onnx']);
  assert.equal(find(root).modelFile, join(root, 'model.onnx'));
});

test('what is named must be there', (t) => {
  const root = application(t, ['text.rb']);
  assert.throws(() => find(root, { entryScript: 'no.ts' }), { code: 'script_missing' });
  assert.throws(() => find(root, { entryScript: 'text.rb' }), {
    code: 'script_broken',
    message: /\.ts, \.mts, \.cts, \.js, \.mjs, \.cjs, \.py/,
  });
  assert.throws(() => find(root, { modelDir: join(root, 'no') }), { code: 'model_missing' });
  assert.throws(() => find(root, { modelDir: root }), { code: 'model_missing', message: /no \.onnx file/ });
  assert.throws(() => find(root, { model: join(root, 'no.onnx') }), { code: 'model_missing' });
  assert.throws(() => find(join(root, 'no')), { code: 'usage' });
});

test("in this server's own folder only what lies directly there is a user's", (t) => {
  const home = application(t, ['entry-scripts/diabetes.onnx', 'docker/examples/score.ts', 'package.json', 'README.md']);
  assert.equal(find(home, {}, home).kind, 'sample');
  assert.match(refusal(home, {}, home, ['--model-name']), /nothing to serve/);
  writeFileSync(join(home, 'index.ts'), '');
  assert.match(refusal(home, {}, home), /index\.ts: rename it/);
  writeFileSync(join(home, 'mine.onnx'), '');
  assert.equal(find(home, {}, home).modelFile, join(home, 'mine.onnx'));
  writeFileSync(join(home, 'score.ts'), '');
  assert.equal(find(home, {}, home).entryScript, join(home, 'score.ts'));
});

test("below this server's own folder a user's is searched; above it, this server's is passed over", (t) => {
  const home = application(t, ['clone/docker/examples/score.ts', 'clone/test/one/model.onnx', 'clone/empty/.keep']);
  const clone = join(home, 'clone');
  assert.equal(find(join(clone, 'docker/examples'), {}, clone).kind, 'entry script');
  assert.equal(find(join(clone, 'test'), {}, clone).modelFile, join(clone, 'test/one/model.onnx'));
  assert.match(refusal(join(clone, 'empty'), {}, clone, ['--app-root']), /nothing to serve/);
  const above = refusal(home, {}, clone);
  assert.match(above, /nothing to serve/);
  assert.doesNotMatch(above, /docker\/examples\/score\.ts: name it/);
});
