/**
 * The last step of the image's build: loads every dependency that package.json names, serves the sample and a model without code, scores
 * both, and leaves what Node compiled on the way in `compile-cache/`. What cannot be loaded or served fails the build.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };

const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
const CACHE = join(HOME, 'compile-cache');
/** The image's user, and root for platforms that insist on it; others get a link at start (docker/compile-cache.cjs). */
const USERS = [0, 1000];

await Promise.all(Object.keys(packageJson.dependencies).map((name) => import(name)));

const model = join(HOME, 'entry-scripts', 'diabetes.onnx');
await serve([], '{"data": [[1,2,3,4,5,6,7,8,9,10]]}');
// Another front door and another script.
await serve(['--model', model, '--grpc-port', String(await freePort())], '{"inputs": {"X": [[1,2,3,4,5,6,7,8,9,10]]}}');
publish();
// Not every package lets go of the process that has loaded it.
process.exit();

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
    const said = JSON.parse(line) as { msg: string; port?: number };
    if (said.msg === 'listening') port = said.port ?? 0;
    if (said.msg !== 'ready') continue;
    const url = `http://127.0.0.1:${port}`;
    for (const probe of ['/', '/health/live', '/health/ready', '/metrics', '/swagger.json', '/v2']) await expectOk(fetch(url + probe));
    const answer = await expectOk(fetch(`${url}/score`, { method: 'POST', body, headers: { 'content-type': 'application/json' } }));
    if (!answer.includes('11633.1')) throw new Error(`The sample is answered with ${answer}, expected 11633.1...`);
    server.kill('SIGTERM');
  }
  const [code] = await exit;
  if (code !== 0) throw new Error(`The server that fills the compile cache ended with exit code ${code}, expected 0.`);
}

/** A build may share its network with the machine that it runs on. */
async function freePort(): Promise<number> {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  return port;
}

async function expectOk(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: ${text}`);
  return text;
}

/** Gives the folder that Node filled a name of its own, and links for the users of the image. */
function publish(): void {
  const [folder, ...others] = readdirSync(CACHE);
  if (folder === undefined || others.length > 0)
    throw new Error(`Expected one folder of Node's in ${CACHE}, got ${[folder, ...others].join(', ')}.`);
  renameSync(join(CACHE, folder), join(CACHE, 'filled'));
  for (const uid of USERS) symlinkSync('filled', join(CACHE, folder.replace(/\d+$/, String(uid))));
  chmodSync(join(CACHE, 'filled'), 0o755);
  for (const file of readdirSync(join(CACHE, 'filled'))) chmodSync(join(CACHE, 'filled', file), 0o644);
}
