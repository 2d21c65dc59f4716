import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import packageJson from 'onnxruntime-node/package.json' with { type: 'json' };

export const RUNTIME = 'onnxruntime-node';
export const RUNTIME_VERSION = packageJson.version;
const require = createRequire(import.meta.url);
const HOME = dirname(require.resolve(`${RUNTIME}/package.json`));

/** URL of this server's copy of a module of ONNX Runtime; undefined: another package's name. */
export function ownRuntime(specifier: string): string | undefined {
  if (specifier !== RUNTIME && !specifier.startsWith(`${RUNTIME}/`)) return undefined;
  return pathToFileURL(require.resolve(join(HOME, specifier.slice(RUNTIME.length)))).href;
}

/**
 * Why a package cannot use this server's copy; undefined: it can. Within a major version, a later
 * copy has what an earlier one had.
 * @param range of the dependency, as npm writes it; one that is no version is taken as fitting
 */
export function whyNotShared(range: string): string | undefined {
  if (/[:/]/.test(range)) return undefined;
  const [major, minor] = RUNTIME_VERSION.split('.').map(Number);
  // The lowest version of each alternative. What follows `<` is an upper bound.
  const lowest = range.split('||').map((each) => /(?<![<.\d]\s*|<=\s*)(\d+)(?:\.(\d+))?/.exec(each));
  if (lowest.some((found) => found === null || (Number(found[1]) === major && Number(found[2] ?? 0) <= Number(minor)))) return undefined;
  return `expected a range that takes ${RUNTIME} ${RUNTIME_VERSION}, which this server has, got ${range}. A process can load one version`;
}
