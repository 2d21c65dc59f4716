/**
 * `node docker/prune-packages.ts node_modules [package ...]` removes files of installed packages
 * that no Node process on this machine loads, and packages that the server does not use
 * (`unused-dependencies.ts`), or those of the rows that are named. Its own rules name no package,
 * so they hold for new packages. The image's build then loads every dependency
 * (`docker/warm-up.ts`), so that a rule that removes too much fails the build.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, normalize, resolve } from 'node:path';
import { cutDependencies, unusedDependencies } from './unused-dependencies.ts';

/** The machine whose binaries stay: `process.platform` and `process.arch`. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
}

/** Removed bytes, by reason. */
export type Pruned = Record<string, number>;

interface Manifest {
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly module?: unknown;
  readonly esnext?: unknown;
}

const PLATFORMS = /^(?:aix|android|darwin|freebsd|linux|openbsd|sunos|win32)(?:-|$)/;
const ARCHITECTURES = /^(?:arm|arm64|ia32|loong64|ppc64|riscv64|s390x|x64)$/;
const NATIVE = /\.(?:node|dll|dylib|so)(?:\.\d+)*$/;
/** Conditions of `exports` that Node never uses. */
const FOREIGN_CONDITIONS = new Set(['browser', 'bun', 'deno', 'edge-light', 'react-native', 'types', 'worker', 'workerd']);
/** Builds for other runtimes, as folders below `dist` or `build`. */
const FOREIGN_BUILDS = /^(?:browser|bun|deno|react-native|umd|workerd)$/;
/** Only at the top of a package: deeper down a folder of that name may be code. */
const NOT_CODE = /^(?:\..+|__tests__|bench|benchmarks?|coverage|docs?|examples?|man|tests?|website)$/;
const LICENCE = /^(?:authors|copying|copyright|licen[cs]e|notice|patents|third.?party)/i;
/** Of a package without a licence text, the only file that may name its owner and licence. */
const README = /^readme/i;

const fileRules: readonly (readonly [reason: string, matches: RegExp])[] = [
  ['source maps', /\.map$/],
  // Node strips no types below node_modules, so it cannot load TypeScript sources there.
  ['types and TypeScript sources', /\.(?:[cm]?tsx?|flow|tsbuildinfo)$/],
  ['documents', /\.(?:md|markdown)$/i],
  ["npm's own lists, which name the registry", /^\.(?:package-lock\.json|npmrc|yarn-integrity)$/],
];

/** @param folder a `node_modules` */
export function prunePackages(folder: string, machine: Machine): Pruned {
  const pruned: Pruned = {};
  const remove = (path: string, reason: string): void => {
    pruned[reason] = (pruned[reason] ?? 0) + bytesOf(path);
    rmSync(path, { recursive: true });
  };
  const visit = (path: string): void => {
    const isOne = existsSync(join(path, 'package.json')) && isPackage(path);
    if (isOne) prunePackage(path, remove);
    const entries = readdirSync(path, { withFileTypes: true });
    const kept = isOne && !entries.some(({ name }) => LICENCE.test(name)) ? README : LICENCE;
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (isForeignBinary(child, machine)) remove(child, "other machines' binaries");
        else visit(child);
      } else if (!kept.test(entry.name)) {
        const [reason] = fileRules.find(([, matches]) => matches.test(entry.name)) ?? [];
        if (reason !== undefined) remove(child, reason);
      }
    }
  };
  visit(folder);
  return pruned;
}

/** A folder directly in `node_modules`, or in a scope of it. */
function isPackage(path: string): boolean {
  const parent = dirname(path);
  return basename(parent) === 'node_modules' || (basename(parent).startsWith('@') && basename(dirname(parent)) === 'node_modules');
}

function prunePackage(path: string, remove: (path: string, reason: string) => void): void {
  const manifest: Manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const used = entryPoints(manifest);
  const isUsed = (folder: string): boolean => used.some((file) => file === folder || file.startsWith(`${folder}/`));
  for (const name of foldersIn(path)) {
    if (name !== 'node_modules' && NOT_CODE.test(name) && !isUsed(name)) remove(join(path, name), 'tests, documents, examples');
  }
  const builds = ['dist', 'build'].flatMap((name) => foldersIn(join(path, name)).map((child) => `${name}/${child}`));
  const unread = manifest.exports === undefined ? [manifest.module, manifest.esnext].flatMap(buildFolder) : [];
  for (const folder of builds) {
    if (isUsed(folder)) continue;
    if (FOREIGN_BUILDS.test(basename(folder))) remove(join(path, folder), 'builds for browsers and other runtimes');
    // Only bundlers read `module` and `esnext`.
    else if (unread.includes(folder)) remove(join(path, folder), 'builds for bundlers');
  }
}

/** `./build/esm/index.js` -> `build/esm` */
function buildFolder(file: unknown): string[] {
  const match = typeof file === 'string' ? /^(?:dist|build)\/[^/]+(?=\/)/.exec(normalize(file)) : null;
  return match === null ? [] : [match[0]];
}

/** The files through which Node may enter a package. */
function entryPoints({ main, exports }: Manifest): string[] {
  const files: string[] = typeof main === 'string' ? [normalize(main)] : [];
  const visit = (target: unknown): void => {
    if (typeof target === 'string') files.push(normalize(target));
    else if (typeof target === 'object' && target !== null)
      for (const [condition, inner] of Object.entries(target)) if (!FOREIGN_CONDITIONS.has(condition)) visit(inner);
  };
  visit(exports);
  return files;
}

/**
 * A folder of native files for another platform (`win32/`, `darwin-arm64/`), or for another
 * architecture of this one (`linux/arm64/`).
 */
function isForeignBinary(path: string, { platform, arch }: Machine): boolean {
  const name = basename(path);
  const foreign = PLATFORMS.test(name)
    ? name !== platform && !new RegExp(`^${platform}-(?:.*[-+])?${arch}(?:[-+]|$)`).test(name)
    : ARCHITECTURES.test(name) && basename(dirname(path)) === platform && name !== arch;
  return foreign && readdirSync(path, { recursive: true, encoding: 'utf8' }).some((file) => NATIVE.test(file));
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function bytesOf(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? 'node_modules');
  const before = bytesOf(folder);
  // Packages whose rows count; by default all.
  const named = process.argv.slice(3);
  const unusedRows = Object.entries(unusedDependencies).filter(([name]) => named.length === 0 || named.includes(name));
  for (const path of cutDependencies(folder, Object.fromEntries(unusedRows))) rmSync(path, { recursive: true, force: true });
  const unused = before - bytesOf(folder);
  const pruned = { 'packages that the server does not use': unused, ...prunePackages(folder, process) };
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  for (const [reason, bytes] of Object.entries(pruned)) console.log(`${megabytes(bytes).padStart(10)}  ${reason}`);
  console.log(`${folder}: ${megabytes(before)} -> ${megabytes(bytesOf(folder))}`);
}
