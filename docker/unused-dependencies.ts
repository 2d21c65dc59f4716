/**
 * Removes packages that only serve code which this server never loads. Why a list: no rule can see
 * it from the package. The image's build and its tests load and use what is left.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Packages, each with the dependencies that stay unloaded. */
export const unusedDependencies: Readonly<Record<string, readonly string[]>> = {
  // `TelemetryClient` makes envelopes. Only `start()`, which the server never calls, collects by
  // itself: spans of Azure's SDKs, and contexts of Node before 14.
  applicationinsights: [
    '@azure/opentelemetry-instrumentation-azure-sdk',
    '@opentelemetry/api',
    '@opentelemetry/core',
    '@opentelemetry/sdk-trace-base',
    '@opentelemetry/semantic-conventions',
    'cls-hooked',
    'continuation-local-storage',
  ],
  // Its build for browsers alone.
  '@azure/identity': ['@azure/msal-browser'],
  // Reads lists of blobs in the format of Arrow. The server lists no blobs.
  '@azure/storage-blob': ['apache-arrow'],
  // Its install script downloads CUDA with them.
  'onnxruntime-node': ['adm-zip', 'global-agent'],
};

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * Takes the unused dependencies out of the manifests of the packages, so that the tree stays whole
 * for npm. A row that no longer fits is an error.
 * @param folder a `node_modules`, beside its `package.json`
 * @returns folders of packages that nothing needs any more
 */
export function cutDependencies(folder: string, unused: typeof unusedDependencies): string[] {
  for (const [name, cut] of Object.entries(unused)) {
    const file = join(folder, name, 'package.json');
    const manifest = readManifest(dirname(file));
    const dependencies = { ...manifest.dependencies };
    for (const dependency of cut) {
      if (!(dependency in dependencies)) throw new Error(`expected ${name} to depend on ${dependency}: remove that row`);
      delete dependencies[dependency];
    }
    writeFileSync(file, JSON.stringify({ ...manifest, dependencies }, undefined, 2));
  }
  const needed = neededPackages(dirname(folder), {});
  return packagesIn(folder).filter((path) => !needed.has(path));
}

/** Folders of all packages that a package needs, itself among them, but for what stays unused. */
export function neededPackages(from: string, unused: typeof unusedDependencies): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    const { name: own = '', dependencies, optionalDependencies, peerDependencies } = readManifest(path);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      if (unused[own]?.includes(name) === true) continue;
      const target = resolvePackage(path, name);
      if (target !== undefined) visit(target);
    }
  };
  visit(from);
  return found;
}

/** As Node resolves a name: in the nearest `node_modules`. Optional packages may be absent. */
function resolvePackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Folders of the packages of a `node_modules`, nested ones too. */
function packagesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => (name.startsWith('@') ? readdirSync(join(folder, name)).map((child) => join(name, child)) : [name]))
    .flatMap((name) => [join(folder, name), ...packagesIn(join(folder, name, 'node_modules'))]);
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}
