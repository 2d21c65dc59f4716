import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { inDialect } from '../../../server/http/schema-dialects.ts';
import type { SwaggerVersion } from '../../../server/http/swagger-document.ts';
import type { Json, Schema } from '../../../server/ipc/script-schemas.ts';

const VERSIONS: readonly SwaggerVersion[] = ['2', '3', '3.1'];
const prefix = (version: SwaggerVersion): string => (version === '2' ? '#/definitions/' : '#/components/schemas/');

/** A check of data by the schemas of a document, as a validator of that version reads them. */
function validator(components: Readonly<Record<string, Schema>>, version: SwaggerVersion): (data: unknown) => boolean {
  const $ref = `${prefix(version)}ServiceInput`;
  if (version === '3.1') {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    return ajv.compile({ $ref, components: { schemas: components } });
  }
  // Both have the keywords of draft-04; a nullable type and the exclusive bounds are rewritten.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const schemas = fromDraft04(components);
  return ajv.compile(version === '2' ? { $ref, definitions: schemas } : { $ref, components: { schemas } });
}

function fromDraft04(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(fromDraft04);
  if (typeof part !== 'object' || part === null) return part;
  const { exclusiveMinimum, exclusiveMaximum, nullable, ...rest } = part as Record<string, unknown>;
  const made: Record<string, unknown> = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, fromDraft04(value)]));
  if (exclusiveMinimum === true) [made['exclusiveMinimum'], made['minimum']] = [made['minimum'], undefined];
  if (exclusiveMaximum === true) [made['exclusiveMaximum'], made['maximum']] = [made['maximum'], undefined];
  if (nullable === true && typeof made['type'] === 'string') made['type'] = [made['type'], 'null'];
  return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));
}

test('what Azure documents of samples stays as it is, in every version', () => {
  const file = readFileSync(new URL('../worker/schemas/azure-documents.json', import.meta.url), 'utf8');
  const { types } = JSON.parse(file) as { types: Record<string, { input: Schema; output: Schema }> };
  for (const { input, output } of Object.values(types))
    for (const schema of [input, output])
      for (const version of VERSIONS) assert.deepEqual(inDialect(schema, version, 'ServiceInput'), { ServiceInput: schema });
});

describe('a schema that a version writes otherwise', () => {
  const cases: Record<string, readonly [schema: Schema, older: Schema | undefined, swagger2?: Schema]> = {
    'a list of types': [{ type: ['string', 'integer'] }, { allOf: [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }] }],
    'a type or null': [{ type: ['string', 'null'] }, { type: 'string', nullable: true }],
    'null alone': [{ type: 'null' }, { nullable: true, enum: [null] }],
    'a constant': [{ const: 'a' }, { allOf: [{ enum: ['a'] }] }, { allOf: [{ enum: ['a'] }] }],
    'an exclusive bound': [
      { type: 'number', exclusiveMinimum: 0 },
      { type: 'number', allOf: [{ minimum: 0, exclusiveMinimum: true }] },
      { type: 'number', allOf: [{ minimum: 0, exclusiveMinimum: true }] },
    ],
    'an alternative': [
      { anyOf: [{ type: 'string' }, { type: 'array', items: {} }] },
      { anyOf: [{ type: 'string' }, { type: 'array', items: {} }] },
    ],
    'a closed object': [
      { type: 'object', additionalProperties: false },
      { type: 'object', additionalProperties: false },
      { type: 'object', additionalProperties: false },
    ],
    'items by their places': [{ type: 'array', prefixItems: [{ type: 'string' }] }, undefined],
    'a condition': [{ if: { type: 'string' }, else: { minimum: 1 } }, undefined],
    examples: [
      { type: 'string', examples: ['a', 'b'] },
      { type: 'string', example: 'a' },
      { type: 'string', example: 'a' },
    ],
  };
  for (const [what, [schema, older, swagger2]] of Object.entries(cases))
    it(what, () => {
      assert.deepEqual(inDialect(schema, '3.1', 'ServiceInput'), { ServiceInput: schema });
      assert.deepEqual(inDialect(schema, '3', 'ServiceInput'), older && { ServiceInput: older });
      assert.deepEqual(inDialect(schema, '2', 'ServiceInput'), swagger2 && { ServiceInput: swagger2 });
    });

  it('tuples of draft-07 are prefixItems in OpenAPI 3.1', () => {
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }], additionalItems: false };
    assert.deepEqual(inDialect(schema, '3.1', 'In'), { In: { prefixItems: [{ type: 'string' }], items: false } });
  });

  it('named schemas become schemas of the document, and references follow them', () => {
    const schema = {
      $defs: { 'a b': { type: 'array', items: { $ref: '#' } }, a_b: true },
      properties: { one: { $ref: '#/$defs/a b', description: 'one' }, two: { $ref: '#/$defs/a_b' } },
    };
    assert.deepEqual(inDialect(schema, '3', 'In'), {
      In: {
        properties: {
          one: { description: 'one', allOf: [{ $ref: '#/components/schemas/In.a_b' }] },
          two: { $ref: '#/components/schemas/In.a_b_1' },
        },
      },
      'In.a_b': { type: 'array', items: { $ref: '#/components/schemas/In' } },
      'In.a_b_1': {},
    });
    assert.ok(JSON.stringify(inDialect(schema, '2', 'In')).includes('#/definitions/In.a_b'));
  });
});

/** Schemas, with the keywords that most authors use. */
const { schema: anySchema } = fc.letrec<{ schema: Schema; leaf: Schema }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<Schema>(
      { type: 'string' },
      { type: 'integer' },
      { type: 'boolean' },
      { type: ['number', 'null'] },
      { type: 'null' },
      {},
    ),
    fc.record({ type: fc.constant('number'), exclusiveMinimum: fc.integer({ min: -3, max: 3 }), maximum: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ const: fc.constantFrom<Json>(1, 'a', null, true) }),
    fc.record({ enum: fc.constantFrom<Json>([1, 'a'], [null, 'b'], [true]) }),
    fc.constantFrom<Schema>(
      { $ref: '#/$defs/named' },
      { $ref: '#/$defs/named', type: 'integer' },
      { type: ['string', 'integer'], minLength: 2 },
    ),
  ),
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.integer({ min: 0, max: 2 }) }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.record({ a: tie('schema'), b: tie('schema') }),
      required: fc.constantFrom<Json>([], ['a']),
      additionalProperties: fc.boolean(),
    }),
    fc.record({ anyOf: fc.tuple(tie('schema'), tie('schema')) }),
    fc.record({ not: tie('schema') }),
    fc.record({ allOf: fc.tuple(tie('schema')), anyOf: fc.tuple(tie('schema'), tie('leaf')) }),
  ),
}));
const someValue = fc.jsonValue({ maxDepth: 3 });
const near = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, true, 1, -2, 0.5, 'a', 'b', 'abc'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.record({ a: tie('value'), b: tie('value') }, { requiredKeys: [] }),
  ),
})).value;

/** One that refers to itself would have no end. */
const anyNamed = anySchema.filter((each) => !JSON.stringify(each).includes('$ref'));

test('a value fits the schema of a version exactly if it fits the schema of the script', () => {
  fc.assert(
    fc.property(anySchema, anyNamed, fc.array(fc.oneof(near, someValue), { minLength: 5, maxLength: 5 }), (schema, named, values) => {
      const whole = { ...schema, $defs: { named: { type: 'string', anyOf: [named, {}] } } };
      const original = new Ajv2020({ strict: false }).compile(whole);
      for (const version of VERSIONS) {
        const components = inDialect(whole, version, 'ServiceInput');
        if (components === undefined) continue;
        const valid = validator(components, version);
        for (const value of values) assert.equal(valid(value), original(value), `${version}: ${JSON.stringify({ value, components })}`);
      }
    }),
    { numRuns: 25 },
  );
});

test('different names stay different where a document allows neither', () => {
  const integer = { type: 'integer' };
  const schema = { $defs: { 'a b': integer, a_b: {}, a_b_1: {}, a_b_2: { type: 'string' } }, items: { $ref: '#/$defs/a_b' } };
  const made = inDialect(schema, '3', 'In') ?? {};
  assert.deepEqual(Object.values(made).length, 5);
  assert.deepEqual([made['In.a_b'], made['In.a_b_2']], [integer, { type: 'string' }]);
  assert.deepEqual(made['In'], { items: { $ref: '#/components/schemas/In.a_b_3' } });
});

test('definitions inside of a schema stay where references find them, or there is no document', () => {
  const schema = { properties: { a: { $defs: { q: { type: 'integer' } }, items: { $ref: '#/properties/a/$defs/q' } } } };
  assert.deepEqual(inDialect(schema, '3.1', 'In'), {
    In: {
      properties: { a: { $defs: { q: { type: 'integer' } }, items: { $ref: '#/components/schemas/In/properties/a/$defs/q' } } },
    },
  });
  for (const version of ['2', '3'] as const) assert.equal(inDialect(schema, version, 'In'), undefined);
});
