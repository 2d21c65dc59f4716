import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { ServerError, stackOfThrown } from '../../errors.ts';
import { bareStack } from '../../guards/thrown.ts';

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

/** The parser's message with file and line; the stack where there is no such message. */
function whyNotImported(path: string, thrown: unknown): string {
  if (!isSyntaxError(thrown)) return stackOfThrown(thrown);
  const stack = bareStack(thrown);
  if (stack.includes(`${path}:`)) return withoutFrames(stack);
  // V8 prints the place of a syntax error only when the error ends a process.
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 10_000 });
  return stderr.includes('SyntaxError') ? withoutFrames(stderr) : stack;
}

function isSyntaxError(thrown: unknown): boolean {
  try {
    return thrown instanceof SyntaxError;
  } catch {
    // A proxy with a trap that throws.
    return false;
  }
}

/** Removes the stack frames of the loader. The parser's message has the place of the error. */
function withoutFrames(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s+at |^Node\.js v/.test(line))
    .join('\n')
    .trim();
}
