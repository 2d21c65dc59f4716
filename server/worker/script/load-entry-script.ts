import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import type { EntryScript, InputType } from '../../entry-script.ts';
import { ServerError, stackOfThrown } from '../../errors.ts';

const INPUT_TYPES: readonly InputType[] = ['json', 'text', 'bytes', 'tensors'];

/** An entry script whose exports have been checked. */
export interface LoadedScript {
  readonly path: string;
  readonly init: EntryScript['init'];
  readonly run: EntryScript['run'];
  readonly inputType: InputType | undefined;
  readonly rawHttp: boolean;
  readonly exactIntegers: boolean;
  readonly concurrency: number | undefined;
  readonly redact: EntryScript['redact'];
  /** Data for warm-up; undefined: none. */
  readonly sample: unknown;
}

/**
 * Imports an entry script and checks what it exports.
 * @param path absolute
 * @throws ServerError script_broken; its text carries the words that Azure's tools look for (contract 3.1)
 */
export async function loadEntryScript(path: string): Promise<LoadedScript> {
  const exports = await importScript(path);
  for (const name of ['init', 'run'] as const) {
    const got = exports[name];
    if (typeof got === 'function') continue;
    const found =
      got === undefined
        ? `its exports are: ${Object.keys(exports).join(', ') || 'none'}`
        : `its export \`${name}\` is of type ${typeof got}`;
    throw broken(
      `User script at ${path} does not have a ${name}() function defined. Expected \`export function ${name}(...)\` (or \`module.exports = { init, run }\`); ${found}.`,
    );
  }
  const { inputType, rawHttp = false, exactIntegers = false, concurrency, redact } = exports;
  if (inputType !== undefined && !INPUT_TYPES.includes(inputType as InputType)) {
    throw broken(`User script at ${path} exports inputType ${JSON.stringify(inputType)}: expected one of ${INPUT_TYPES.join(', ')}.`);
  }
  for (const [name, value] of Object.entries({ rawHttp, exactIntegers })) {
    if (typeof value !== 'boolean') throw broken(`User script at ${path} exports ${name} of type ${typeof value}: expected true or false.`);
  }
  if (redact !== undefined && typeof redact !== 'function')
    throw broken(`User script at ${path} exports redact of type ${typeof redact}: expected a function that answers what may be collected.`);
  if (rawHttp === true && inputType !== undefined) {
    throw broken(`User script at ${path} exports both rawHttp and inputType: with rawHttp run() gets a Request, so leave inputType out.`);
  }
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && Number(concurrency) >= 1)) {
    throw broken(`User script at ${path} exports concurrency ${JSON.stringify(concurrency)}: expected a whole number of at least 1.`);
  }
  return {
    path,
    init: exports['init'] as EntryScript['init'],
    run: exports['run'] as EntryScript['run'],
    inputType: inputType as InputType | undefined,
    rawHttp: rawHttp === true,
    exactIntegers: exactIntegers === true,
    concurrency: concurrency as number | undefined,
    redact: redact as EntryScript['redact'],
    sample: exports['sample'],
  };
}

async function importScript(path: string): Promise<Record<string, unknown>> {
  try {
    const namespace = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    const whole = namespace['default'];
    // CommonJS, and `export default { init, run }`: the object holds what named exports would.
    return typeof whole === 'object' && whole !== null ? { ...whole, ...namespace } : { ...namespace };
  } catch (cause) {
    throw broken(`Failed to import user script because it raised an unhandled exception: ${path}\n${whyNotImported(path, cause)}`, cause);
  }
}

/** The parser's message with file and line where there is one, else the stack. */
function whyNotImported(path: string, thrown: unknown): string {
  const stack = stackOfThrown(thrown);
  if (!isSyntaxError(thrown)) return stack;
  if (stack.includes(`${path}:`)) return withoutFrames(stack);
  // V8 keeps the place of a syntax error to itself unless it ends the process: so let it end one.
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

/** Where a parser failed is told by its message; the frames of the loader around it tell nothing. */
function withoutFrames(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s+at |^Node\.js v/.test(line))
    .join('\n')
    .trim();
}

function broken(message: string, cause?: unknown): ServerError {
  return new ServerError('script_broken', message, cause === undefined ? undefined : { cause });
}
