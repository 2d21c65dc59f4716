import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { chooseProvider } from '../../server/scoring/provider-choice.ts';
import { folder } from '../set-up/folder.ts';
import { scriptFolder } from '../worker/script-folder.ts';
import { ServerProcess } from './start-server.ts';

/** A preload in a folder of its own. Where it runs, it leaves a file `<process id>-<thread id>`. */
function preload(code: string): { readonly NODE_OPTIONS: string; readonly ran: () => string[] } {
  const home = folder();
  const marks = join(home, 'ran');
  mkdirSync(marks);
  const file = join(home, 'agent.cjs');
  writeFileSync(
    file,
    `const { isMainThread, threadId } = require('node:worker_threads');
const inWorker = process.argv[1]?.endsWith('worker/main.ts') === true;
require('node:fs').writeFileSync(${JSON.stringify(marks)} + '/' + process.pid + '-' + threadId, '');
${code}
`,
  );
  return { NODE_OPTIONS: `--require=${file}`, ran: () => readdirSync(marks) };
}

const BIG = 'globalThis.agent = Array.from({ length: 30 }, () => Array.from({ length: 131_072 }, (_, index) => index + 0.5));';
/** What agents do: they patch modules, print, listen, and start threads and timers of their own. */
const AGENT = `
for (const name of ['http', 'https', 'net', 'fs', 'worker_threads', 'child_process', 'module']) {
  const module = require('node:' + name);
  for (const [key, value] of Object.entries(module)) {
    if (typeof value !== 'function' || value.prototype !== undefined) continue;
    module[key] = Object.assign(function (...args) { return Reflect.apply(value, this, args); }, value);
  }
}
const { Worker } = require('node:worker_threads');
require('node:worker_threads').Worker = class extends Worker {};
require('node:module').syncBuiltinESMExports();
if (inWorker) console.log('agent: started');
if (inWorker) new Worker('setInterval(() => {}, 1000)', { eval: true, env: {} }).unref();
process.on('uncaughtExceptionMonitor', () => {});
setInterval(() => {}, 1000).unref();
`;

test('a preload of 30 MB runs in the processes, in no thread of the server, and costs no worker', async () => {
  const { NODE_OPTIONS, ran } = preload(BIG);
  const traces = createServer((request, response) => void request.resume().on('end', () => response.end('{}')));
  await once(traces.listen(0, '127.0.0.1'), 'listening');
  const { port } = traces.address() as AddressInfo;
  // Both threads of the host run, and the one that watches its exit.
  const env = { NODE_OPTIONS, MDC_SINK: 'file', MDC_DIR: folder(), OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const server = await new ServerProcess(['--entry-script', 'echo.ts'], { env }).ready();
  try {
    assert.deepEqual(await (await server.score({ a: 1 })).json(), { a: 1 });
    await server.drain();
  } finally {
    await server.stop();
    traces.close();
    traces.closeAllConnections();
  }
  assert.deepEqual(ran().toSorted(), [server.pid, ...server.workers].map((pid) => `${pid}-0`).toSorted());
  assert.equal(server.workers.length, 1);
  assert.deepEqual(server.linesWith('thread'), []);
});

test('a preload that patches modules, prints and starts threads leaves scoring and the drain alone', async () => {
  const { NODE_OPTIONS } = preload(AGENT);
  const server = await new ServerProcess(['--entry-script', 'echo.ts'], { env: { NODE_OPTIONS } }).ready();
  try {
    assert.equal((await server.said('agent: started'))['stream'], 'stdout');
    for (let request = 0; request < 5; request++) assert.deepEqual(await (await server.score({ request })).json(), { request });
    await server.drain();
  } finally {
    await server.stop();
  }
  assert.equal(server.workers.length, 1);
});

test('beside a loader that a preload registers, scripts are loaded by their syntax', async () => {
  const loader = 'export const load = (url, context, next) => next(url, context);';
  const home = scriptFolder({
    'agent.mjs': `import { register } from 'node:module';\nregister('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(loader))});\n`,
    'package.json': '{"type": "commonjs"}',
    'score.js': "import { factor } from './lib.js';\nexport const init = () => {};\nexport const run = (data) => data * factor;\n",
    'lib.ts': 'export const factor: number = 2;\n',
  });
  const env = { NODE_OPTIONS: `--import=${join(home, 'agent.mjs')}` };
  const server = await new ServerProcess(['--entry-script', join(home, 'score.js')], { env }).ready();
  try {
    assert.equal(await (await server.score(3)).json(), 6);
  } finally {
    await server.stop();
  }
});

test('a preload that fails in the workers is named where the start fails', async () => {
  const { NODE_OPTIONS } = preload("if (inWorker) throw new Error('no licence of the agent');");
  const server = new ServerProcess(['--entry-script', 'echo.ts'], { env: { NODE_OPTIONS } });
  try {
    await server.said('no licence of the agent');
    await server.said('a preload of NODE_OPTIONS');
    assert.equal((await server.exited).code, 3);
  } finally {
    await server.stop();
  }
});

test('the process that tries a provider has no preload, whose output would spoil its findings', async () => {
  const { NODE_OPTIONS, ran } = preload("console.log('agent: started');");
  const around = { env: { ...process.env, NODE_OPTIONS }, signal: new AbortController().signal, root: folder() };
  const choice = chooseProvider({ executionProvider: 'cuda', cudaDeviceIds: [] }, around);
  await choice.catch(({ message }: Error) => assert.doesNotMatch(message, /expected its findings/));
  assert.deepEqual(ran(), []);
});

test('an older Node.js is refused in one line, with exit code 2', async () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };
  const home = folder();
  const older = join(home, 'older.cjs');
  writeFileSync(older, "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '24.11.1' } });\n");
  const server = new ServerProcess(['--entry-script', 'echo.ts'], { env: { NODE_OPTIONS: `--require=${older}` } });
  assert.deepEqual(await server.exited, { code: 2, signal: null });
  const needed = engines.node.replace('>=', '');
  assert.match(server.stderr, new RegExp(`^scoring-server cannot start: expected Node\\.js ${needed} or later, got 24\\.11\\.1 .*\\n$`));
});
