import { readFileSync } from 'node:fs';
import { isBuiltin, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ownRuntime, RUNTIME, whyNotShared } from '../../inference/shared-runtime.ts';
import { findModule, findUpward, isAuthors } from './find-module.ts';
import { adviceOnMissing } from './missing-module.ts';
import { bySyntax } from './module-syntax.ts';

const own: ReadonlyMap<string, string> = new Map([
  ['scoring-server', new URL('./exports.ts', import.meta.url).href],
  ['scoring-server/testing', new URL('./testing.ts', import.meta.url).href],
]);

/**
 * Lets an entry script anywhere on disk import `scoring-server` with nothing installed beside it,
 * and modules of the application by name. Why by name: AML_APP_ROOT and AZUREML_SOURCE_DIRECTORY
 * are Python's import path (docs/script-modules.md).
 */
export function installModuleHooks(importPath: readonly string[]): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const { parentURL } = context;
      const url = own.get(specifier) ?? sharedRuntime(specifier, parentURL);
      if (url !== undefined) return { url, shortCircuit: true };
      try {
        // Node's own check comes later, outside of these hooks.
        if (specifier.startsWith('node:') && !isBuiltin(specifier)) throw unknownBuiltIn(specifier);
        return nextResolve(specifier, context);
      } catch (thrown) {
        const found = findModule(specifier, parentURL, importPath);
        if (found === undefined) throw withAdvice(thrown, adviceOnMissing(specifier, parentURL));
        return { url: found, shortCircuit: true };
      }
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      return isAuthors(url) ? bySyntax(url, loaded) : loaded;
    },
  });
}

/**
 * This server's copy of ONNX Runtime, whoever imports it. Why: a process can load one version of
 * the native library.
 * @throws Error that names the package.json whose range excludes the copy
 */
function sharedRuntime(specifier: string, parentURL: string | undefined): string | undefined {
  const url = ownRuntime(specifier);
  if (url === undefined || parentURL?.startsWith('file:') !== true) return url;
  const importer = findUpward('package.json', fileURLToPath(parentURL));
  const range = importer === undefined ? undefined : dependencyOf(importer, RUNTIME);
  const why = range === undefined ? undefined : whyNotShared(range);
  if (why !== undefined) throw new Error(`${importer}: ${why}.`);
  return url;
}

function dependencyOf(packageJson: string, name: string): string | undefined {
  try {
    const { dependencies, optionalDependencies, peerDependencies }: Record<string, Record<string, unknown> | undefined> = JSON.parse(
      readFileSync(packageJson, 'utf8'),
    );
    const range = { ...peerDependencies, ...optionalDependencies, ...dependencies }[name];
    return typeof range === 'string' ? range : undefined;
  } catch {
    return undefined;
  }
}

/** As Node's own error: packages try modules that only later versions of Node have. */
function unknownBuiltIn(specifier: string): Error {
  return Object.assign(new Error(`No such built-in module: ${specifier}`), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' });
}

/** Adds the next step to an error of the loader. */
function withAdvice(thrown: unknown, advice: string | undefined): unknown {
  // Hooks that are installed twice advise once.
  if (advice === undefined || !(thrown instanceof Error) || thrown.message.includes(advice)) return thrown;
  const { message, stack } = thrown;
  thrown.message = `${message}\n${advice}`;
  thrown.stack = stack?.replace(message, () => thrown.message) ?? thrown.message;
  return thrown;
}
