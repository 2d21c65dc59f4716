// Brings node_modules in line with package-lock.json before `npm start`, `npm test` and the checks.
// It is plain JavaScript, because it runs on any Node from 20. The server itself runs on the Node
// 24 of the npm package `node`, which npm puts first on the PATH of every script.
import { createHash } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.installed`;
const node = `${root}node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`;

const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted || !existsSync(node)) install();

function install() {
  console.error('Installing what package-lock.json names (once; again only when it changes) ...');
  // onnxruntime-node's install script would download CUDA; the CPU library is in its tarball. npm
  // >= 11.19 skips it by `allowScripts` in package.json, older ones by this variable.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', NODE_ENV: 'development' };
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command, ...first] = npm;
  const { status, error } = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail(`\`npm ci\` ended with ${error?.message ?? `exit code ${status}`}; its own words are above.`);
  try {
    console.error(`Node ${execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()} is in place.`);
  } catch (cause) {
    fail(
      `expected a Node 24 at ${node}, but it does not run (${cause.message}). The npm package \`node\` brings it by its ` +
        'install script: allow that script (npm config `ignore-scripts` must not be true) and try again.',
    );
  }
  writeFileSync(stamp, wanted);
}

function fail(reason) {
  console.error(`Setting up scoring-server failed: ${reason}`);
  process.exit(1);
}
