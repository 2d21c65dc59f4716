import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { options, type Config, type Option } from '../../../server/config/config.ts';
import { flagOf } from '../../../server/config/option-values.ts';
import { readConfig, type Sources } from '../../../server/config/read-config.ts';
import { helpText } from '../../../server/config/usage.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function read(sources: Partial<Sources>): Config {
  const command = readConfig({ argv: [], env: {}, cwd: tmpdir(), ...sources });
  assert.ok(command.kind === 'serve');
  return command.config;
}

const problems = (sources: Partial<Sources>): string => {
  try {
    read(sources);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return assert.fail('expected a usage error');
};

const warnings = (sources: Partial<Sources>): readonly string[] => {
  const command = readConfig({ argv: [], env: {}, cwd: tmpdir(), ...sources });
  assert.ok(command.kind === 'serve');
  return command.warnings;
};

test('without anything given every option has its default', (t) => {
  const cwd = folder(t);
  const config = read({ cwd });
  for (const [key, row] of Object.entries(options)) if (key !== 'appRoot') assert.deepEqual(config[key as keyof Config], row.default, key);
  assert.equal(config.appRoot, cwd);
});

test('a flag comes before the environment, the environment before config.json', (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'config.json'), JSON.stringify({ WORKER_COUNT: 2, SCORING_TIMEOUT_MS: 10, SERVICE_NAME: 'file' }));
  const config = read({ cwd, argv: ['--worker-count', '4'], env: { WORKER_COUNT: '3', SCORING_TIMEOUT_MS: '20' } });
  assert.deepEqual([config.workerCount, config.scoringTimeoutMs, config.serviceName], [4, 20, 'file']);
});

test("both spellings of a flag, with a space or =, and the platform's `serve`", () => {
  const argv = ['serve', '--entry_script', 'a.ts', '--model-dir=/models', '--access_control_allow_origins', 'http://a_b, http://c'];
  const config = read({ argv });
  assert.deepEqual([config.entryScript, config.modelDir, config.corsOrigins], ['a.ts', '/models', ['http://a_b', 'http://c']]);
});

test('the command that a platform appends for its own images starts the server too, and no other does', () => {
  assert.equal(read({ argv: ['runsvdir', '/var/runit'] }).port, 5001);
  assert.equal(read({ argv: ['runsvdir', '/var/runit', '--port', '7'] }).port, 7);
  assert.match(problems({ argv: ['runsvdir', '/etc'] }), /argument "runsvdir": expected only flags/);
  assert.match(problems({ argv: ['--port', '7', 'serve'] }), /argument "serve": expected only flags/);
});

test("the commands of Azure's Python server start this one with their flags", (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'a.json'), '{"SERVICE_NAME": "mine"}');
  const KEY = '01234567-89ab-cdef-0123-456789abcdef';
  const flags =
    `--entry_script score.py --model_dir models --port 5010 --health_port 5011 --worker_count 2 --config_file a.json --appinsights_instrumentation_key ${KEY}`.split(
      ' ',
    );
  for (const command of [
    'azmlinfsrv',
    '/env/bin/azmlinfsrv',
    'python -m azureml_inference_server_http',
    '/env/bin/python3 -m azureml_inference_server_http',
  ]) {
    const config = read({ cwd, argv: [...command.split(' '), ...flags, '--access_control_allow_origins', 'http://a, http://b'] });
    assert.deepEqual(
      [config.entryScript, config.modelDir, config.port, config.healthPort, config.workerCount, config.serviceName, config.corsOrigins],
      ['score.py', join(cwd, 'models'), 5010, 5011, 2, 'mine', ['http://a', 'http://b']],
    );
    assert.deepEqual([config.appInsightsKey, config.appInsightsEnabled], [KEY, true]);
  }
  const conda = 'conda run --no-capture-output -n inf-conda-env runsvdir /var/runit --port 7';
  assert.equal(read({ argv: conda.split(' ') }).port, 7);
  assert.equal(read({ argv: `/opt/conda/bin/${conda}`.split(' ') }).port, 7);
  assert.match(problems({ argv: ['conda', 'run', '-n', 'a', 'bash'] }), /argument "conda": expected only flags/);
  assert.match(
    problems({ argv: ['python', 'score.py'] }),
    /argument "score\.py": expected only flags, did you mean --entry-script score\.py\?/,
  );
  assert.equal(
    problems({ argv: ['gunicorn', '-b', '0.0.0.0:80', 'app:app'] }),
    'command gunicorn: expected only flags (see --help), because this server needs no gunicorn. Leave the command out',
  );
});

test('an empty variable is not set, an alias counts in its own unit, the first name wins', () => {
  assert.equal(read({ env: { PORT: '' } }).port, 5001);
  assert.equal(read({ env: { WORKER_TIMEOUT: '400' } }).initTimeoutMs, 400_000);
  assert.equal(read({ env: { WORKER_TIMEOUT: '400', INIT_TIMEOUT_MS: '5' } }).initTimeoutMs, 5);
});

test('values are read in the words of the contract and of people', () => {
  const config = read({
    env: {
      AZUREML_LOG_LEVEL: 'WARNING',
      SEPERATE_HEALTH_ENDPOINT: 'True',
      BODY_LIMIT_BYTES: '64K',
      QUEUE_MAX_BYTES: '1G',
      NON_FINITE_NUMBERS: 'null',
    },
  });
  assert.deepEqual(
    [config.logLevel, config.separateHealthEndpoint, config.bodyLimitBytes, config.queueMaxBytes, config.nonFinite],
    ['warn', true, 65536, 2 ** 30, 'null'],
  );
});

test('everything that is wrong is told at once, with what was expected and what came', () => {
  const message = problems({
    argv: ['stray', '--port', '99999', '--nope=1', '--model'],
    env: { WORKER_COUNT: '0', ACCESS_LOG: 'maybe', QUEUE_MAX_BYTES: 'lots', AZUREML_LOG_LEVEL: 'loud' },
  });
  for (const line of [
    /argument "stray"/,
    /--port: expected a whole number from 0 to 65535, got "99999"/,
    /--nope: there is no such flag/,
    /--model: expected a value/,
    /WORKER_COUNT: expected a whole number from 1 to 1024, or auto, got "0"/,
    /ACCESS_LOG: expected true or false, got "maybe"/,
    /QUEUE_MAX_BYTES: expected a number of bytes.*got "lots"/,
    /AZUREML_LOG_LEVEL: expected one of .*got "loud"/,
  ]) {
    assert.match(message, line);
  }
});

test('config.json is found in the application folder, beside the script, or where it is named', (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, 'code'));
  writeFileSync(join(cwd, 'code', 'config.json'), '{"SERVICE_NAME": "beside"}');
  assert.equal(read({ cwd, argv: ['--entry-script', 'code/score.ts'] }).serviceName, 'beside');
  writeFileSync(join(cwd, 'config.json'), '{"SERVICE_NAME": "root"}');
  assert.equal(read({ cwd, argv: ['--entry-script', 'code/score.ts'] }).serviceName, 'root');
  assert.equal(read({ cwd, env: { AZUREML_CONFIG_FILE: 'code/config.json' } }).serviceName, 'beside');
  assert.match(problems({ cwd, env: { AZUREML_CONFIG_FILE: 'none.json' } }), /none\.json: expected a JSON object/);
  assert.match(problems({ cwd, argv: ['--config-file', 'confg.json'] }), /ENOENT.* Did you mean \S+\/config\.json\?$/);
});

test('every option that names something of the user is told as it was given, but for a variable that names the current folder', (t) => {
  const cwd = folder(t);
  const named = (sources: Partial<Sources>): readonly string[] => {
    const command = readConfig({ argv: [], env: {}, cwd, ...sources });
    assert.ok(command.kind === 'serve');
    return command.named;
  };
  assert.deepEqual(named({}), []);
  assert.deepEqual(named({ argv: ['--port', '5002'] }), []);
  assert.deepEqual(named({ argv: ['--app-root', '.', '--model-name=iris'] }), ['--model-name', '--app-root']);
  // As the image does.
  for (const current of [cwd, '.', `${cwd}/`]) assert.deepEqual(named({ env: { AML_APP_ROOT: current } }), []);
  assert.deepEqual(named({ env: { AML_APP_ROOT: tmpdir() } }), ['AML_APP_ROOT']);
});

test('a broken config.json is an error, an empty one is none, an unknown key is only told', (t) => {
  const cwd = folder(t);
  const file = join(cwd, 'config.json');
  writeFileSync(file, '');
  assert.equal(read({ cwd }).port, 5001);
  for (const text of ['{', '[1]', '"x"']) {
    writeFileSync(file, text);
    assert.match(problems({ cwd }), /config\.json: expected a JSON object of options/);
  }
  writeFileSync(file, '{"WORKER_COUNT": "x"}');
  assert.match(problems({ cwd }), /config\.json: WORKER_COUNT: expected/);
  writeFileSync(file, '{"SERVICE_NAME": {"a": 1}, "MODEL_NAME": null}');
  assert.match(problems({ cwd }), /config\.json: SERVICE_NAME: expected a text, .* got an object$/);
  writeFileSync(file, '{"architectures": ["Bert"], "PORT": 5005}');
  const command = readConfig({ argv: [], env: {}, cwd });
  assert.ok(command.kind === 'serve' && command.config.port === 5005);
  assert.match(command.warnings.join(), /architectures/);
});

test('--help names every option, and --version is a command too', () => {
  assert.deepEqual(
    [readConfig({ argv: ['--help'], env: {}, cwd: '/' }).kind, readConfig({ argv: ['--version'], env: {}, cwd: '/' }).kind],
    ['help', 'version'],
  );
  const text = helpText();
  for (const row of Object.values(options)) for (const name of row.env) assert.ok(text.includes(name), name);
});

const secrets = Object.entries<Option<unknown>>(options).filter(([, row]) => row.secret === true);

test('every option that may hold a key is marked as a secret', () => {
  assert.deepEqual(
    Object.entries<Option<unknown>>(options)
      .filter(
        ([key, row]) =>
          /connection|keys?$|url$|endpoint$|storage$|password|token|headers$/i.test(key + row.env.join()) && !keyless.has(key),
      )
      .map(([key]) => key),
    secrets.map(([key]) => key),
  );
});

/** Their names look like keys, but they hold none. */
const keyless = new Set(['separateHealthEndpoint', 'mdcCaptureHeaders']);

for (const [key, row] of secrets) {
  test(`the value of ${key} is in no error and not in --help`, (t) => {
    const cwd = folder(t);
    const value = 'wrong s3cr3t';
    const given: Partial<Sources>[] = row.env.map((name) => ({ env: { [name]: value } }));
    if (row.flag !== undefined) given.push({ argv: [`--${row.flag}`, value] });
    for (const sources of given) {
      // Another mistake, so that there is an error where the parser takes any text.
      const message = problems({ ...sources, cwd, argv: [...(sources.argv ?? []), '--port', 'x'] });
      assert.doesNotMatch(message, /s3cr3t/);
      const inVariable = sources.env !== undefined;
      if (isRefused(row, value) && !(inVariable && row.otherwise !== undefined))
        assert.match(message, / expected .* \(the value is not shown because it is a secret\)$/m);
    }
    writeFileSync(join(cwd, 'config.json'), JSON.stringify({ [row.env[0]]: value, PORT: 'x' }));
    assert.doesNotMatch(problems({ cwd }), /s3cr3t/);
    assert.match(helpText().replaceAll(/\n {6,}/g, ' '), new RegExp(`${row.env.join(', ')} .* Secret\\.\\n`));
  });
}

test('--help fits a terminal of 100 columns', () => {
  assert.deepEqual(
    helpText()
      .split('\n')
      .filter((line) => line.length > 100),
    [],
  );
});

test('every option has a flag, but for secrets, which other users could read', () => {
  for (const [key, row] of Object.entries<Option<unknown>>(options)) {
    const flag = flagOf(row);
    assert.equal(flag === undefined, row.secret === true && key !== 'appInsightsKey', key);
    if (flag === undefined || !isRefused(row, 'no such value')) continue;
    assert.match(problems({ argv: [`--${flag}`, 'no such value'] }), new RegExp(`^--${flag}: `), key);
  }
  assert.equal(read({ argv: ['--mdc-sink', 'stdout', '--status_page', 'true'] }).mdcSink, 'stdout');
  const flags = Object.values<Option<unknown>>(options).flatMap((row) => flagOf(row) ?? []);
  assert.equal(new Set(flags).size, flags.length);
});

test('a wrong flag is told with the right one', () => {
  const cases: [given: string, meant: string][] = [
    ['--modle', 'model'],
    ['--AZUREML_MODEL_DIR', 'model-dir'],
    ['--azureml-entry-script', 'entry-script'],
    ['--num-workers', 'worker-count'],
    ['--modelDir', 'model-dir'],
    ['--entryscript', 'entry-script'],
    ['--prot', 'port'],
    ['--WORKER_TIMEOUT', 'init-timeout-ms'],
    ['--separate-health-endpoint', 'seperate-health-endpoint'],
    ['--cors-origins', 'access-control-allow-origins'],
    ['--scoring-timeout', 'scoring-timeout-ms'],
    ['--batch-size', 'max-batch-size'],
    ['--grpcPort', 'grpc-port'],
    ['--threads', 'ort-intra-op-num-threads'],
  ];
  for (const [given, meant] of cases)
    assert.match(
      problems({ argv: [`${given}=1`] }),
      new RegExp(`^${given.replaceAll('_', '-')}: there is no such flag, did you mean --${meant}\\?`),
    );
  assert.match(problems({ argv: ['--mdc-http-url', 'x'] }), /others can read flags: set the variable MDC_HTTP_URL/);
  assert.match(problems({ argv: ['--rest'] }), /--rest: there is no such flag: it has no effect in Azure's server either/);
  assert.match(problems({ argv: ['-port', '8080'] }), /^-port: there is no such flag, did you mean --port\? \(see --help\)$/);
  assert.match(problems({ argv: ['-p', '8080'] }), /^-p: there is no such flag \(see --help\)$/);
  assert.match(problems({ argv: ['iris.onnx'] }), /^argument "iris\.onnx": expected only flags, did you mean --model iris\.onnx\?/);
  assert.match(problems({ argv: ['serve', 'a/score.mjs'] }), /did you mean --entry-script a\/score\.mjs\?/);
  assert.match(problems({ argv: ['--qwertyuiop'] }), /--qwertyuiop: there is no such flag \(see --help\)/);
  assert.match(problems({ argv: [`--${'x'.repeat(100_000)}`] }), /there is no such flag/);
});

test('a key of config.json that has no effect is told with the one that is meant', (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'config.json'), '{"SCORING_TIMEOUT": 5, "worker_count": 2, "architectures": 1}');
  assert.match(
    warnings({ cwd }).join(),
    /SCORING_TIMEOUT \(did you mean SCORING_TIMEOUT_MS\?\), worker_count \(did you mean WORKER_COUNT\?\), architectures$/,
  );
});

test('a service link of Kubernetes is no port: it is ignored, and the log says how to switch it off', () => {
  const links = Object.values<Option<unknown>>(options).flatMap(({ env }) => env.filter((name) => name.endsWith('PORT')));
  assert.ok(links.includes('METRICS_PORT') && links.includes('AZUREML_MDC_PORT'), links.join());
  for (const name of links) {
    for (const value of ['tcp://10.0.0.1:9090', 'udp://10.0.0.1:53']) {
      const env = { [name]: value };
      assert.deepEqual({ ...read({ env }) }, { ...read({}) }, name);
      assert.match(warnings({ env }).join(), new RegExp(`^${name}=${value} is ignored: .*enableServiceLinks: false`));
    }
  }
  assert.deepEqual(warnings({ env: { METRICS_PORT_9090_TCP: 'tcp://10.0.0.1:9090', METRICS_SERVICE_PORT: '9090' } }), []);
  assert.match(problems({ argv: ['--port', 'tcp://10.0.0.1:1'] }), /--port: expected a whole number/);
  assert.match(problems({ env: { METRICS_PORT: 'http://x' } }), /METRICS_PORT: expected a whole number/);
  assert.equal(read({ argv: ['--port', '7'], env: { PORT: 'tcp://10.0.0.1:1' } }).port, 7);
});

test('a body limit above the room for bodies is refused with both values and what to set', () => {
  const message = problems({ env: { BODY_LIMIT_BYTES: '300M' } });
  assert.match(message, /^BODY_LIMIT_BYTES: expected at most QUEUE_MAX_BYTES, which is 268435456, got 314572800/);
  assert.match(message, /Set QUEUE_MAX_BYTES to 314572800 or more, or BODY_LIMIT_BYTES to 268435456 or less$/);
  assert.match(problems({ argv: ['--queue-max-bytes', '99M'] }), /expected at most QUEUE_MAX_BYTES, which is 103809024, got 104857600/);
  assert.equal(read({ env: { BODY_LIMIT_BYTES: '300M', QUEUE_MAX_BYTES: '300M' } }).bodyLimitBytes, 300 * 2 ** 20);
});

test('what only the Python server reads gets a word in the log, and what to use instead', (t) => {
  const cwd = folder(t);
  assert.deepEqual(warnings({ cwd, env: { WORKER_PRELOAD: 'false' } }), []);
  assert.match(warnings({ cwd, env: { WORKER_PRELOAD: 'true' } }).join(), /^WORKER_PRELOAD has no effect: .*WORKER_COUNT/);
  assert.deepEqual(warnings({ cwd, env: { AZUREML_EXTRA_REQUIREMENTS_TXT: 'a.txt', AZUREML_EXTRA_PYTHON_LIB_PATH: '/lib' } }), [
    'AZUREML_EXTRA_REQUIREMENTS_TXT has no effect: the server installs nothing. Install packages when the image is built (docs/images.md)',
    'AZUREML_EXTRA_PYTHON_LIB_PATH has no effect: use PYTHONPATH',
  ]);
  assert.match(warnings({ cwd, env: { AML_ENTRY_SCRIPT: 'a.py' } }).join(), /^AML_ENTRY_SCRIPT has no effect: use AZUREML_ENTRY_SCRIPT/);
});

test('the path of an interpreter is absolute, or below the current folder', (t) => {
  const cwd = folder(t);
  assert.equal(read({ cwd, argv: ['--python-path', '.venv'] }).pythonPath, join(cwd, '.venv'));
  assert.equal(read({ cwd, env: { AZUREML_INFERENCE_PYTHON_PATH: '/usr/bin/python3' } }).pythonPath, '/usr/bin/python3');
  assert.equal(read({ cwd }).pythonPath, '');
});

test('an empty config.json does not hide one beside the script', (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, 'code'));
  writeFileSync(join(cwd, 'config.json'), ' \n');
  writeFileSync(join(cwd, 'code', 'config.json'), '{"SERVICE_NAME": "beside"}');
  assert.equal(read({ cwd, argv: ['--entry-script', 'code/score.ts'] }).serviceName, 'beside');
  assert.match(problems({ cwd, argv: ['--config-file', 'config.json'] }), /expected a JSON object of options, got an empty file/);
});

test('inferenceconfig.json names the entry script where nothing else does', (t) => {
  const cwd = folder(t);
  const file = join(cwd, 'inferenceconfig.json');
  const write = (value: unknown): void => writeFileSync(file, JSON.stringify(value));
  const script = (sources: Partial<Sources> = {}): string[] => {
    const { entryScript, sourceDirectory } = read({ cwd, ...sources });
    return [entryScript, sourceDirectory];
  };
  write({ entryScript: 'score.ts', sourceDirectory: './source', runtime: 'python', condaFile: 'env.yml' });
  assert.deepEqual(script(), ['score.ts', join(cwd, 'source')]);
  assert.deepEqual(script({ env: { AZUREML_SOURCE_DIRECTORY: 'other' } }), ['score.ts', 'other']);
  assert.deepEqual(script({ argv: ['--entry-script', 'mine.ts'] }), ['mine.ts', '']);
  assert.deepEqual(script({ env: { AZUREML_ENTRY_SCRIPT: 'mine.ts' } }), ['mine.ts', '']);
  assert.deepEqual(script({ argv: ['--model', 'm.onnx'] }), ['', '']);
  assert.deepEqual(script({ cwd: tmpdir(), argv: ['--app-root', cwd] }), ['score.ts', join(cwd, 'source')]);
  writeFileSync(join(cwd, 'config.json'), '{"AZUREML_ENTRY_SCRIPT": "config.ts"}');
  assert.deepEqual(script(), ['config.ts', '']);
  rmSync(join(cwd, 'config.json'));
  write({ entryScript: 'score.ts', sourceDirectory: null });
  assert.deepEqual(script(), ['score.ts', '']);
  write({ runtime: 'python' });
  assert.deepEqual(script(), ['', '']);
  write({ entryScript: 5 });
  assert.match(problems({ cwd }), /inferenceconfig\.json: entryScript: expected a text, got a number/);
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  writeFileSync(file, `{"entryScript": ${deep}}`);
  assert.match(problems({ cwd }), /inferenceconfig\.json: entryScript: expected a text, got an array$/);
  writeFileSync(join(cwd, 'config.json'), `{"MDC_COLLECTIONS": [${deep}]}`);
  assert.match(problems({ cwd }), /MDC_COLLECTIONS: expected .* or a list of them, got an array$/m);
  rmSync(join(cwd, 'config.json'));
  for (const broken of ['{', '[1]']) {
    writeFileSync(file, broken);
    assert.match(problems({ cwd }), /inferenceconfig\.json: expected a JSON object with entryScript and sourceDirectory/);
  }
});

test('no content of a file of options is a fault of the server', (t) => {
  const cwd = folder(t);
  const members = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('entryScript', 'sourceDirectory', 'PORT', 'AZUREML_ENTRY_SCRIPT', '__proto__')),
    fc.jsonValue(),
  );
  const content = fc.oneof(
    members.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.constantFrom('config.json', 'inferenceconfig.json'), content, (name, text) => {
      for (const each of ['config.json', 'inferenceconfig.json']) writeFileSync(join(cwd, each), each === name ? text : '');
      try {
        readConfig({ argv: [], env: {}, cwd });
      } catch (thrown) {
        assert.equal((thrown as { code?: unknown }).code, 'usage');
      }
    }),
  );
});

function isRefused(row: Option<unknown>, value: string): boolean {
  try {
    row.parse(value);
    return false;
  } catch {
    return true;
  }
}

test('a secret that is given as a flag that does not exist, or stands in a broken config.json, is not shown either', (t) => {
  const cwd = folder(t);
  const message = problems({ cwd, argv: ['--mdc-blob-connection-string', 'AccountKey=s3cr3t', 'stray'] });
  assert.match(message, /--mdc-blob-connection-string: there is no such flag/);
  assert.match(message, /argument "stray"/);
  assert.doesNotMatch(message, /s3cr3t/);
  for (const text of ['{"AML_APP_INSIGHTS_KEY": s3cr3t}', '{"MDC_BLOB_CONNECTION_STRING": "AccountKey=" s3cr3t', '"s3cr3t" x']) {
    writeFileSync(join(cwd, 'config.json'), text);
    const broken = problems({ cwd });
    assert.match(broken, /config\.json: expected a JSON object of options, SyntaxError/);
    assert.doesNotMatch(broken, /s3cr3t/);
  }
});

// A path that does not exist is shown whole: config.json's.
for (const [key, row] of Object.entries<Option<unknown>>(options).filter(([name]) => name !== 'configFile'))
  test(`an address in the wrong place is shown without its keys: ${key}`, (t) => {
    const value = 'https://user:s3cr3t@host:8080/hooks/s3cr3t?sig=s3cr3t';
    for (const name of row.env) {
      const given = { cwd: folder(t), env: { [name]: value } };
      assert.doesNotMatch(problems({ ...given, argv: ['--port', 'x', '--port', value, value] }), /s3cr3t/);
      if (!isRefused(row, value)) continue;
      // Platforms' variables are warned about.
      const told = row.otherwise === undefined ? problems(given) : warnings(given).join('\n');
      assert.ok(told.includes(`${name}: `));
      assert.equal(told.includes('https://host:8080'), row.secret !== true);
      assert.doesNotMatch(told, /s3cr3t/);
    }
  });

test('the text of every option fits a cell of the table', () => {
  assert.deepEqual(
    Object.values<Option<unknown>>(options).filter(({ doc, secret }) => `${doc}${secret === true ? ' Secret.' : ''}`.length > 118),
    [],
  );
});
