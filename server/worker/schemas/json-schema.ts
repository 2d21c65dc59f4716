import type { Ajv, ErrorObject } from 'ajv';
import { createRequire } from 'node:module';
import { describeThrown } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { isDeeper, MOST_LEVELS } from '../../guards/nesting.ts';
import type { Schema } from '../../ipc/script-schemas.ts';
import { DeclarationError, isPlain } from './described.ts';
import { mismatchText } from './mismatch.ts';

/** Says why a value does not fit; undefined: it fits. */
export type Fit = (value: unknown) => string | undefined;

/** The dialects, by the address in `$schema`. */
const DRAFT_07 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/;
const DRAFT_2020 = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;
/** Keywords of OpenAPI that say nothing of data. */
const ANNOTATIONS = ['example', 'xml', 'externalDocs', 'discriminator'];
/** Keywords whose value holds data, so that what looks like a keyword in it is none. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'example', 'examples']);

/** Keywords of anybody's own. */
const OWN = /^x-[\w$:-]+$/;

const require = createRequire(import.meta.url);

/**
 * Compiles a JSON Schema. No schema is fetched, and `format` only describes.
 * @param name of the schema in the script, for errors
 * @param warn of a keyword that no draft has
 * @throws DeclarationError that names the place
 */
export function compile(schema: Schema, name: string, warn: (text: string) => void): Fit {
  if (isDeeper(schema, MOST_LEVELS)) throw new DeclarationError(`${name}: expected at most ${MOST_LEVELS} levels, got more`);
  const own = new Set<string>();
  checkParts(schema, name, own);
  const settings = {
    strict: false,
    strictNumbers: true,
    ownProperties: true,
    strictSchema: 'log',
    strictTuples: false,
    allErrors: false,
    verbose: true,
    validateFormats: false,
    validateSchema: false,
    logger: { log: () => undefined, warn: (text: unknown) => warn(`${name}: ${excerpt(String(text), 200)}`), error: () => undefined },
  } as const;
  const ajv = new (dialectOf(schema, name))(settings);
  ajv.addVocabulary([...ANNOTATIONS, ...own]);
  const { $schema: _, ...body } = schema;
  if (compiled(() => ajv.validateSchema(body), name) !== true)
    throw new DeclarationError(`${name} is no JSON Schema: ${schemaProblem(name, ajv.errors)}`);
  const validate = compiled(() => ajv.compile(body), name);
  return (value) => (validate(value) ? undefined : mismatchText(validate.errors ?? []));
}

type AjvClass = typeof Ajv;

/** Loaded here, because most scripts declare nothing. */
function dialectOf({ $schema = '' }: Schema, name: string): AjvClass {
  if (typeof $schema === 'string' && DRAFT_07.test($schema)) {
    const loaded: { readonly Ajv: AjvClass } = require('ajv');
    return loaded.Ajv;
  }
  if ($schema !== '' && !(typeof $schema === 'string' && DRAFT_2020.test($schema)))
    throw new DeclarationError(`${name}/$schema: expected JSON Schema of draft-07 or 2020-12, got ${excerpt(JSON.stringify($schema))}`);
  const loaded: { readonly Ajv2020: AjvClass } = require('ajv/dist/2020.js');
  return loaded.Ajv2020;
}

/**
 * Checks what ajv leaves to its caller: that a schema is data, and refers to nothing outside.
 * @param own gets the keywords that begin with x-
 * @throws DeclarationError that names the place
 */
export function checkParts(part: unknown, place: string, own: Set<string>): void {
  if (Array.isArray(part)) return part.forEach((item, at) => checkParts(item, `${place}/${at}`, own));
  if (typeof part !== 'object' || part === null) {
    if (part === undefined || typeof part === 'function' || typeof part === 'symbol' || typeof part === 'bigint')
      throw new DeclarationError(`${place}: expected a value of JSON, got ${typeof part}`);
    return;
  }
  if (!isPlain(part)) throw new DeclarationError(`${place}: expected a plain object, got one of a class`);
  for (const [key, value] of Object.entries(part)) {
    if (key === '$async') throw new DeclarationError(`${place}/$async: expected a schema that is checked at once`);
    if (OWN.test(key)) own.add(key);
    if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string' && !value.startsWith('#'))
      throw new DeclarationError(
        `${place}/${key}: expected a reference into the same schema, like #/$defs/item, got ${excerpt(value)}: no schema is fetched`,
      );
    if (!DATA.has(key) && !key.startsWith('x-')) checkParts(value, `${place}/${pointerPart(key)}`, own);
  }
}

function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function schemaProblem(name: string, errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  if (first === undefined) return 'it does not fit the schema of schemas';
  return `${name}${first.instancePath}: ${mismatchText([{ ...first, instancePath: '' }]).replace(/^the data: /, '')}`;
}

function compiled<T>(make: () => T, name: string): T {
  try {
    return make();
  } catch (thrown) {
    throw new DeclarationError(`${name} cannot be compiled: ${excerpt(describeThrown(thrown), 300)}`, { cause: thrown });
  }
}
