import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { freePort } from './free-port.ts';
import { withServer } from './start-server.ts';

const DIABETES = {
  data: [
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
  ],
};

test('with nothing named or found the sample is served, and the log reports it', () =>
  withServer(
    [],
    async (server) => {
      await server.ready();
      await server.said('this is the sample');
      // The content type that `curl -d` sends by itself.
      const answer = await fetch(await server.url('/score'), {
        method: 'POST',
        body: JSON.stringify(DIABETES),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      const [first, second] = (await answer.json()) as number[];
      // Azure's documentation prints 11633.100167144921; the exact sum of the published
      // coefficients ends in ...927.
      const typo = await fetch(await server.url('/score'), {
        method: 'POST',
        body: '{bad',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      assert.match(((await typo.json()) as { message: string }).message, /line 1 column 2/);
      assert.ok(Math.abs((first ?? 0) - 11633.100167144921) < 1e-8 && typeof second === 'number', String(first));
    },
    { cwd: folder() },
  ));

test('a script found in the application folder is served, main before score', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'score.js'), 'exports.init = () => {}; exports.run = () => "score";');
  await withServer([], async (server) => assert.equal(await (await (await server.ready()).score(1)).json(), 'score'), { cwd });
  writeFileSync(join(cwd, 'main.mjs'), 'export const init = () => {}; export const run = () => "main";');
  await withServer([], async (server) => assert.equal(await (await (await server.ready()).score(1)).json(), 'main'), { cwd });
});

test('a script is found below AZUREML_SOURCE_DIRECTORY, and imports files beside it by name', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'source'));
  writeFileSync(
    join(cwd, 'source', 'entry.ts'),
    "import { word } from 'words';\nexport const init = () => {};\nexport const run = () => word;\n",
  );
  writeFileSync(join(cwd, 'source', 'words.ts'), "export const word: string = 'found';\n");
  const env = { AZUREML_ENTRY_SCRIPT: 'entry.ts', AZUREML_SOURCE_DIRECTORY: 'source', AML_APP_ROOT: cwd };
  await withServer([], async (server) => assert.equal(await (await (await server.ready()).score(1)).json(), 'found'), { env });
});

test('a model alone is served without code, wherever it is found or named', async () => {
  const cwd = folder();
  const models = join(cwd, 'azureml-models', 'ridge', '1');
  mkdirSync(models, { recursive: true });
  const file = writeModel('ridge', models);
  for (const options of [{ cwd }, { env: { AZUREML_MODEL_DIR: models } }, { args: ['--model', file] }]) {
    await withServer(
      options.args ?? [],
      async (server) => {
        const ready = await (await server.ready()).line(({ msg }) => msg === 'ready');
        assert.equal(ready['kind'], 'model without code');
        const answer = (await (await server.score({ inputs: { X: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] } })).json()) as {
          outputs: { variable: number[][] };
        };
        assert.equal(answer.outputs.variable[0]?.length, 1);
        const wrong = await server.score({ inputs: { X: [[1, 2, 3]] } });
        assert.equal(wrong.status, 400);
        assert.match(((await wrong.json()) as { message: string }).message, /X/);
      },
      options,
    );
  }
});

test('a name that is not found is an error with exit code 3, never the sample', async () => {
  const cwd = folder();
  const two = join(cwd, 'two');
  mkdirSync(two);
  writeModel('ridge', two);
  writeModel('multi', two);
  mkdirSync(join(cwd, 'empty'));
  const cases: [env: Record<string, string>, ...words: RegExp[]][] = [
    [{ AZUREML_ENTRY_SCRIPT: 'nowhere.ts' }, /nowhere\.ts does not exist/, /AZUREML_ENTRY_SCRIPT/],
    [{ AZUREML_MODEL_DIR: join(cwd, 'nowhere') }, /nowhere does not exist/, /AZUREML_MODEL_DIR/],
    [{ AZUREML_MODEL_DIR: join(cwd, 'empty') }, /no \.onnx file/],
    [{ AZUREML_MODEL_DIR: two }, /There are 2 models/, /multi\.onnx/, /ridge\.onnx/, /--model/],
    [{ MODEL_FILE: join(cwd, 'nowhere.onnx') }, /nowhere\.onnx does not exist/],
  ];
  for (const [env, ...words] of cases) {
    await withServer(
      [],
      async (server) => {
        assert.deepEqual(await server.exited, { code: 3, signal: null });
        const fatal = await server.line(({ level }) => level === 'fatal');
        for (const word of words) assert.match(fatal.msg, word);
      },
      { cwd, env },
    );
  }
});

test('a script that cannot start answers 503 until the process ends with 3, and the model directory is listed', async () => {
  const modelDir = folder();
  mkdirSync(join(modelDir, 'folder'));
  writeFileSync(join(modelDir, 'folder', 'weights.bin'), '');
  await withServer(
    ['--entry-script', 'init-signal.ts', '--model-dir', modelDir],
    async (server) => {
      const response = await server.score(1);
      assert.deepEqual([response.status, await server.status('/'), await server.status('/health/live')], [503, 503, 200]);
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      const fatal = await server.line(({ level }) => level === 'fatal');
      assert.match(fatal.msg, /^[^\n]*INIT_TIMEOUT_MS[^\n]*$/);
      assert.match(String(fatal['tree']), /holds:\n[\s\S]*folder\/\n {8}weights\.bin/);
    },
    { env: { INIT_TIMEOUT_MS: '4000' } },
  );
});

test('every wrong option is reported in one message, with exit code 2', () =>
  withServer(
    ['--worker-count', 'many', '--no-such-flag', 'x'],
    async (server) => {
      assert.deepEqual(await server.exited, { code: 2, signal: null });
      for (const word of [
        /--worker-count: expected a whole number from 1 to 1024, or auto, got "many"/,
        /--no-such-flag/,
        /SCORING_TIMEOUT_MS/,
      ])
        assert.match(server.stderr, word);
    },
    { env: { SCORING_TIMEOUT_MS: 'soon' } },
  ));

test('a port in use is named, with exit code 2', () =>
  withServer(['--entry-script', 'echo.ts'], async (first) => {
    const port = new URL(await first.url()).port;
    await withServer(['--entry-script', 'echo.ts', '--port', port], async (second) => {
      assert.equal((await second.exited).code, 2);
      assert.match((await second.line(({ level }) => level === 'fatal')).msg, new RegExp(port));
    });
  }));

test('probes answer at once while a run() blocks its worker', () =>
  withServer(
    ['--entry-script', 'run-spins.ts'],
    async (server) => {
      await server.ready();
      let spinning = true;
      const spun = server.score('spin').finally(() => (spinning = false));
      await server.inFlight(1);
      for (let round = 0; round < 5; round++)
        for (const path of ['/', '/health/live', '/health/ready', '/metrics']) assert.equal(await server.status(path), 200, path);
      assert.ok(spinning, 'the probes were answered after the run');
      const answer = await spun;
      assert.deepEqual([answer.status, await answer.json()], [504, { message: 'Scoring timeout after 5000 ms' }]);
      assert.equal(await (await server.score('next')).json(), 'fine');
    },
    { env: { SCORING_TIMEOUT_MS: '5000', CANCEL_GRACE_MS: '100' } },
  ));

test('a log line of run() carries the ids of its request', () =>
  withServer(['--entry-script', 'console.ts'], async (server) => {
    await server.ready();
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    await server.score(1, { 'x-request-id': 'mine', traceparent: `00-${trace}-00f067aa0ba902b7-01` });
    const said = await server.said('said before');
    assert.deepEqual([said['requestId'], said['traceId'], said['level']], ['mine', trace, 'info']);
    const access = await server.line(({ route }) => route === '/score');
    assert.deepEqual([access['requestId'], access['status'], access['worker'], typeof access['ms']], ['mine', 200, 0, 'number']);
  }));

test('AZUREML_DEBUG_PORT opens the inspector in the worker', async () => {
  const debugPort = await freePort();
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const { port } = await server
        .line((line) => /Debugger listening on ws:\/\/127\.0\.0\.1/.test(line.msg))
        .then((line) => new URL(/ws:\S+/.exec(line.msg)?.[0] ?? ''));
      const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as { title: string }[];
      assert.equal(port, String(debugPort));
      assert.match(targets[0]?.title ?? '', /worker\/main\.ts/);
    },
    { env: { AZUREML_DEBUG_PORT: String(debugPort) } },
  );
});

test('in a pod with service links and odd variables of platforms the server warns and serves, and a script sees the ports that are open', () =>
  withServer(
    ['--entry-script', 'environment.ts'],
    async (server) => {
      await server.ready();
      for (const name of ['METRICS_PORT', 'GRPC_PORT', 'HEALTH_PORT'])
        assert.match((await server.said(`${name}=tcp://10.0.0.1:9090 is ignored`)).msg, /enableServiceLinks: false/);
      await server.said('WORKER_PRELOAD has no effect');
      for (const name of ['OTEL_TRACES_SAMPLER_ARG', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'AML_APP_INSIGHTS_ENABLED', 'AZUREML_MDC_PORT'])
        assert.equal((await server.said(`${name}: expected `)).level, 'warn');
      assert.equal(await server.status('/metrics'), 200);
      const names = ['HEALTH_PORT', 'AML_APP_INSIGHTS_ENABLED', 'HTTP_X_MS_SERVER_VERSION'];
      const seen = (await (await server.score(names)).json()) as Record<string, string>;
      assert.deepEqual([seen['HEALTH_PORT'], seen['AML_APP_INSIGHTS_ENABLED']], ['0', 'false']);
      const probe = await fetch(await server.url('/'));
      await probe.text();
      assert.equal(seen['HTTP_X_MS_SERVER_VERSION'], probe.headers.get('x-ms-server-version'));
    },
    {
      env: {
        METRICS_PORT: 'tcp://10.0.0.1:9090',
        GRPC_PORT: 'tcp://10.0.0.1:9090',
        HEALTH_PORT: 'tcp://10.0.0.1:9090',
        METRICS_PORT_9090_TCP: 'tcp://10.0.0.1:9090',
        METRICS_PORT_9090_TCP_PORT: '9090',
        SCORING_SERVER_PORT: 'tcp://10.0.0.1:9090',
        OTEL_TRACES_SAMPLER_ARG: 'abc',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317',
        AML_APP_INSIGHTS_ENABLED: 'asdf',
        AZUREML_MDC_PORT: 'x',
        WORKER_PRELOAD: 'true',
      },
    },
  ));

test('inferenceconfig.json names the script, and a notebook is told with the way out', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'source'));
  copyFileSync(new URL('../scripts/echo.js', import.meta.url), join(cwd, 'source', 'handler.mjs'));
  writeFileSync(
    join(cwd, 'inferenceconfig.json'),
    JSON.stringify({ entryScript: 'handler.mjs', sourceDirectory: './source', runtime: 'python' }),
  );
  await withServer([], async (server) => assert.equal((await (await server.ready()).score(1)).status, 200), { cwd });
  writeFileSync(join(cwd, 'source', 'score.ipynb'), '');
  writeFileSync(join(cwd, 'inferenceconfig.json'), JSON.stringify({ entryScript: 'score.ipynb', sourceDirectory: './source' }));
  await withServer(
    [],
    async (server) => {
      assert.equal((await server.exited).code, 3);
      const { msg } = await server.line(({ level }) => level === 'fatal');
      assert.match(msg, /which \S+inferenceconfig\.json names, cannot be run: .*score\.ipynb: the server runs no notebooks/);
    },
    { cwd },
  );
});

test('a config.json beside the script is applied, and the log names its unknown keys', async () => {
  const cwd = folder();
  copyFileSync(new URL('../scripts/echo.js', import.meta.url), join(cwd, 'score.mjs'));
  writeFileSync(join(cwd, 'config.json'), JSON.stringify({ SERVICE_NAME: 'mine', WORKER_COUNT: 2, NO_SUCH_KEY: 1 }));
  await withServer(
    [],
    async (server) => {
      await server.ready();
      assert.match((await server.said('no effect')).msg, /NO_SUCH_KEY/);
      assert.equal(server.workers.length, 2);
      const swagger = (await (await fetch(await server.url('/swagger.json'))).json()) as { info: { title: string } };
      assert.equal(swagger.info.title, 'mine');
    },
    { cwd },
  );
  assert.ok(existsSync(cwd) && readFileSync(join(cwd, 'config.json'), 'utf8').includes('mine'));
});
