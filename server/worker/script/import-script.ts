import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { ServerError, stackOfThrown } from '../../errors.ts';
import { bareStack } from '../../guards/thrown.ts';
import { withImportAdvice } from './import-advice.ts';

const SERVER = new URL('../../', import.meta.url).href;
const REGISTER = new URL('../register.ts', import.meta.url).href;

/**
 * Imports an entry script.
 * @param path absolute
 * @returns the module's namespace, which `ScriptExports` reads
 * @throws ServerError script_broken with the reason and its place in the script
 */
export async function importScript(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    const why = whyNotImported(path, cause);
    throw new ServerError('script_broken', `Failed to import user script because it raised an unhandled exception: ${path}\n${why}`, {
      cause,
    });
  }
}

/** The loader's text with file and line, and what to write instead. */
function whyNotImported(path: string, thrown: unknown): string {
  const stack = withoutLoader(isSyntaxError(thrown) ? bareStack(thrown) : stackOfThrown(thrown));
  const shown = isSyntaxError(thrown) && !/^.+:\d+\n/.test(stack) ? (placeOf(path) ?? stack) : stack;
  return withImportAdvice(shown, path);
}

/**
 * The parser's message with its place. Why a process: V8 prints the place of a syntax error in a
 * module only when the error ends one. It links the script and runs nothing of it, because the
 * first import exits.
 */
function placeOf(path: string): string | undefined {
  const source = `import 'data:text/javascript,process.exit()'; import ${JSON.stringify(pathToFileURL(path).href)};`;
  const { stderr } = spawnSync(process.execPath, ['--import', REGISTER, '--input-type=module', '--eval', source], {
    encoding: 'utf8',
    timeout: 10_000,
    // Without preloads, whose output would be in the message.
    env: {},
  });
  return stderr.includes('SyntaxError') ? withoutLoader(stderr) : undefined;
}

function isSyntaxError(thrown: unknown): boolean {
  try {
    return thrown instanceof SyntaxError;
  } catch {
    // A proxy with a trap that throws.
    return false;
  }
}

/** Removes the frames of the loader. Those of the script stay, and the fields of the error. */
function withoutLoader(text: string): string {
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const isLoaders = /^\s+at /.test(line) && (line.includes('node:internal') || line.includes(SERVER));
    if (!isLoaders && !line.startsWith('Node.js v')) kept.push(line);
    // The last frame opens the fields.
    else if (line.endsWith(' {')) kept.push('{');
  }
  return kept.join('\n').trim();
}
