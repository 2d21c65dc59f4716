import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { SCRIPTS, Workers } from './start-workers.ts';

/** What an operator must find in the one line that says why the server does not start. */
const cases: [script: string, code: string, ...words: RegExp[]][] = [
  ['no-init.ts', 'script_broken', /does not have a init\(\) function defined/, /its exports are: run/],
  ['no-run.ts', 'script_broken', /does not have a run\(\) function defined/],
  ['class-itself.ts', 'script_broken', /does not have a init\(\) function defined/, /`export default new Scorer\(\)`/],
  ['run-is-no-function.ts', 'script_broken', /does not have a run\(\) function defined/, /of type string/],
  [
    'syntax-error.js',
    'script_broken',
    /Failed to import user script because it raised an unhandled exception/,
    /syntax-error\.js:3/,
    /SyntaxError/,
  ],
  ['syntax-error.ts', 'script_broken', /Failed to import user script/, /syntax-error\.ts:3/, /SyntaxError/, /^(?![\s\S]*node:internal)/],
  ['bad-sample.ts', 'init_failed', /run\(\) failed on the sample/, /too small/],
  ['enum.ts', 'script_broken', /Failed to import user script/, /enum/],
  ['missing-import.ts', 'script_broken', /no-such-package/],
  ['throws-at-import.ts', 'script_broken', /no licence found/, /throws-at-import\.ts:1/],
  ['bad-input-type.ts', 'script_broken', /"xml"/, /json, text, bytes/],
  ['raw-and-input-type.ts', 'script_broken', /both rawHttp and inputType/],
  ['bad-concurrency.ts', 'script_broken', /concurrency 0/],
  ['close-is-no-function.ts', 'script_broken', /exports close of type boolean: expected a function/],
  ['init-throws.ts', 'init_failed', /init\(\) raised an exception/, /the weights are gone/, /init-throws\.ts:2/],
  ['init-exits.ts', 'init_failed', /exit code 7/],
  ['init-hangs.ts', 'init_timeout', /300 ms \(INIT_TIMEOUT_MS\)/],
  ['init-spins.ts', 'init_timeout', /300 ms \(INIT_TIMEOUT_MS\)/],
  ['init-signal.ts', 'init_timeout', /300 ms \(INIT_TIMEOUT_MS\)/],
  ['sample-exits.ts', 'init_failed', /exit code 9 before init\(\) was done, or in run\(\) on an exported sample/],
  ['sample-spins.ts', 'init_timeout', /init\(\), or run\(\) on an exported sample, did not finish within 2000 ms \(INIT_TIMEOUT_MS\)/],
  ['opens-model.ts', 'model_missing', /There is no \.onnx file in/],
  ['model-path.ts', 'model_missing', /AZUREML_MODEL_DIR is not set/],
];

for (const [script, code, ...words] of cases) {
  test(`${script} ends the start with ${code}`, async () => {
    const workers = new Workers(script, {
      start: { initTimeoutMs: code !== 'init_timeout' ? 10_000 : script.startsWith('init-') ? 300 : 2000 },
    });
    try {
      const error = await workers.failure;
      assert.equal(error.code, code, error.message);
      for (const word of words) assert.match(error.message, word);
      if (code === 'script_broken') assert.ok(error.message.includes(join(SCRIPTS, script)), error.message);
      assert.throws(() => workers.scorer.admit(1), { code: 'not_ready' });
    } finally {
      await workers.stop();
    }
  });
}
