import { readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as JsoncParser from 'jsonc-parser';
import { othersLike } from '../../config/suggestions.ts';
import { closest } from '../../guards/closest.ts';
import { isFolder, readableEntries } from '../../system/folders.ts';
import { findUpward, isPath, pathOf } from './find-module.ts';

const PACKAGE_NAME = /^(?:@[a-z\d][\w.-]*\/)?[a-z\d][\w.-]*/;

/** The next step for a module that is not found; undefined: the loader's message has to do. */
export function adviceOnMissing(specifier: string, parentURL: string | undefined): string | undefined {
  if (parentURL?.startsWith('file:') !== true || specifier.startsWith('#')) return undefined;
  if (isPath(specifier)) return namesThere(pathOf(specifier, parentURL));
  // The folder of the author: that of a package is npm's.
  const importer = fileURLToPath(parentURL).replace(/\/node_modules\/.*/, '/package.json');
  return alias(specifier, importer) ?? builtIn(specifier) ?? installation(specifier, importer);
}

/** Names what is there in place of a missing file, or of a folder's missing index. */
function namesThere(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const file = isFolder(path) ? join(path, 'index') : path;
  const folder = dirname(file);
  return isFolder(folder) ? othersLike([file], () => true).trim() || `${folder} is empty.` : `There is no folder ${folder}.`;
}

/** An alias of the compiler: `@/lib`, or one that tsconfig.json declares. */
function alias(specifier: string, importer: string): string | undefined {
  const config = findUpward('tsconfig.json', importer) ?? findUpward('jsconfig.json', importer);
  const declared = config !== undefined && matches(specifier, config);
  if (!declared && !/^[@~]\//.test(specifier)) return undefined;
  const where = declared ? ` of ${config}` : '';
  return `"${specifier}" looks like an alias of the compiler (paths, baseUrl${where}), and Node reads none. Import a relative path, or declare "#${specifier.replace(/^[@~]\//, '')}" in "imports" of package.json.`;
}

function matches(specifier: string, config: string): boolean {
  // Loaded late: most scripts have all of their modules.
  const { parse }: typeof JsoncParser = createRequire(import.meta.url)('jsonc-parser');
  let options: { paths?: unknown; baseUrl?: unknown } | undefined;
  try {
    const settings: { compilerOptions?: typeof options } | undefined = parse(readFileSync(config, 'utf8'), [], {
      allowTrailingComma: true,
    });
    options = settings?.compilerOptions;
  } catch {
    return false;
  }
  const { paths, baseUrl } = options ?? {};
  const patterns = typeof paths === 'object' && paths !== null ? Object.keys(paths) : [];
  if (patterns.some((pattern) => (pattern.endsWith('*') ? specifier.startsWith(pattern.slice(0, -1)) : specifier === pattern))) return true;
  const [first = ''] = specifier.split('/');
  return (
    typeof baseUrl === 'string' &&
    readableEntries(join(dirname(config), baseUrl)).some(({ name }) => name === first || name.startsWith(`${first}.`))
  );
}

/** A module of Node with a typing error. A name with letters added is taken as a package's. */
function builtIn(specifier: string): string | undefined {
  const name = specifier.replace(/^node:/, '');
  const [first = ''] = name.split('/');
  const near = closest(
    name,
    builtinModules.filter((each) => !name.startsWith(each) || name.includes('/')),
  );
  if (specifier === name && near === undefined && !builtinModules.includes(first)) return undefined;
  return `Node.js has no module ${name}${near === undefined ? '' : `; it has node:${near}`}.`;
}

function installation(specifier: string, importer: string): string | undefined {
  const [name] = PACKAGE_NAME.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  const folder = dirname(findUpward('package.json', importer) ?? importer);
  // It is there, but has no such file.
  if (findUpward(join('node_modules', name, 'package.json'), importer) !== undefined) return undefined;
  return `Run \`npm install ${name}\` in ${folder}.`;
}
