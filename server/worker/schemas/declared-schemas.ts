import type { InputType } from '../../entry-script.ts';
import { describeThrown, ServerError } from '../../errors.ts';
import { parse, stringify } from '../../guards/built-ins.ts';
import { kindOf } from '../../guards/kind-of.ts';
import type { Json, Schema } from '../../ipc/script-schemas.ts';
import { DeclarationError, isPlain } from './described.ts';
import { checkParts, compile, type Fit } from './json-schema.ts';
import { DeclaredType } from './sample-type.ts';

/** One side of a declaration. */
interface Declared {
  readonly fit: Fit;
  /** For documents. */
  readonly shown: Schema;
  /** It is written as JSON Schema. */
  readonly jsonSchema: boolean;
  /** An example that it brings; undefined: none. */
  readonly example: Json | undefined;
  /** Swagger 2 cannot express it. */
  readonly mixed: boolean;
  /** Names of parameters that a request must have; undefined: it declares the data as a whole. */
  readonly parameters: readonly string[] | undefined;
}

/** Exports of the script that decide the form of its data. */
interface Choices {
  readonly inputType: InputType | undefined;
  readonly rawHttp: boolean;
  readonly exactIntegers: boolean;
}

/** The export `schema` of a script. */
export interface DeclaredSchemas {
  readonly input: Declared | undefined;
  readonly output: Declared | undefined;
  /**
   * Checks the data of a request; undefined: nothing is declared of it.
   * @throws ServerError invalid_input
   */
  readonly checkInput: ((data: unknown) => void) | undefined;
  /** Keywords that no draft has, for the log. */
  readonly warnings: readonly string[];
}

/**
 * Reads and compiles the export `schema`.
 * @throws ServerError script_broken that names the place
 */
export function declaredSchemas(path: string, exported: unknown, choices: Choices): DeclaredSchemas {
  const warnings: string[] = [];
  try {
    if (!isPlain(exported)) throw new DeclarationError(`schema: expected { input, output }, got ${kindOf(exported)}`);
    const unknown = Object.keys(exported).filter((name) => name !== 'input' && name !== 'output');
    if (unknown.length > 0) throw new DeclarationError(`schema: expected the members input and output, got ${unknown.join(', ')}`);
    const { input, output } = exported;
    if (input !== undefined) checkChoices(choices);
    const taken = input === undefined ? undefined : declared(input, 'schema.input', warnings);
    return {
      input: taken,
      checkInput: taken && ((data) => checkInput(taken, data, choices.exactIntegers)),
      output: output === undefined ? undefined : declared(output, 'schema.output', warnings),
      warnings,
    };
  } catch (thrown) {
    if (!(thrown instanceof DeclarationError)) throw thrown;
    throw new ServerError('script_broken', `User script at ${path} exports a schema that cannot be used: ${thrown.message}`, {
      cause: thrown,
    });
  }
}

function checkChoices({ inputType, rawHttp }: Choices): void {
  if (rawHttp)
    throw new DeclarationError('schema.input describes JSON, and with rawHttp run() gets a Request: leave rawHttp or schema.input out');
  if (inputType !== undefined && inputType !== 'json')
    throw new DeclarationError(
      `schema.input describes JSON, and with inputType '${inputType}' run() gets something else: leave inputType or schema.input out`,
    );
}

function declared(value: unknown, name: string, warnings: string[]): Declared {
  if (value instanceof DeclaredType) return ofType(value, name);
  if (!isPlain(value)) throw new DeclarationError(`${name}: expected a JSON Schema or types of samples, got ${kindOf(value)}`);
  const typed = Object.entries(value).filter((entry): entry is [string, DeclaredType] => entry[1] instanceof DeclaredType);
  if (typed.length === 0) return ofJsonSchema(value, name, (text) => warnings.push(text));
  const other = Object.keys(value).find((key) => !(value[key] instanceof DeclaredType));
  if (other !== undefined || name !== 'schema.input')
    throw new DeclarationError(
      `${name}/${other ?? typed[0]?.[0]}: expected ${other === undefined ? 'no type of a parameter' : 'a type as its neighbours are'}`,
    );
  return ofParameters(typed, name);
}

function ofType({ described: { shown, checked, example, mixed } }: DeclaredType, name: string): Declared {
  return { fit: ours(checked, example, name), shown, example, mixed, jsonSchema: false, parameters: undefined };
}

function ofParameters(types: readonly (readonly [name: string, type: DeclaredType])[], name: string): Declared {
  const pick = (of: (type: DeclaredType) => Json): Schema => Object.fromEntries(types.map(([key, type]) => [key, of(type)]));
  const checked = { type: 'object', properties: pick(({ described }) => described.checked) };
  const example = pick(({ described }) => described.example);
  return {
    fit: ours(checked, example, name),
    shown: { type: 'object', properties: pick(({ described }) => described.shown) },
    example,
    mixed: types.some(([, { described }]) => described.mixed),
    jsonSchema: false,
    parameters: types.filter(([, { optional }]) => !optional).map(([key]) => key),
  };
}

/** The schema of a type, which has no keyword to warn of. */
function ours(checked: Schema, example: Json, name: string): Fit {
  const fit = compile(checked, name, () => undefined);
  const problem = fit(example);
  if (problem !== undefined) throw new DeclarationError(`${name}: the sample does not fit the type that it is of: ${problem}`);
  return fit;
}

function ofJsonSchema(value: Readonly<Record<string, unknown>>, name: string, warn: (text: string) => void): Declared {
  const copy = jsonOf(value, name);
  checkParts(value, name, new Set());
  const fit = compile(copy, name, warn);
  const { examples, example, default: byDefault } = copy;
  const given: readonly (readonly [place: string, value: Json | undefined])[] = [
    ...(Array.isArray(examples) ? examples.map((each: Json, at): [string, Json] => [`examples/${at}`, each]) : []),
    ['example', example],
    ['default', byDefault],
  ];
  for (const [place, each] of given) {
    const problem = each === undefined ? undefined : fit(each);
    if (problem !== undefined) throw new DeclarationError(`${name}/${place} does not fit the schema itself: ${problem}`);
  }
  const first = given.find(([, each]) => each !== undefined)?.[1];
  return { fit, shown: copy, example: first, mixed: false, jsonSchema: true, parameters: undefined };
}

/** A copy that is JSON, so that the script cannot change it. */
function jsonOf(value: object, name: string): Schema {
  try {
    const copy: unknown = parse(stringify(value));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JSON.parse makes of an object
    if (isPlain(copy)) return copy as Schema;
  } catch (thrown) {
    throw new DeclarationError(`${name} has no JSON form: ${describeThrown(thrown)}`, { cause: thrown });
  }
  throw new DeclarationError(`${name}: expected a JSON Schema, got one that toJSON() has replaced`);
}

/** @param exactIntegers the data may have bigints @throws ServerError invalid_input */
function checkInput({ fit, parameters }: Declared, data: unknown, exactIntegers: boolean): void {
  if (typeof data === 'object' && data !== null && !Array.isArray(data) && !isPlain(data))
    throw refused('expected JSON, got bytes or text');
  if (parameters !== undefined) checkParameters(parameters, data);
  const problem = fit(exactIntegers ? withoutBigints(data) : data);
  if (problem !== undefined) throw refused(problem);
}

/** The texts of Azure's server. */
function checkParameters(parameters: readonly string[], data: unknown): void {
  if (!isPlain(data)) throw new ServerError('invalid_input', 'POST body should be a JSON dictionary.');
  for (const name of parameters)
    if (!Object.hasOwn(data, name)) throw new ServerError('invalid_input', `A value is not provided for the '${name}' parameter.`);
}

function refused(problem: string): ServerError {
  return new ServerError('invalid_input', `The input does not fit the schema: ${problem}`);
}

/** Schemas know numbers alone. JSON is at most 1000 levels deep here. */
function withoutBigints(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(withoutBigints);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutBigints(member)]));
}
