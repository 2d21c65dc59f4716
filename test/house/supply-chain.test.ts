import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import packageLock from '../../package-lock.json' with { type: 'json' };
import { runtimePackages } from './dependencies.ts';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { '': self, ...locked } = packageLock.packages as unknown as Record<string, Locked>;
/** The package of a place in the lock file. */
const nameOf = (place: string): string => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Licences that ask for no more than their text and the owner's name. */
const LICENCES = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);
/** Of two licences, the one that is taken. */
const CHOICES: Readonly<Record<string, string>> = { '(MIT OR CC0-1.0)': 'MIT' };

test('every locked package has a SHA-512, and all that name an address come from one registry', () => {
  const places = Object.entries(locked);
  assert.ok(places.length > 300);
  const unproven = places.filter(([, { integrity, link }]) => link === true || !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
  assert.deepEqual(unproven, []);
  const addresses = places.flatMap(([place, { resolved }]) => (resolved === undefined ? [] : [{ place, url: new URL(resolved) }]));
  assert.ok(new Set(addresses.map(({ url }) => url.origin)).size <= 1);
  const other = addresses.filter(({ place, url }) => url.protocol !== 'https:' || !url.pathname.startsWith(`/${nameOf(place)}/-/`));
  assert.deepEqual(other, []);
});

test('the lock file is that of package.json, and every version there is exact', () => {
  assert.deepEqual(self?.dependencies, packageJson.dependencies);
  assert.deepEqual(self?.devDependencies, packageJson.devDependencies);
  const direct = { ...packageJson.dependencies, ...packageJson.devDependencies };
  for (const [name, version] of Object.entries(direct)) assert.equal(locked[`node_modules/${name}`]?.version, version, name);
});

test('the packages with an install script are those that allowScripts decides on', () => {
  const scripts = Object.entries(locked).flatMap(([place, { hasInstallScript }]) => (hasInstallScript === true ? [nameOf(place)] : []));
  assert.deepEqual(scripts.toSorted(), Object.keys(packageJson.allowScripts).toSorted());
  const allowed = Object.entries(packageJson.allowScripts).flatMap(([name, allow]) => (allow ? [name] : []));
  assert.deepEqual(allowed, ['node']);
});

test('packages are installed as the lock file names them, wherever the project installs any', () => {
  const files = execFileSync('git', ['ls-files', 'Dockerfile.*', '.ci', '.setup', 'package.json'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const install = /\bnpm\b[^|&;]*\b(?:i|install|add|update)\b/;
  const loose = files
    .trim()
    .split('\n')
    .filter((file) => !file.endsWith('.md'))
    .flatMap((file) =>
      readFileSync(ROOT + file, 'utf8')
        .split('\n')
        .flatMap((line, index) => (install.test(line.replace(/(?:#|\/\/).*/, '')) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
  assert.deepEqual(loose, []);
  assert.match(readFileSync(`${ROOT}Dockerfile.cpu`, 'utf8'), /npm ci --omit=dev --ignore-scripts/);
  assert.match(readFileSync(`${ROOT}.setup/install.mjs`, 'utf8'), /'ci'/);
});

test('every package at run time has a licence that the project may pass on', () => {
  const packages = runtimePackages();
  assert.ok(packages.length > 100);
  const foreign = packages.filter(({ license }) => !LICENCES.has(CHOICES[license] ?? license));
  assert.deepEqual(
    foreign.map(({ name, version, license }) => `${name}@${version}: ${license}`),
    [],
  );
});

test('npm run sbom lists what production needs, with checksums and licences, and nothing else', () => {
  const text = execFileSync(process.execPath, ['.setup/sbom.ts'], { cwd: ROOT, encoding: 'utf8' });
  const { bomFormat, components } = JSON.parse(text) as {
    bomFormat: string;
    components: { name: string; version: string; hashes?: unknown[]; licenses?: unknown[] }[];
  };
  const ids = (all: readonly { name: string; version: string }[]): string[] =>
    [...new Set(all.map(({ name, version }) => `${name}@${version}`))].toSorted();
  assert.equal(bomFormat, 'CycloneDX');
  assert.deepEqual(ids(components), ids(runtimePackages()));
  assert.deepEqual(
    components.filter(({ hashes, licenses }) => hashes === undefined || licenses === undefined),
    [],
  );
});
