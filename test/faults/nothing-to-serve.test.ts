import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { withServer } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';

const HOME = fileURLToPath(new URL('../../', import.meta.url));

/** A folder with empty files. */
function withFiles(...files: readonly string[]): string {
  const path = folder();
  for (const file of files) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), '');
  }
  return path;
}

async function refuses(args: readonly string[], options: { cwd?: string; env?: Record<string, string> }, says: RegExp): Promise<void> {
  await withServer(
    args,
    async (server) => {
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      assert.match((await server.line(({ level }) => level === 'fatal')).msg, says);
      assert.ok(!server.lines.some(({ msg }) => msg === 'ready'));
    },
    options,
  );
}

test('a folder that is not recognised ends the server with 3, and never serves the sample', async () => {
  await refuses([], { cwd: withFiles('index.ts') }, /index\.ts: rename it to score\.ts/);
  await refuses([], { cwd: withFiles('score.R', 'model.pkl') }, /model\.pkl: this server runs ONNX[\s\S]*score\.R: this server runs/);
  await refuses([], { cwd: withFiles('sub/score.ts') }, /AZUREML_SOURCE_DIRECTORY to sub/);
  await refuses(['--app-root', withFiles('model.onnx.zip')], {}, /model\.onnx\.zip: unpack it/);
});

test('the sample is not served where anything is named: a folder, a model name, by flag, variable or config.json', async () => {
  const cwd = folder();
  await refuses(['--app-root', '.'], { cwd }, /--app-root names something/);
  await refuses(['--model-name=iris'], { cwd }, /--model-name names something/);
  await refuses([], { cwd, env: { MODEL_NAME: 'iris' } }, /MODEL_NAME names something/);
  await refuses(['--app-root', 'test/faults'], { cwd: HOME }, /--app-root names something/);
  await refuses([], { cwd: HOME, env: { AML_APP_ROOT: cwd } }, /AML_APP_ROOT names something[\s\S]*is empty: check that/);
  writeFileSync(join(cwd, 'options.json'), '{"MODEL_NAME": "iris"}');
  await refuses(['--config-file', join(cwd, 'options.json')], { cwd: HOME }, /options\.json: MODEL_NAME names something/);
});

const mounts = (command: string): string[] => ['--mount', '--fork', 'sh', '-c', command];
const cannotMount = spawnSync('unshare', mounts('true')).status === 0 ? false : 'needs the right to mount';

test('an empty volume that is mounted over the current folder ends the server with 3', { skip: cannotMount }, () => {
  const cwd = folder();
  const start = `mount -t tmpfs none '${cwd}' && cd '${cwd}' && exec '${process.execPath}' '${HOME}server/main.ts' --port 0`;
  const { status, stdout } = spawnSync('unshare', mounts(start), { encoding: 'utf8', timeout: 120_000 });
  assert.equal(status, 3, stdout);
  assert.match(stdout, /is a mounted volume that is empty/);
});
