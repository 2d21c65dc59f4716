import type { Json, Schema } from '../ipc/script-schemas.ts';
import type { SwaggerVersion } from './swagger-document.ts';

/** The schemas of a document, by name: what the conversion of one schema makes. */
export type Components = Readonly<Record<string, Schema>>;

/** A keyword that a version has no equivalent for. */
class InexpressibleError extends Error {}

interface Target {
  readonly version: SwaggerVersion;
  /** Begins a reference to a named schema. */
  readonly prefix: string;
  /** Name of the converted schema in the document. */
  readonly name: string;
  readonly isDraft07: boolean;
  /** Names in the document by names in `$defs` and `definitions`. */
  readonly names: ReadonlyMap<string, string>;
}

/** Keywords that each version has as they are. */
const KEPT: ReadonlySet<string> = new Set(
  'type format title description default multipleOf maximum minimum maxLength minLength pattern maxItems minItems uniqueItems maxProperties minProperties required enum example readOnly xml externalDocs'.split(
    ' ',
  ),
);
/** Keywords that say nothing of data. */
const DROPPED: ReadonlySet<string> = new Set([
  '$schema',
  '$comment',
  '$defs',
  'definitions',
  'examples',
  'contentMediaType',
  'contentSchema',
]);
/** Keywords with one schema, with a list of them, with some by name. */
const ONE = new Set(['items', 'additionalProperties', 'not']);
const LISTS = new Set(['allOf', 'anyOf', 'oneOf']);
const DEFINITIONS = ['$defs', 'definitions'];

/**
 * A JSON Schema as a version of the document has it: the schema of `name`, and those it refers to.
 * Undefined: the version cannot express it.
 */
export function inDialect(schema: Schema, version: SwaggerVersion, name: string): Components | undefined {
  const named = definitionsOf(schema);
  const target: Target = {
    version,
    name,
    prefix: version === '2' ? '#/definitions/' : '#/components/schemas/',
    isDraft07: typeof schema['$schema'] === 'string' && schema['$schema'].includes('draft-07'),
    names: plainNames(
      named.map(([key]) => key),
      name,
    ),
  };
  const { $id: _, ...whole } = schema;
  const root = Object.fromEntries(Object.entries(whole).filter(([key]) => !DEFINITIONS.includes(key)));
  const convert = version === '3.1' ? modern : older;
  try {
    const definitions = named.map(([key, part]): [string, Schema] => [target.names.get(key) ?? key, asObject(convert(part, target))]);
    return { [name]: asObject(convert(root, target)), ...Object.fromEntries(definitions) };
  } catch (thrown) {
    if (thrown instanceof InexpressibleError) return undefined;
    throw thrown;
  }
}

/** The schemas that the root names, with the pointer of each. */
function definitionsOf(schema: Schema): [pointer: string, schema: Json][] {
  return DEFINITIONS.flatMap((key) =>
    isSchema(schema[key]) ? Object.entries(schema[key]).map(([name, part]): [string, Json] => [`${key}/${name}`, part]) : [],
  );
}

/** Names as documents allow them, by the pointers of schemas. Different names stay different. */
function plainNames(pointers: readonly string[], name: string): Map<string, string> {
  const plain = (pointer: string): string => `${name}.${pointer.slice(pointer.indexOf('/') + 1).replaceAll(/[^\w.-]/g, '_')}`;
  const taken = new Set(pointers.map(plain));
  const names = new Map<string, string>();
  const used = new Set<string>();
  for (const pointer of pointers) {
    let free = plain(pointer);
    for (let count = 1; used.has(free) || (free !== plain(pointer) && taken.has(free)); count++) free = `${plain(pointer)}_${count}`;
    used.add(free);
    names.set(pointer, free);
  }
  return names;
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A named schema is an object in every version. */
function asObject(schema: Json): Schema {
  if (isSchema(schema)) return schema;
  if (schema === true) return {};
  throw new InexpressibleError();
}

/** A reference into the document. @throws InexpressibleError for an anchor */
function reference(pointer: Json, { version, prefix, name, names }: Target): string {
  if (typeof pointer !== 'string') throw new InexpressibleError();
  const text = decodeURIComponent(pointer);
  if (text === '#') return prefix + name;
  if (!text.startsWith('#/')) throw new InexpressibleError();
  const [key = '', member = '', ...rest] = text.slice(2).split('/');
  const unescaped = member.replaceAll('~1', '/').replaceAll('~0', '~');
  const named = names.get(`${key}/${unescaped}`);
  // Only OpenAPI 3.1 has definitions inside of a schema.
  if (version !== '3.1' && rest.some((part) => DEFINITIONS.includes(part))) throw new InexpressibleError();
  if (named !== undefined) return [prefix + named, ...rest].join('/');
  return `${prefix}${name}/${text.slice(2)}`;
}

/** For OpenAPI 3.1, whose schemas are JSON Schema of 2020-12. */
function modern(part: Json, target: Target): Json {
  if (!isSchema(part)) return part;
  if (part['$id'] !== undefined || part['$anchor'] !== undefined || part['$dynamicRef'] !== undefined) throw new InexpressibleError();
  // Draft-07 ignores what is beside a reference.
  if (target.isDraft07 && part['$ref'] !== undefined) return { $ref: reference(part['$ref'], target) };
  const made: Record<string, Json> = {};
  for (const [key, value] of Object.entries(part)) {
    if (key === '$schema') continue;
    if (key === '$ref') made[key] = reference(value, target);
    else if (key === 'items' && Array.isArray(value)) {
      made['prefixItems'] = value.map((item: Json) => modern(item, target));
      if (part['additionalItems'] !== undefined) made['items'] = modern(part['additionalItems'], target);
    } else if (key === 'additionalItems' || key === 'nullable') continue;
    else if (key === 'type' && part['nullable'] === true && typeof value === 'string') made[key] = [value, 'null'];
    else if (key === 'dependencies') Object.assign(made, dependencies(value, target));
    else made[key] = mapped(key, value, (each) => modern(each, target));
  }
  return made;
}

/** Draft-07 has lists of names and schemas in one keyword. */
function dependencies(value: Json, target: Target): Schema {
  const entries = isSchema(value) ? Object.entries(value) : [];
  const lists = entries.filter(([, each]) => Array.isArray(each));
  const schemas = entries.filter(([, each]) => !Array.isArray(each)).map(([key, each]) => [key, modern(each, target)] as const);
  return {
    ...(lists.length > 0 && { dependentRequired: Object.fromEntries(lists) }),
    ...(schemas.length > 0 && { dependentSchemas: Object.fromEntries(schemas) }),
  };
}

const BY_NAME = new Set(['properties', 'patternProperties', 'dependentSchemas', ...DEFINITIONS]);
const MORE_ONE = new Set([...ONE, 'if', 'then', 'else', 'contains', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties']);
const MORE_LISTS = new Set([...LISTS, 'prefixItems']);

/** The value of a keyword, with the schemas in it converted. */
function mapped(key: string, value: Json, convert: (part: Json) => Json): Json {
  if (MORE_ONE.has(key)) return convert(value);
  if (MORE_LISTS.has(key) && Array.isArray(value)) return value.map((each: Json) => convert(each));
  if (BY_NAME.has(key) && isSchema(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, convert(each)]));
  return value;
}

/** For Swagger 2 and OpenAPI 3.0. @throws InexpressibleError */
function older(part: Json, target: Target): Json {
  if (part === true) return {};
  if (part === false) return not({}, target);
  if (!isSchema(part)) return part;
  const made: Record<string, Json> = {};
  const further: Schema[] = [];
  for (const [key, value] of Object.entries(part)) {
    if (target.isDraft07 && part['$ref'] !== undefined && key !== '$ref') continue;
    olderKeyword(key, value, part, target, made, further);
  }
  if (made['$ref'] !== undefined && (Object.keys(made).length > 1 || further.length > 0)) {
    // What is beside a reference counts for nothing here.
    further.push({ $ref: made['$ref'] });
    delete made['$ref'];
  }
  if (further.length === 0) return made;
  const { allOf = [] } = made;
  return { ...made, allOf: [...(Array.isArray(allOf) ? allOf : []), ...further] };
}

function olderKeyword(key: string, value: Json, part: Schema, target: Target, made: Record<string, Json>, further: Schema[]): void {
  const convert = (each: Json): Json => older(each, target);
  if (DROPPED.has(key)) {
    const [first] = key === 'examples' && Array.isArray(value) ? value : [];
    if (first !== undefined && part['example'] === undefined) made['example'] = first;
  } else if (key === '$ref') made[key] = reference(value, target);
  else if (key === 'type' && Array.isArray(value)) further.push(...typesOf(value, target, made));
  else if (key === 'type' && value === 'null') Object.assign(made, onlyNull(target));
  else if (key === 'const') further.push(fixed([value], target));
  else if (key === 'enum' && Array.isArray(value)) Object.assign(made, fixed(value, target, part['type']));
  else if (key === 'exclusiveMinimum' || key === 'exclusiveMaximum') further.push(exclusive(key, value));
  else if (key === 'contentEncoding') made['format'] ??= value === 'base64' ? 'byte' : 'binary';
  else if (key === 'additionalProperties' && typeof value === 'boolean') made[key] = value;
  else if (key === 'items' && Array.isArray(value)) throw new InexpressibleError();
  else if (key === 'not') Object.assign(made, not(convert(value), target));
  else if (ONE.has(key)) made[key] = convert(value);
  else if (key === 'allOf' || (LISTS.has(key) && target.version !== '2')) made[key] = mapped(key, value, convert);
  else if (key === 'properties') made[key] = mapped(key, value, convert);
  else if (key.startsWith('x-') || KEPT.has(key)) made[key] = value;
  else if ((key === 'writeOnly' || key === 'deprecated') && target.version === '3') made[key] = value;
  else if (key === 'nullable' && target.version === '3') made[key] = value;
  else if (SAYS_NOTHING.has(key)) return;
  else throw new InexpressibleError();
}

const SAYS_NOTHING = new Set(['writeOnly', 'deprecated', 'then', 'else', 'minContains', 'maxContains']);

function not(schema: Json, { version }: Target): Schema {
  if (version === '2') throw new InexpressibleError();
  return { not: schema };
}

/** @returns schemas of which one must fit */
function typesOf(types: readonly Json[], { version }: Target, made: Record<string, Json>): Schema[] {
  if (version === '2' && types.length > 1) throw new InexpressibleError();
  const others = types.filter((type) => type !== 'null');
  const nullable = others.length < types.length && { nullable: true };
  const [first] = others;
  if (first === undefined) {
    Object.assign(made, { nullable: true, enum: [null] });
    return [];
  }
  if (others.length > 1) return [{ anyOf: others.map((type) => ({ type, ...nullable })) }];
  Object.assign(made, { type: first, ...nullable });
  return [];
}

function onlyNull({ version }: Target): Schema {
  if (version === '2') throw new InexpressibleError();
  return { nullable: true, enum: [null] };
}

/** OpenAPI 3.0 allows null only beside `nullable`, which needs a type. */
function fixed(values: readonly Json[], { version }: Target, type?: Json): Schema {
  if (!values.includes(null)) return { enum: values };
  if (version === '2') throw new InexpressibleError();
  return { enum: values, ...((type === undefined || values.length === 1) && { nullable: true }) };
}

function exclusive(key: 'exclusiveMinimum' | 'exclusiveMaximum', value: Json): Schema {
  return { [key === 'exclusiveMinimum' ? 'minimum' : 'maximum']: value, [key]: true };
}
