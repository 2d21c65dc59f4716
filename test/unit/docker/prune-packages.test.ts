import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { prunePackages, type Machine } from '../../../docker/prune-packages.ts';
import { cutDependencies, unusedDependencies } from '../../../docker/unused-dependencies.ts';

/** A `node_modules` with these files in it. */
function modules(t: TestContext, files: Readonly<Record<string, object | string>>): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'prune-')), 'node_modules');
  t.after(() => rmSync(dirname(folder), { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

/** What is left of it, in order. */
function left(
  t: TestContext,
  files: Readonly<Record<string, object | string>>,
  machine: Machine = { platform: 'linux', arch: 'x64' },
): string[] {
  const folder = modules(t, files);
  prunePackages(folder, machine);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .toSorted();
}

const empty = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, '']));

test("other machines' binaries go, on whatever machine this is", (t) => {
  const files = empty(
    ...['darwin/arm64', 'win32/x64', 'linux/arm64', 'linux/x64'].map((place) => `ort/bin/napi-v6/${place}/binding.node`),
    ...['darwin-x64', 'linux-arm64', 'linux-x64', 'linux-musl-x64'].map((place) => `other/prebuilds/${place}/binding.node`),
    'code/lib/linux/x64/index.js',
    'code/lib/win32/index.js',
  );
  const code = ['code/lib/linux/x64/index.js', 'code/lib/win32/index.js'];
  const kept = (arch: string, ...more: string[]): string[] => [...code, `ort/bin/napi-v6/linux/${arch}/binding.node`, ...more];
  assert.deepEqual(left(t, files), kept('x64', 'other/prebuilds/linux-musl-x64/binding.node', 'other/prebuilds/linux-x64/binding.node'));
  assert.deepEqual(left(t, files, { platform: 'linux', arch: 'arm64' }), kept('arm64', 'other/prebuilds/linux-arm64/binding.node'));
});

test('maps, types, sources, documents and lists go; licences stay', (t) => {
  const files = empty(
    'a/a.js',
    'a/a.js.map',
    'a/a.d.ts',
    'a/src/a.ts',
    'a/README.md',
    'a/LICENSE.md',
    'a/notice.txt',
    '.package-lock.json',
  );
  assert.deepEqual(left(t, files), ['a/LICENSE.md', 'a/a.js', 'a/notice.txt']);
});

test('a package without a licence text keeps its readme, which may be its licence', (t) => {
  const files = {
    'a/package.json': {},
    ...empty('a/README.md', 'a/docs.md', 'a/lib/README.md'),
    'b/package.json': {},
    ...empty('b/Readme.md', 'b/COPYING'),
  };
  assert.deepEqual(left(t, files), ['a/README.md', 'a/package.json', 'b/COPYING', 'b/package.json']);
});

test('a package goes with the last dependency on it, one that another package needs stays', (t) => {
  const manifest = (dependencies: object = {}): object => ({ dependencies });
  const folder = modules(t, {
    '../package.json': manifest({ telemetry: '1', blobs: '1', optional: '1', '@a/browser': '1' }),
    'telemetry/package.json': manifest({ spans: '1', shared: '1' }),
    'telemetry/node_modules/spans/package.json': manifest({ contexts: '1', shared: '1' }),
    'blobs/package.json': manifest({ shared: '1' }),
    'optional/package.json': { optionalDependencies: { absent: '1' }, peerDependencies: { contexts: '1' } },
    '@a/browser/package.json': manifest({ contexts: '1' }),
    'shared/package.json': manifest(),
    'contexts/package.json': manifest(),
    'only-of-spans/package.json': manifest(),
  });
  const gone = cutDependencies(folder, { telemetry: ['spans'] }).map((path) => path.slice(folder.length + 1));
  assert.deepEqual(gone.toSorted(), ['only-of-spans', 'telemetry/node_modules/spans']);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'telemetry/package.json'), 'utf8')), manifest({ shared: '1' }));
  assert.throws(() => cutDependencies(folder, { telemetry: ['spans'] }), /expected telemetry to depend on spans: remove that row/);
});

test('every row of unused dependencies fits the installed packages', () => {
  for (const [name, cut] of Object.entries(unusedDependencies)) {
    const file = new URL(`../../../node_modules/${name}/package.json`, import.meta.url);
    const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> };
    assert.deepEqual(
      cut.filter((dependency) => !(dependency in dependencies)),
      [],
      name,
    );
  }
});

test('folders of tests and examples go at the top of a package, not below, and not where the package is entered there', (t) => {
  const files = {
    'a/package.json': {},
    ...empty('a/test/a.js', 'a/lib/test/b.js'),
    'b/package.json': { main: './test/index.js' },
    ...empty('b/test/index.js'),
  };
  assert.deepEqual(left(t, files), ['a/lib/test/b.js', 'a/package.json', 'b/package.json', 'b/test/index.js']);
});

test('builds for browsers and bundlers go, those that Node may enter stay', (t) => {
  const conditions = { browser: './dist/browser/i.js', import: './dist/esm/i.js', require: './dist/commonjs/i.js' };
  const files = {
    '@a/exports/package.json': { exports: { '.': conditions }, module: './dist/esm/i.js' },
    ...empty(...['browser', 'esm', 'commonjs', 'react-native'].map((name) => `@a/exports/dist/${name}/i.js`)),
    'plain/package.json': { main: 'build/src/i.js', module: 'build/esm/i.js', esnext: 'build/esnext/i.js' },
    ...empty(...['src', 'esm', 'esnext'].map((name) => `plain/build/${name}/i.js`)),
    'browser-first/package.json': { main: 'dist/browser/i.js' },
    ...empty('browser-first/dist/browser/i.js'),
  };
  assert.deepEqual(
    left(t, files).filter((name) => name.endsWith('.js')),
    ['@a/exports/dist/commonjs/i.js', '@a/exports/dist/esm/i.js', 'browser-first/dist/browser/i.js', 'plain/build/src/i.js'],
  );
});
