import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServerError } from '../../../server/errors.ts';
import { permissionFlags } from '../../../server/scoring/permission-flags.ts';
import { config } from '../../http/start.ts';
import { folder } from '../../set-up/folder.ts';

const { TMPDIR } = process.env;
/** The temporary folder of these tests has all their folders, so scripts get another one. */
before(() => (process.env['TMPDIR'] = folder()));
after(() => {
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
});

const HOME = fileURLToPath(new URL('../../../', import.meta.url));
const app = folder();
mkdirSync(join(app, 'src'));
mkdirSync(join(app, 'node_modules'));
const found = { entryScript: join(app, 'src', 'score.ts'), modelFile: undefined, modelDir: undefined, importPath: [] };
const on = (changes: Parameters<typeof config>[0] = {}) => config({ appRoot: join(app, 'src'), workerPermissionModel: 'on', ...changes });
/** Paths of one kind of flag. */
const paths = (flags: readonly string[], kind: 'read' | 'write'): string[] =>
  flags.flatMap((flag) => (flag.startsWith(`--allow-fs-${kind}=`) ? [flag.slice(flag.indexOf('=') + 1)] : []));

test('workers have no flag of the permission model where it is off', () => {
  assert.deepEqual(permissionFlags(config({ workerReadPaths: ['/data'] }), found, '/cache'), []);
});

test('scripts may read the application, packages above it, and the server, and no folder above them', () => {
  const read = paths(permissionFlags(on(), found, undefined), 'read');
  for (const path of [join(app, 'src'), join(app, 'node_modules'), join(HOME, 'server'), join(HOME, 'node_modules'), tmpdir()])
    assert.ok(read.includes(path), path);
  for (const path of ['/', '/etc', app, HOME, HOME.slice(0, -1), join(HOME, 'test')]) assert.ok(!read.includes(path), path);
});

test('scripts may write the temporary folder and the cache, and what WORKER_WRITE_PATHS names', () => {
  const there = folder();
  assert.deepEqual(paths(permissionFlags(on(), found, undefined), 'write'), [tmpdir()]);
  // A path that is not there may become a folder.
  const flags = permissionFlags(on({ workerWritePaths: [there, '/not/there'] }), found, '/not/a/cache');
  assert.deepEqual(paths(flags, 'write'), [tmpdir(), there, '/not/there', '/not/there/*', '/not/a/cache', '/not/a/cache/*']);
  for (const path of paths(flags, 'write')) assert.ok(paths(flags, 'read').includes(path), path);
});

test('a model may be read with its folder, a model directory as it is, and a link with its target', () => {
  const models = folder();
  writeFileSync(join(models, 'model.onnx'), '');
  const link = join(folder(), 'models');
  symlinkSync(models, link);
  const readOf = (served: { modelFile?: string; modelDir?: string }): string[] =>
    paths(permissionFlags(on(), { ...found, ...served }, undefined), 'read');
  assert.ok(readOf({ modelFile: join(models, 'model.onnx') }).includes(models));
  assert.ok(readOf({ modelDir: models }).includes(models));
  for (const path of [link, models]) assert.ok(readOf({ modelDir: link }).includes(path), path);
});

test('native packages and threads are allowed, processes and WASI are not, the inspector only for its port', () => {
  const flags = permissionFlags(on(), found, undefined);
  for (const flag of ['--permission', '--allow-addons', '--allow-worker']) assert.ok(flags.includes(flag), flag);
  for (const flag of ['--allow-child-process', '--allow-wasi', '--allow-inspector']) assert.ok(!flags.includes(flag), flag);
  const known = process.allowedNodeEnvironmentFlags.has('--allow-inspector');
  assert.equal(permissionFlags(on({ debugPort: 9229 }), found, undefined).includes('--allow-inspector'), known);
});

test('paths in a folder that is allowed have no flag of their own, so that Node lets scripts list it', () => {
  const flags = permissionFlags(on({ appRoot: app, workerReadPaths: [`${app}/`, `${app}/src/../data`] }), found, undefined);
  assert.deepEqual(
    paths(flags, 'read').filter((path) => path.startsWith(app)),
    [app],
  );
  const open = permissionFlags(on({ workerReadPaths: ['/'] }), found, undefined);
  assert.deepEqual(paths(open, 'read'), ['/']);
  assert.deepEqual(paths(open, 'write'), [tmpdir()]);
});

const tooWide: Record<string, () => string[]> = {
  'a star in WORKER_READ_PATHS': () => permissionFlags(on({ workerReadPaths: ['/data/*'] }), found, undefined),
  'a star in WORKER_WRITE_PATHS': () => permissionFlags(on({ workerWritePaths: ['/data*'] }), found, undefined),
  "a star in the application's folder": () => permissionFlags(on({ appRoot: '/a*b/app' }), found, undefined),
  'an application in /': () => permissionFlags(on({ appRoot: '/' }), found, undefined),
  'a script in /': () => permissionFlags(on(), { ...found, entryScript: '/score.ts' }, undefined),
  'a model in /': () => permissionFlags(on(), { ...found, modelFile: '/model.onnx' }, undefined),
};
for (const [what, flags] of Object.entries(tooWide))
  test(`${what} is refused, because Node would allow more than it says`, () => {
    assert.throws(
      flags,
      (thrown) =>
        thrown instanceof ServerError && thrown.code === 'usage' && thrown.message.includes('WORKER_PERMISSION_MODEL=on: expected'),
    );
  });
