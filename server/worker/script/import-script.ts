import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { ServerError, stackOfThrown } from '../../errors.ts';
import { bareStack, bounded, isError } from '../../guards/thrown.ts';
import { permits } from '../../system/permission-model.ts';
import { withAdvice } from '../refused-access.ts';
import { withImportAdvice } from './import-advice.ts';

const SERVER = new URL('../../', import.meta.url).href;
/** Longest line of a loader's text, in characters. */
const LONGEST_LINE = 1000;
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
  const stack = withoutLoader(isSyntaxError(thrown) || isMissing(thrown) ? bareStack(thrown) : stackOfThrown(thrown));
  const shown = isSyntaxError(thrown) && !/^.+:\d+\n/.test(stack) ? (placeOf(path) ?? stack) : stack;
  return withAdvice(withImportAdvice(shown, path), thrown);
}

/**
 * The parser's message with its place. Why a process: V8 prints the place of a syntax error in a
 * module only when the error ends one. It links the script and runs nothing of it, because the
 * first import exits.
 */
function placeOf(path: string): string | undefined {
  const source = `import 'data:text/javascript,process.exit()'; import ${JSON.stringify(pathToFileURL(path).href)};`;
  // The permission model allows no process.
  if (!permits('child')) return undefined;
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

/** The loader's error for a module. Its fields repeat its text. */
function isMissing(thrown: unknown): boolean {
  try {
    return isError(thrown) && 'code' in thrown && /^(?:(?:ERR_)?MODULE_NOT_FOUND|ERR_UNSUPPORTED_DIR_IMPORT)$/.test(String(thrown.code));
  } catch {
    return false;
  }
}

/**
 * Removes the frames of the loader, and the ends of lines that are too long: a bundle is one line,
 * and what follows it names the error. The frames of the script stay, and so do an error's fields.
 */
function withoutLoader(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('Node.js v') || (line.length > LONGEST_LINE && /^ *\^+$/.test(line))) continue;
    if (!/^\s+at /.test(line) || !(line.includes('node:internal') || line.includes(SERVER))) lines.push(bounded(line, LONGEST_LINE));
    // The fields of an error begin behind its last frame.
    else if (line.endsWith(' {')) lines.push(`${lines.pop() ?? ''} {`);
  }
  return lines.join('\n').trim();
}
