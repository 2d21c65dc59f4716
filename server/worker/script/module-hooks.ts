import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { statSync } from 'node:fs';

const EXTENSIONS = ['', '.ts', '.mts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js'];

const own: ReadonlyMap<string, string> = new Map([
  ['scoring-server', new URL('./exports.ts', import.meta.url).href],
  ['scoring-server/testing', new URL('./testing.ts', import.meta.url).href],
]);

/**
 * Lets an entry script anywhere on disk import `scoring-server` with nothing installed beside it,
 * and modules of the application by name. Why by name: AML_APP_ROOT and AZUREML_SOURCE_DIRECTORY
 * are Python's import path (docs/entry-scripts.md).
 */
export function installModuleHooks(importPath: readonly string[]): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = own.get(specifier);
      if (url !== undefined) return { url, shortCircuit: true };
      try {
        return nextResolve(specifier, context);
      } catch (thrown) {
        const path = /^[./]|^\w+:/.test(specifier) ? undefined : findByName(specifier, importPath);
        if (path === undefined) throw thrown;
        return { url: pathToFileURL(path).href, shortCircuit: true };
      }
    },
  });
}

function findByName(name: string, folders: readonly string[]): string | undefined {
  return folders
    .flatMap((folder) => EXTENSIONS.map((extension) => join(folder, name) + extension))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}
