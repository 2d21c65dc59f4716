import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { CollectionCounts } from '../../server/collection/counts.ts';
import { addCollectionMetrics } from '../../server/telemetry/collection-metrics.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { failuresTable, optionsTable } from '../../server/config/usage.ts';
import { mediaTypes } from '../../server/worker/codecs/content-types.ts';

/** Tables that the code knows stand in the documents between two markers. `UPDATE_DOCS=1 npm test` writes them. */
const tables: [file: string, name: string, text: () => Promise<string> | string][] = [
  ['README.md', 'options', optionsTable],
  ['README.md', 'failures', failuresTable],
  ['README.md', 'metrics', metricsTable],
  [
    'entry-scripts/README.md',
    'content types',
    () =>
      ['| content type | `run()` gets |', '|---|---|', ...mediaTypes.map(({ doc, decoding }) => `| ${doc} | ${got[decoding]} |`)].join(
        '\n',
      ),
  ],
];

const got = {
  json: 'the parsed JSON; bad JSON is a 400 with the position',
  text: 'a string, by the charset of the content type, else UTF-8',
  bytes: 'the bytes, a `Buffer`',
  tensors: 'the parsed JSON, with tensors for arrays of numbers',
  'json or bytes': 'the parsed JSON if the body is JSON, else the bytes',
};

async function metricsTable(): Promise<string> {
  const { registry } = new Metrics();
  addCollectionMetrics(registry, 'file', () => new CollectionCounts());
  const all = await registry.getMetricsAsJSON();
  const own = all.filter(({ name }) => /^(?:scoring|inference|worker|model|server|session|telemetry|mdc)_/.test(name));
  return [
    '| metric | type | meaning |',
    '|---|---|---|',
    ...own.map(({ name, type, help }) => `| \`${name}\` | ${String(type)} | ${help} |`),
  ].join('\n');
}

for (const [file, name, make] of tables) {
  test(`the table of ${name} in ${file} is fresh`, async () => {
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const text = readFileSync(path, 'utf8');
    const [begin, end] = [`<!-- ${name}: made from the code -->\n`, `\n<!-- end of ${name} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    assert.ok(from >= 0 && to > from, `${file} has no place for the table of ${name}: ${begin}${end}`);
    const fresh = await make();
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, text.slice(0, from + begin.length) + fresh + text.slice(to));
    else assert.equal(text.slice(from + begin.length, to), fresh, `run UPDATE_DOCS=1 npm test to write it`);
  });
}

test('every export of an entry script is in the table of exports that authors read', () => {
  const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const type = read('server/entry-script.ts').split('export interface EntryScript')[1] ?? '';
  const exported = Array.from(type.matchAll(/^ {2}readonly (\w+)\?:/gm), ([, name]) => name);
  assert.ok(exported.includes('concurrency'), 'the exports are not found in server/entry-script.ts');
  const rows = Array.from(read('entry-scripts/README.md').matchAll(/^\| `(\w+)[ (]/gm), ([, name]) => name);
  assert.deepEqual(
    exported.filter((name) => !rows.includes(name)),
    [],
  );
});
