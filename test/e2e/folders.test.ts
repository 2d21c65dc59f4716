import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeModel } from '../models/models.ts';
import { asOtherUser, otherUid, sharedFolder } from './other-user.ts';
import { SCRIPTS, withServer } from './start-server.ts';

const ROW = { inputs: { X: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] } };

/** What a volume and its users leave beside a model, and nobody can read. */
async function clutter(t: TestContext, folder: string): Promise<void> {
  mkdirSync(join(folder, 'lost+found'));
  chmodSync(join(folder, 'lost+found'), 0);
  mkdirSync(join(folder, 'private'));
  writeModel('multi', join(folder, 'private'));
  chmodSync(join(folder, 'private'), 0);
  symlinkSync('.', join(folder, 'again'));
  symlinkSync('circle', join(folder, 'circle'));
  execFileSync('mkfifo', [join(folder, 'pipe.onnx'), join(folder, 'config.json'), join(folder, 'swagger.json')]);
  symlinkSync('/dev/zero', join(folder, 'zero.onnx'));
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(join(folder, 'socket.onnx'), resolve));
  t.after(() => socket.close());
}

test('what cannot be read beside a model is skipped, in the application and in the model directory', async (t) => {
  const cwd = sharedFolder(t);
  writeModel('ridge', cwd);
  await clutter(t, cwd);
  for (const args of [[], ['--model-dir', cwd]]) {
    await withServer(
      args,
      async (server) => {
        await server.ready();
        assert.equal((await server.score(ROW)).status, 200);
        assert.equal(await server.status('/swagger.json'), 200);
      },
      { cwd, ...asOtherUser },
    );
  }
});

test('modelPath() passes over what cannot be read, and openModel() finds the one model', async (t) => {
  const models = sharedFolder(t);
  const version = join(models, 'ridge', '2');
  mkdirSync(version, { recursive: true });
  const file = writeModel('ridge', version);
  await clutter(t, version);
  await clutter(t, join(models, 'ridge'));
  await withServer(
    ['--entry-script', 'model-path-and-open.ts', '--model-dir', models],
    async (server) => {
      await server.ready();
      assert.deepEqual(await (await server.score(1)).json(), { path: join(models, 'ridge', '2', 'ridge.onnx'), name: 'ridge' });
    },
    asOtherUser,
  );
  assert.ok(file.startsWith(version));
});

/** Starts a server that must end, and gives its exit code and its reason. */
async function refusal(args: readonly string[]): Promise<{ code: number | null; reason: string }> {
  let result = { code: null as number | null, reason: '' };
  await withServer(
    args,
    async (server) => {
      const { code } = await server.exited;
      const fatal = server.lines.find(({ level }) => level === 'fatal');
      result = { code, reason: fatal?.msg ?? server.stderr };
    },
    asOtherUser,
  );
  return result;
}

test('a folder without permission is named with the user, the mode, the owner and the cure', async (t) => {
  const root = sharedFolder(t);
  const models = join(root, 'models');
  mkdirSync(join(models, 'inside'), { recursive: true });
  writeModel('ridge', join(models, 'inside'));
  const mode = otherUid === process.getuid?.() ? '0000' : '0700';
  chmodSync(models, mode);
  const cases = [
    ['--model-dir', models],
    ['--model-dir', join(models, 'inside')],
    ['--model', join(models, 'inside', 'ridge.onnx')],
    ['--app-root', models],
    ['--app-root', join(models, 'inside')],
    ['--entry-script', 'model-path-and-open.ts', '--model-dir', models],
    ['--entry-script', join(models, 'inside', 'score.ts')],
  ];
  for (const args of cases) {
    const { code, reason } = await refusal(args);
    assert.equal(code, 3, `${args.join(' ')}: ${reason}`);
    assert.ok(reason.includes(`permission denied for uid:gid ${otherUid}:`), reason);
    assert.ok(reason.includes(`at ${models} (mode ${mode}, owner ${process.getuid?.()}:`), reason);
    assert.match(reason, /chmod -R a\+rX|runAsUser/);
  }
});

test('a folder that may be entered but not listed serves what is named, and says why it finds nothing', async (t) => {
  const root = sharedFolder(t);
  const models = join(root, 'models');
  mkdirSync(models);
  const file = writeModel('ridge', models);
  chmodSync(models, 0o311);
  await withServer(['--model', file], async (server) => assert.equal((await (await server.ready()).score(ROW)).status, 200), {
    cwd: root,
    ...asOtherUser,
  });
  const { code, reason } = await refusal(['--model-dir', models]);
  assert.equal(code, 3);
  assert.match(reason, /permission denied .* \(mode 0311/);
});

test('a file without permission is named with its mode: a model, an entry script, a config.json', async (t) => {
  const root = sharedFolder(t);
  const model = writeModel('ridge', root);
  const script = join(root, 'score.js');
  const config = join(root, 'config.json');
  const empty = join(root, 'other.json');
  writeFileSync(empty, '{}');
  copyFileSync(join(SCRIPTS, 'echo.js'), script);
  writeFileSync(config, '{}');
  for (const file of [model, script, config]) chmodSync(file, 0);
  const cases: [args: string[], file: string, code: number][] = [
    [['--model', model], model, 3],
    [['--model-dir', model], model, 3],
    [['--model-dir', root], model, 3],
    [['--entry-script', script, '--config-file', empty], script, 3],
    [['--app-root', root, '--config-file', empty], script, 3],
    [['--app-root', root], config, 2],
    [['--config-file', config], config, 2],
  ];
  for (const [args, file, expected] of cases) {
    const { code, reason } = await refusal(args);
    assert.equal(code, expected, `${args.join(' ')}: ${reason}`);
    assert.ok(reason.includes(`at ${file} (mode 0000, owner ${process.getuid?.()}:`), reason);
    assert.doesNotMatch(reason, /onnx\.checker/);
  }
});

test('external data without permission is told as such', async (t) => {
  const root = sharedFolder(t);
  const data = join(root, 'weights.bin');
  writeFileSync(data, Float32Array.of(2));
  const model = writeModel('external', root);
  chmodSync(data, 0);
  const { code, reason } = await refusal(['--model', model]);
  assert.equal(code, 3);
  assert.match(reason, /external data may not be read: allow it with chmod/);
});
