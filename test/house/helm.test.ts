import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { options, optionRows, type Option } from '../../server/config/config.ts';
import { flagOf } from '../../server/config/option-values.ts';

const at = (file: string): string => fileURLToPath(new URL(`../../deploy/${file}`, import.meta.url));
const read = (file: string): string => readFileSync(at(file), 'utf8');
const SCHEMA = 'helm/scoring-server/values.schema.json';
const VALUES = 'helm/scoring-server/values.yaml';
const ALERTS = 'helm/scoring-server/files/alerts.yaml';
const COMPUTED = 'helm/scoring-server/files/computed.yaml';

/** Options that the chart always computes from values of its own. */
const OWN: readonly Option<unknown>[] = [
  options.port,
  options.host,
  options.metricsPort,
  options.grpcPort,
  options.healthPort,
  options.separateHealthEndpoint,
  options.drainDelayMs,
  options.drainTimeoutMs,
  options.scoringKeysFile,
  options.tlsCertFile,
  options.tlsKeyFile,
  options.tlsClientCaFile,
];

/** Options that the times of the chart follow from, in whatever way they are given. */
const TIMES: readonly Option<unknown>[] = [options.scoringTimeoutMs, options.initTimeoutMs, options.mdcFlushTimeoutMs];

/** Options that the chart computes where a value of its own asks for them. */
const SOMETIMES: readonly Option<unknown>[] = [options.scoringKeysFile, options.modelDir, options.executionProvider, options.mdcSpillDir];

/** Flags of other servers that set an option here. */
const FOREIGN_FLAGS = new Map<Option<unknown>, string>([[options.port, 'http-port']]);

interface Values {
  readonly properties: Readonly<Record<'options' | 'secretOptions', { properties: Record<string, unknown> }>>;
}

function accepts({ parse }: Option<unknown>, value: string): boolean {
  try {
    parse(value);
    return true;
  } catch {
    return false;
  }
}

/** What YAML may have for an option. Text is quoted: YAML would make 1 of a version 1.0. */
function typeOf(row: Option<unknown>): { readonly type: readonly string[]; readonly pattern?: string; readonly minimum?: number } {
  if (typeof row.default === 'boolean') return { type: ['boolean'] };
  if (accepts(row, 'x-y')) return { type: ['string'] };
  // The flag --set of helm makes text of a fraction.
  if (accepts(row, '0.5')) return { type: ['number', 'string'], pattern: '^[0-9.]+$' };
  const whole = accepts(row, '7') || accepts(row, String(2 ** 30));
  const words = ['auto', '1G', '0,1'].some((value) => accepts(row, value));
  const minimum = whole && !accepts(row, '0') ? { minimum: 1 } : {};
  return { type: [...(whole ? ['integer'] : []), ...(words || !whole ? ['string'] : [])], ...minimum };
}

interface Schema {
  required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** What the chart needs: null takes a default away, and only an empty one is the same as none. */
function requireDefaults(schema: Schema, defaults: Readonly<Record<string, unknown>>): void {
  const needed = Object.entries(defaults).filter(([name, value]) => {
    // Free-form: all of it may be absent.
    if (name === 'resources' || Array.isArray(value)) return false;
    return isSection(value) ? Object.keys(value).length > 0 || name.toLowerCase().endsWith('options') : value !== null && value !== '';
  });
  if (needed.length > 0) schema.required = needed.map(([name]) => name);
  for (const [name, value] of needed) {
    const inner = schema.properties?.[name];
    if (inner?.properties !== undefined && isSection(value)) requireDefaults(inner, value);
  }
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function freshSchema(): Values {
  const parsed: unknown = JSON.parse(read(SCHEMA));
  const schema = parsed as Values;
  requireDefaults(parsed as Schema, parseYaml(read(VALUES)) as Record<string, unknown>);
  const given = optionRows.filter((row) => !OWN.includes(row));
  schema.properties.options.properties = Object.fromEntries(
    given.filter(({ secret }) => secret !== true).map((row) => [row.env[0], { ...typeOf(row), description: row.doc }]),
  );
  schema.properties.secretOptions.properties = Object.fromEntries(
    given
      .filter(({ secret }) => secret === true)
      .flatMap(({ env, doc }) => env.map((name) => [name, { $ref: '#/$defs/secretRef', description: doc }])),
  );
  return schema;
}

test('the schema of the chart has every option that its values may set, with its meaning', () => {
  const fresh = freshSchema();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(at(SCHEMA), `${JSON.stringify(fresh, undefined, 2)}\n`);
  else assert.deepEqual(JSON.parse(read(SCHEMA)), fresh, 'run UPDATE_DOCS=1 npm test to write it');
});

/** Spellings of the options that flags and variables must not set beside the chart. */
function freshComputed(): string {
  const rows = [...new Set([...OWN, ...TIMES, ...SOMETIMES])].map((row) => {
    const flags = [flagOf(row), FOREIGN_FLAGS.get(row)].filter((flag) => flag !== undefined);
    const always = !SOMETIMES.includes(row);
    return `- { always: ${always}, variables: [${row.env.join(', ')}], flags: [${flags.join(', ')}] }\n`;
  });
  return `# Written by UPDATE_DOCS=1 npm test. templates/_check.tpl refuses these in args and extraEnv.\n${rows.join('')}`;
}

test('the chart knows every spelling of the options that it computes, or that its times follow from', () => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(at(COMPUTED), freshComputed());
  else assert.equal(read(COMPUTED), freshComputed(), 'run UPDATE_DOCS=1 npm test to write it');
});

test('the alerts of the chart are those of deploy/prometheus', () => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(at(ALERTS), read('prometheus/alerts.yaml'));
  else assert.equal(read(ALERTS), read('prometheus/alerts.yaml'), 'run UPDATE_DOCS=1 npm test to write them');
});
