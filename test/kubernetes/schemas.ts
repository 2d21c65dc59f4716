import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { customResources } from './crds.ts';
import { moduleFolder, type GoModule } from './go-modules.ts';

/** Versions that the chart is checked against: the oldest, that of test:kubernetes, the newest. */
export const KUBERNETES: readonly GoModule[] = [
  { name: 'k8s.io/kubernetes', version: 'v1.31.14', sum: 'h1:UtjLfqvXLuSVDdJ4+NpQCIfFkKkLnAAVmxAEMsnkhjk=' },
  { name: 'k8s.io/kubernetes', version: 'v1.34.3', sum: 'h1:0TfljWbhEF5DBks+WFMSrvKfxBLo4vnZuqORjLMiyT4=' },
  { name: 'k8s.io/kubernetes', version: 'v1.37.2', sum: 'h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE=' },
];

type Schema = { [key: string]: unknown };

/** Keywords that say the same in both. */
const KEPT = ['$ref', 'type', 'enum', 'required', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'];

interface OpenApi {
  readonly definitions: Readonly<Record<string, Schema>>;
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Kinds of the chart. */
const KINDS: readonly Kind[] = [
  { group: 'apps', version: 'v1', kind: 'Deployment' },
  { group: '', version: 'v1', kind: 'Service' },
  { group: '', version: 'v1', kind: 'ServiceAccount' },
  { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget' },
  { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
  { group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy' },
];

/** For kubeconform's -schema-location. */
export const SCHEMA_FILE = '{{.ResourceKind}}{{.KindSuffix}}.json';

/**
 * Writes the schemas of the chart's kinds, from the OpenAPI document of a version of Kubernetes and
 * from the definitions of custom resources. They refuse fields that they do not know.
 */
export async function writeSchemas(module: GoModule, folder: string): Promise<void> {
  const file = join(await moduleFolder(module), 'api/openapi-spec/swagger.json');
  const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as OpenApi;
  const names = new Map(
    Object.entries(definitions).flatMap(([name, schema]) =>
      ((schema['x-kubernetes-group-version-kind'] ?? []) as Kind[]).map((each) => [fileOf(each), name]),
    ),
  );
  const strictDefinitions = strictOf(definitions);
  for (const kind of KINDS) {
    const name = names.get(fileOf(kind));
    assert.ok(name !== undefined, `${kind.kind}: not in ${file}`);
    write(folder, kind, { $ref: `#/definitions/${name}`, definitions: strictDefinitions });
  }
  for (const path of await customResources()) writeCustom(folder, parse(readFileSync(path, 'utf8')) as Definition);
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

function writeCustom(folder: string, { spec }: Definition): void {
  for (const { name: version, schema } of spec.versions) {
    const kind = { group: spec.group, version, kind: spec.names.kind };
    write(folder, kind, strict(schema.openAPIV3Schema));
  }
}

function write(folder: string, kind: Kind, schema: Schema): void {
  writeFileSync(join(folder, fileOf(kind)), JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }));
}

/** The name that kubeconform looks for: the first part of the group, and the version. */
function fileOf({ group, version, kind }: Kind): string {
  const [first = ''] = group.split('.');
  return [kind, ...(first === '' ? [] : [first]), version].join('-').toLowerCase().concat('.json');
}

/** A schema of Kubernetes as JSON Schema, which refuses unknown fields as the API server does. */
function strict(schema: Schema): Schema {
  // Quantities, and counts or percentages.
  if (schema['format'] === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true) return { type: ['integer', 'string'] };
  if (String(schema['description']).startsWith('Quantity is a fixed-point representation')) return { type: ['number', 'string'] };
  const made: Schema = Object.fromEntries(KEPT.filter((key) => key in schema).map((key) => [key, schema[key]]));
  const { properties, items, additionalProperties } = schema as { [key: string]: Schema };
  if (items !== undefined) made['items'] = strict(items);
  if (typeof additionalProperties === 'object') made['additionalProperties'] = strict(additionalProperties);
  if (properties === undefined) return made;
  made['properties'] = strictOf(properties as Readonly<Record<string, Schema>>);
  if (additionalProperties === undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true) made['additionalProperties'] = false;
  return made;
}

function strictOf(schemas: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, strict(schema)]));
}
