import type { EntryScript, InputType } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { importScript, type Exports } from './import-script.ts';

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
  readonly close: EntryScript['close'];
  /** Data for warm-up; undefined if there is none. */
  readonly sample: unknown;
  /** An export that has a meaning in Azure's Python server only. */
  readonly hasDriverModule: boolean;
}

/**
 * Imports an entry script and checks its exports.
 * @param path absolute
 * @throws ServerError script_broken; Azure's tools look for words of its text
 * (docs/entry-scripts.md)
 */
export async function loadEntryScript(path: string): Promise<LoadedScript> {
  const exports = await importScript(path);
  const init = requiredFunction<EntryScript['init']>(path, exports, 'init');
  const run = requiredFunction<EntryScript['run']>(path, exports, 'run');
  const { inputType, redact, close, concurrency } = exports;
  if (inputType !== undefined && !isInputType(inputType))
    throw broken(`User script at ${path} exports inputType ${JSON.stringify(inputType)}: expected one of ${INPUT_TYPES.join(', ')}.`);
  const rawHttp = flagOf(path, exports, 'rawHttp');
  const exactIntegers = flagOf(path, exports, 'exactIntegers');
  if (redact !== undefined && !isFunction<NonNullable<EntryScript['redact']>>(redact))
    throw broken(`User script at ${path} exports redact of type ${typeof redact}: expected a function that answers what may be collected.`);
  if (close !== undefined && !isFunction<NonNullable<EntryScript['close']>>(close))
    throw broken(`User script at ${path} exports close of type ${typeof close}: expected a function that runs when its worker ends.`);
  if (rawHttp && inputType !== undefined)
    throw broken(`User script at ${path} exports both rawHttp and inputType: with rawHttp run() gets a Request, so leave inputType out.`);
  if (concurrency !== undefined && !isConcurrency(concurrency))
    throw broken(`User script at ${path} exports concurrency ${JSON.stringify(concurrency)}: expected a whole number of at least 1.`);
  return {
    path,
    init,
    run,
    inputType,
    rawHttp,
    exactIntegers,
    concurrency,
    redact,
    close,
    sample: exports['sample'],
    hasDriverModule: exports['driver_module'] !== undefined,
  };
}

function requiredFunction<T>(path: string, exports: Exports, name: string): T {
  const got = exports[name];
  if (isFunction<T>(got)) return got;
  const found =
    got === undefined ? `its exports are: ${Object.keys(exports).join(', ') || 'none'}` : `its export \`${name}\` is of type ${typeof got}`;
  throw broken(
    `User script at ${path} does not have a ${name}() function defined. Expected \`export function ${name}(...)\` (or \`module.exports = { init, run }\`); ${found}.`,
  );
}

function flagOf(path: string, exports: Exports, name: string): boolean {
  const { [name]: value = false } = exports;
  if (typeof value === 'boolean') return value;
  throw broken(`User script at ${path} exports ${name} of type ${typeof value}: expected true or false.`);
}

/** Parameters and result of a script's function cannot be checked before it is called. */
function isFunction<T>(value: unknown): value is T {
  return typeof value === 'function';
}

function isInputType(value: unknown): value is InputType {
  return INPUT_TYPES.some((type) => type === value);
}

function isConcurrency(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1;
}

function broken(message: string): ServerError {
  return new ServerError('script_broken', message);
}
