import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../set-up/folder.ts';
import { SCRIPTS } from './start-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A synchronous call keeps the time limit of the test from coming to pass. */
const LONGEST_MS = 60_000;
const run = (...args: string[]): { status: number | null; stdout: string } =>
  spawnSync(process.execPath, [`${ROOT}server/main.ts`, '--port', '0', ...args], { cwd: SCRIPTS, encoding: 'utf8', timeout: LONGEST_MS });

test('--help lists every option, --version names the server', () => {
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /AZUREML_ENTRY_SCRIPT[\s\S]*SCORING_TIMEOUT_MS/);
  assert.match(run('--version').stdout, /^scoring-server\/\d/);
});

test('the log is lines for people where that is asked for, JSON lines in a pipe', () => {
  const pretty = run('--log-format', 'pretty', '--entry-script', 'no-run.ts');
  assert.equal(pretty.status, 3);
  assert.match(pretty.stdout, /^\[\d\d:\d\d:\d\d\.\d{3}\] FATAL[\s\S]*does not have a run\(\) function defined/m);
  const lines = run('--entry-script', 'no-run.ts').stdout.trim().split('\n');
  assert.equal((JSON.parse(lines.at(-1) ?? '') as { level: string }).level, 'fatal');
});

test('setting up installs when the lock file has changed, and only then', () => {
  const root = folder();
  mkdirSync(join(root, '.setup'));
  mkdirSync(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
  cpSync(join(ROOT, '.setup', 'install.mjs'), join(root, '.setup', 'install.mjs'));
  symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'));
  // Stands in for npm: says what it was asked to do.
  writeFileSync(join(root, 'npm.mjs'), 'console.error(`npm ${process.argv[2]}, CUDA ${process.env.ONNXRUNTIME_NODE_INSTALL}`);');
  const setUp = (): string => {
    const { status, stderr } = spawnSync(process.execPath, ['.setup/install.mjs'], {
      cwd: root,
      timeout: LONGEST_MS,
      encoding: 'utf8',
      env: { ...process.env, npm_execpath: join(root, 'npm.mjs') },
    });
    assert.equal(status, 0, stderr);
    return stderr;
  };
  writeFileSync(join(root, 'package-lock.json'), '{}');
  assert.match(setUp(), /npm ci, CUDA skip[\s\S]*Node \d+\.\d+\.\d+ is in place/);
  assert.equal(setUp(), '');
  writeFileSync(join(root, 'package-lock.json'), '{"changed": true}');
  assert.match(setUp(), /npm ci/);
});
