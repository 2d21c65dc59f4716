import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { profileOf } from '../../../../server/config/platforms/platforms.ts';
import type { Surroundings } from '../../../../server/config/platforms/platform.ts';
import { readConfig, type ServeCommand } from '../../../../server/config/read-config.ts';

const MODELS = '/opt/ml/model';

/** What a start shows; `models` are the names in /opt/ml/model, undefined where it is not there. */
function around(argv: readonly string[], env: Record<string, string> = {}, models?: readonly string[]): Surroundings {
  return { argv, env, cwd: '/', isFolder: (path) => path === MODELS && models !== undefined, namesIn: () => models ?? [] };
}

function read(env: Record<string, string>, argv: string[] = ['serve']): ServeCommand {
  const command = readConfig({ argv, env, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  return command;
}

describe('the profile of SageMaker', () => {
  const detected: readonly [why: RegExp | undefined, ...shown: Parameters<typeof around>][] = [
    [/^the command is serve alone .*--profile plain/, ['serve']],
    [undefined, []],
    [undefined, ['serve', '--entry-script', 'score.ts']],
    [/^SAGEMAKER_BIND_TO_PORT is set$/, ['serve', '--entry-script', 'score.ts'], { SAGEMAKER_BIND_TO_PORT: '8080' }],
    [/^SAGEMAKER_BATCH is set$/, [], { SAGEMAKER_BATCH: 'true' }],
    [undefined, [], { SAGEMAKER_BATCH: '', SAGEMAKER_DOMAIN_ID: 'd-1' }],
    [/^\/opt\/ml\/model is there$/, [], {}, []],
    [/^\/opt\/ml\/model is there$/, ['serve'], {}, ['model.onnx']],
  ];
  for (const [why, ...shown] of detected)
    it(`is ${why === undefined ? 'not ' : ''}taken for ${JSON.stringify(shown)}`, () => {
      const profile = profileOf('auto', around(...shown));
      assert.equal(profile.platform.name, why === undefined ? 'plain' : 'sagemaker');
      if (why !== undefined) assert.match(profile.why, why);
    });

  it('takes the model folder only where it holds something, because an image may have the model', () => {
    assert.equal(profileOf('auto', around(['serve'], {}, ['model.onnx'])).values['AZUREML_MODEL_DIR'], MODELS);
    assert.equal(profileOf('auto', around(['serve'], {}, [])).values['AZUREML_MODEL_DIR'], undefined);
    assert.equal(profileOf('auto', around(['serve'])).values['AZUREML_MODEL_DIR'], undefined);
  });

  it('never serves the sample, and --profile plain does', () => {
    assert.ok(read({}).named.includes('the profile sagemaker'));
    assert.deepEqual(read({}, ['serve', '--profile', 'plain']).named, []);
  });

  it('takes its port, its body limit and its time to drain, unless a user gives others', () => {
    const { config } = read({ SAGEMAKER_BIND_TO_PORT: '9001', SAGEMAKER_MAX_PAYLOAD_IN_MB: '3' });
    assert.deepEqual([config.port, config.bodyLimitBytes, config.drainTimeoutMs], [9001, 3 * 2 ** 20, 20_000]);
    assert.equal(read({}).config.port, 8080);
    assert.equal(read({ SAGEMAKER_MAX_PAYLOAD_IN_MB: '0' }).config.bodyLimitBytes, 100 * 2 ** 20);
    const given = read({ PORT: '7000', SAGEMAKER_BIND_TO_PORT: '9001', BODY_LIMIT_BYTES: '1M' });
    assert.deepEqual([given.config.port, given.config.bodyLimitBytes], [7000, 2 ** 20]);
    assert.match(given.warnings.join('\n'), /^PORT=7000: SageMaker calls only port 9001$/m);
  });

  it('leaves an answer the 60 s that SageMaker waits for it', () => assert.equal(read({}).config.scoringTimeoutMs, 60_000));

  const wrong: readonly [name: string, values: readonly string[]][] = [
    ['SAGEMAKER_BIND_TO_PORT', ['abc', '0', '70000', '-1']],
    ['SAGEMAKER_SAFE_PORT_RANGE', ['21000', '5-1', '1-70000', 'a-b']],
    ['SAGEMAKER_BATCH', ['maybe', '1']],
    ['SAGEMAKER_MAX_PAYLOAD_IN_MB', ['1.5', '6MB', '-1']],
    ['SAGEMAKER_BATCH_STRATEGY', ['MultiRecord', 'ALL']],
    ['SAGEMAKER_MAX_CONCURRENT_TRANSFORMS', ['many', '-2']],
  ];
  for (const [name, values] of wrong)
    it(`a wrong ${name} is a warning, and counts as unset`, () => {
      for (const value of values) {
        const { config, warnings, profile } = read({ [name]: value });
        assert.match(warnings.join('\n'), new RegExp(`^${name}: expected .*, got ${JSON.stringify(value)}\\. It counts as`, 'm'));
        assert.deepEqual([config.port, config.bodyLimitBytes], [8080, 100 * 2 ** 20]);
        assert.deepEqual(profile.batch, { concurrency: undefined, strategy: undefined });
      }
    });

  it('says which second port lies outside the safe range', () => {
    const env = { SAGEMAKER_SAFE_PORT_RANGE: '21000-21999', METRICS_PORT: '9090', GRPC_PORT: '21001', SEPERATE_HEALTH_ENDPOINT: 'true' };
    const warnings = read(env).warnings.filter((line) => line.includes('SAFE_PORT_RANGE'));
    assert.equal(warnings.length, 2);
    assert.match(warnings.join('\n'), /^METRICS_PORT=9090 lies outside SAGEMAKER_SAFE_PORT_RANGE=21000-21999/m);
    assert.match(warnings.join('\n'), /^HEALTH_PORT=5000 lies outside/m);
    assert.deepEqual(
      read({ METRICS_PORT: '9090' }).warnings.filter((line) => line.includes('METRICS_PORT')),
      [],
    );
  });

  it('takes the facts of a batch job', () => {
    const env = { SAGEMAKER_BATCH: 'true', SAGEMAKER_MAX_CONCURRENT_TRANSFORMS: '4', SAGEMAKER_BATCH_STRATEGY: 'single_record' };
    assert.deepEqual(read(env).profile.batch, { concurrency: 4, strategy: 'SINGLE_RECORD' });
    assert.deepEqual(read({ SAGEMAKER_MAX_CONCURRENT_TRANSFORMS: '0' }).profile.batch?.concurrency, undefined);
  });
});
