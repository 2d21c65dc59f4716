import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { prunePackages, type Machine } from '../../../docker/prune-packages.ts';

/** What is left of `node_modules` with these files in it, in order. */
function left(
  t: TestContext,
  files: Readonly<Record<string, object | string>>,
  machine: Machine = { platform: 'linux', arch: 'x64' },
): string[] {
  const folder = join(mkdtempSync(join(tmpdir(), 'prune-')), 'node_modules');
  t.after(() => rmSync(dirname(folder), { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
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
