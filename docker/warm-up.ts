/**
 * The last step of the image's build. It loads every dependency of package.json, serves the sample
 * and a model without code, and scores both. Node's compiled code stays in `compile-cache/`. A
 * dependency or model that does not load fails the build.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };

const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
const CACHE = join(HOME, 'compile-cache');
/**
 * The image's user, and root for platforms that insist on it; others get a link at start
 * (docker/compile-cache.cjs).
 */
const USERS = [0, 1000];

await Promise.all(Object.keys(packageJson.dependencies).map((name) => import(name)));

const model = join(HOME, 'entry-scripts', 'diabetes.onnx');
await serve([], '{"data": [[1,2,3,4,5,6,7,8,9,10]]}');
// The gRPC port and the script for models without code have code of their own.
await serve(['--model', model, '--grpc-port', String(await freePort())], '{"inputs": {"X": [[1,2,3,4,5,6,7,8,9,10]]}}');
publish();
// Some packages keep the process running.
process.exit();

/** Members of a log line that matter here. */
interface LogLine {
  readonly msg?: unknown;
  readonly port?: unknown;
}

async function serve(args: readonly string[], body: string): Promise<void> {
  const server = spawn(
    process.execPath,
    [...process.execArgv, join(HOME, 'server', 'main.ts'), '--host', '127.0.0.1', '--port', '0', ...args],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: CACHE, EXECUTION_PROVIDER: 'cpu', DRAIN_DELAY_MS: '0', LOG_FORMAT: 'json' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exit = once(server, 'exit');
  let port = 0;
  for await (const line of createInterface({ input: server.stdout })) {
    console.log(line);
    const { msg, port: open }: LogLine = JSON.parse(line);
    if (msg === 'listening') port = Number(open);
    if (msg !== 'ready') continue;
    const url = `http://127.0.0.1:${port}`;
    for (const probe of ['/', '/health/live', '/health/ready', '/metrics', '/swagger.json', '/v2']) await expectOk(fetch(url + probe));
    const answer = await expectOk(fetch(`${url}/score`, { method: 'POST', body, headers: { 'content-type': 'application/json' } }));
    if (!answer.includes('11633.1')) throw new Error(`The sample is answered with ${answer}, expected 11633.1...`);
    server.kill('SIGTERM');
  }
  const [code] = await exit;
  if (code !== 0) throw new Error(`The server that fills the compile cache ended with exit code ${code}, expected 0.`);
}

/** Why: a build may share its network with the machine, where a fixed port may be in use. */
async function freePort(): Promise<number> {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');

  const address = socket.address();
  if (typeof address !== 'object' || address === null) throw new Error(`Expected a port of 127.0.0.1, got ${String(address)}.`);
  socket.close();
  await once(socket, 'close');
  return address.port;
}

async function expectOk(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: ${text}`);
  return text;
}

/**
 * Renames the folder that Node filled, and links it to the names that Node asks for under each user
 * of the image.
 */
function publish(): void {
  const [folder, ...others] = readdirSync(CACHE);
  if (folder === undefined || others.length > 0)
    throw new Error(`Expected one folder of Node's in ${CACHE}, got ${[folder, ...others].join(', ')}.`);
  renameSync(join(CACHE, folder), join(CACHE, 'filled'));
  for (const uid of USERS) symlinkSync('filled', join(CACHE, folder.replace(/\d+$/, String(uid))));
  chmodSync(join(CACHE, 'filled'), 0o755);
  for (const file of readdirSync(join(CACHE, 'filled'))) chmodSync(join(CACHE, 'filled', file), 0o644);
}
