import type { EntryScript, InputType } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import type { DeclaredSchemas } from '../schemas/declared-schemas.ts';
import { importScript } from './import-script.ts';
import { ScriptExports } from './script-exports.ts';

type SchemaChoices = Pick<LoadedScript, 'inputType' | 'rawHttp' | 'exactIntegers'>;

const INPUT_TYPES: readonly InputType[] = ['json', 'text', 'bytes', 'tensors'];

/** An entry script whose exports have been checked. Its functions have their own `this`. */
export interface LoadedScript {
  readonly path: string;
  readonly init: EntryScript['init'];
  readonly run: EntryScript['run'];
  readonly inputType: InputType | undefined;
  readonly rawHttp: boolean;
  readonly exactIntegers: boolean;
  readonly bytesInputs: boolean;
  readonly concurrency: number | undefined;
  readonly redact: EntryScript['redact'];
  readonly close: EntryScript['close'];
  /** The export `schema`, compiled; undefined if there is none. */
  readonly schemas: DeclaredSchemas | undefined;
  /** Data for warm-up; undefined if there is none. Read it after `init()`, which may make it. */
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
  const exports = new ScriptExports(path, await importScript(path));
  const init = requiredFunction<EntryScript['init']>(path, exports, 'init');
  const run = requiredFunction<EntryScript['run']>(path, exports, 'run');
  const inputType = exports.value('inputType');
  if (inputType !== undefined && !isInputType(inputType))
    throw broken(`User script at ${path} exports inputType ${JSON.stringify(inputType)}: expected one of ${INPUT_TYPES.join(', ')}.`);
  const rawHttp = flagOf(path, exports, 'rawHttp');
  const exactIntegers = flagOf(path, exports, 'exactIntegers');
  const bytesInputs = flagOf(path, exports, 'bytesInputs');
  const redact = exports.callable('redact');
  if (redact !== undefined && !isFunction<NonNullable<EntryScript['redact']>>(redact))
    throw broken(`User script at ${path} exports redact of type ${typeof redact}: expected a function that answers what may be collected.`);
  const close = exports.callable('close');
  if (close !== undefined && !isFunction<NonNullable<EntryScript['close']>>(close))
    throw broken(`User script at ${path} exports close of type ${typeof close}: expected a function that runs when its worker ends.`);
  if (rawHttp && inputType !== undefined)
    throw broken(`User script at ${path} exports both rawHttp and inputType: with rawHttp run() gets a Request, so leave inputType out.`);
  const concurrency = exports.value('concurrency');
  if (concurrency !== undefined && !isConcurrency(concurrency))
    throw broken(`User script at ${path} exports concurrency ${JSON.stringify(concurrency)}: expected a whole number of at least 1.`);
  const schemas = await schemasOf(path, exports.value('schema'), { inputType, rawHttp, exactIntegers });
  return {
    path,
    init,
    run,
    // A schema of the input describes JSON, whatever the content type of a request.
    inputType: schemas?.input === undefined ? inputType : 'json',
    schemas,
    rawHttp,
    exactIntegers,
    bytesInputs,
    concurrency,
    redact,
    close,
    get sample() {
      return exports.value('sample');
    },
    hasDriverModule: exports.value('driver_module') !== undefined,
  };
}

/** Loaded here, because most scripts declare nothing. */
async function schemasOf(path: string, exported: unknown, choices: SchemaChoices): Promise<DeclaredSchemas | undefined> {
  if (exported === undefined) return undefined;
  const { declaredSchemas } = await import('../schemas/declared-schemas.ts');
  return declaredSchemas(path, exported, choices);
}

function requiredFunction<T>(path: string, exports: ScriptExports, name: string): T {
  const got = exports.callable(name);
  if (isFunction<T>(got)) return got;
  throw broken(
    `User script at ${path} does not have a ${name}() function defined. Expected \`export function ${name}(...)\` (or \`module.exports = { init, run }\`); ${found(exports, name, got)}.`,
  );
}

/** What there is in place of a required function, and what to do. */
function found(exports: ScriptExports, name: string, got: unknown): string {
  if (got !== undefined) return `its export \`${name}\` is of type ${typeof got}`;
  const named = exports.classWith(name);
  if (named === undefined) return `its exports are: ${exports.names().join(', ') || 'none'}`;
  const instance = `new ${/^(?!default$)[\w$]+$/.test(named) ? named : 'Scorer'}()`;
  return `instances of its exported class have one: export an instance, \`export default ${instance}\` (or \`module.exports = ${instance}\`)`;
}

function flagOf(path: string, exports: ScriptExports, name: string): boolean {
  const value = exports.value(name);
  if (value === undefined) return false;
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
