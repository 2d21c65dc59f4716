import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { CollectionCounts } from '../../server/collection/counts.ts';
import { options, type Option } from '../../server/config/config.ts';
import { profilesTable } from '../../server/config/platforms/platforms.ts';
import { failuresTable, optionsTable } from '../../server/config/usage.ts';
import { failures } from '../../server/errors.ts';
import { families } from '../../server/inference/rows/operators.ts';
import { addAccessMetrics } from '../../server/telemetry/access-metrics.ts';
import { addCollectionMetrics } from '../../server/telemetry/collection-metrics.ts';
import { addGpuMetrics } from '../../server/telemetry/gpu-metrics.ts';
import { addLimitMetrics } from '../../server/telemetry/limit-metrics.ts';
import { addTlsMetrics } from '../../server/telemetry/tls-metrics.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { mediaTypes } from '../../server/worker/codecs/content-types.ts';
import { dependenciesTable } from './dependencies.ts';
import { portsTable, routesTable } from './doors.ts';
import { anchorsOf, linksOf, proseOf, tableRowsOf } from './markdown.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Files of the repository: without packages, Git's own, and binaries. */
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => !/(?:^|\/)(?:node_modules|\.git|\.venv)(?:\/|$)/.test(file) && !/\.(?:png|onnx|so|cpuprofile)$/.test(file))
  .filter((file) => statSync(join(ROOT, file)).isFile());
const pages = files.filter((file) => file.endsWith('.md'));
/** Reports that a command writes. */
const REPORTS = ['bench/results.md', 'bench/soak.md'];
const written = pages.filter((page) => !REPORTS.includes(page));

const isThere = (file: string): boolean => existsSync(join(ROOT, file));

/**
 * Tables that the code knows stand in the pages between two markers. `UPDATE_DOCS=1 npm test`
 * writes them.
 */
const tables: [file: string, name: string, text: () => Promise<string> | string][] = [
  ['docs/options.md', 'options', optionsTable],
  ['docs/platforms.md', 'profiles', profilesTable],
  ['docs/failures.md', 'failures', failuresTable],
  ['docs/metrics.md', 'metrics', metricsTable],
  ['server/inference/README.md', 'operators', operatorsTable],
  ['docs/security.md', 'ports', portsTable],
  ['docs/security.md', 'routes', routesTable],
  ['docs/dependencies.md', 'dependencies', dependenciesTable],
  [
    'docs/entry-scripts.md',
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
  'json or bytes': 'the parsed JSON if the body is JSON or begins with `{` or `[`, else the bytes',
};

async function metricsTable(): Promise<string> {
  const { registry } = new Metrics();
  addLimitMetrics(registry, { scoringTimeoutMs: 0 });
  addAccessMetrics(registry, { byKey: new Map(), missing: 0, wrong: 0 });
  addTlsMetrics(registry, { expiresAt: 0, failures: new Map() });
  addCollectionMetrics(registry, 'file', () => new CollectionCounts());
  addGpuMetrics(registry, { read: () => [] });
  const all = await registry.getMetricsAsJSON();
  const own = all.filter(({ name }) => /^(?:scoring|inference|worker|model|server|session|telemetry|mdc|gpu|log|tls)_/.test(name));
  return [
    '| metric | type | meaning |',
    '|---|---|---|',
    ...own.map(({ name, type, help }) => `| \`${name}\` | ${String(type)} | ${help} |`),
  ].join('\n');
}

/** Characters of the operators in one cell. */
const MOST_IN_CELL = 90;

function operatorsTable(): string {
  const rows = families.flatMap(({ domain, title, rules }) => {
    const lines: string[] = [];
    for (const operator of Object.keys(rules).toSorted()) {
      const last = lines.at(-1);
      if (last === undefined || last.length + operator.length > MOST_IN_CELL) lines.push(operator);
      else lines[lines.length - 1] = `${last} ${operator}`;
    }
    return lines.map((line) => `| ${domain === '' ? 'ai.onnx' : domain} | ${title} | ${line} |`);
  });
  const count = new Set(families.flatMap(({ domain, rules }) => Object.keys(rules).map((operator) => `${domain} ${operator}`))).size;
  return [`${count} operators have a rule.`, '', '| domain | family | operators |', '|---|---|---|', ...rows].join('\n');
}

for (const [file, name, make] of tables) {
  test(`the table of ${name} in ${file} is fresh`, async () => {
    const text = read(file);
    const [begin, end] = [`<!-- ${name}: made from the code -->\n`, `<!-- end of ${name} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    assert.ok(from >= 0 && to > from, `${file} has no place for the table of ${name}: ${begin}${end}`);
    const fresh = `${await make()}\n`;
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(ROOT, file), text.slice(0, from + begin.length) + fresh + text.slice(to));
    else assert.equal(text.slice(from + begin.length, to), fresh, `run UPDATE_DOCS=1 npm test to write it`);
  });
}

test('every export of an entry script is in the table of exports that authors read', () => {
  const type = read('server/entry-script.ts').split('export interface EntryScript')[1] ?? '';
  const exported = Array.from(type.matchAll(/^ {2}(?:readonly )?(\w+)\?[:(]/gm), ([, name]) => name);
  assert.ok(exported.includes('concurrency'), 'the exports are not found in server/entry-script.ts');
  const rows = Array.from(read('docs/entry-scripts.md').matchAll(/^\| `(\w+)[ (]/gm), ([, name]) => name);
  assert.deepEqual(
    exported.filter((name) => !rows.includes(name)),
    [],
  );
});

test('every relative link of every page leads to a file, and to a heading in it', () => {
  const broken = pages.flatMap((page) =>
    linksOf(read(page)).flatMap((link) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path = '', anchor] = link.split('#', 2);
      const target = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
      if (target.startsWith('..') || !isThere(target)) return [`${page}: ${link}`];
      return anchor === undefined || anchorsOf(read(target)).has(anchor) ? [] : [`${page}: ${link} (no such heading)`];
    }),
  );
  assert.deepEqual(broken, []);
});

test('every folder of unit tests is named after a room, or after a folder beside server/', () => {
  assert.deepEqual(
    readdirSync(join(ROOT, 'test/unit'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !existsSync(join(ROOT, 'server', entry.name)) && !existsSync(join(ROOT, entry.name)))
      .map(({ name }) => name),
    [],
  );
});

test('a visitor reads the README in five minutes', () => {
  const lines = read('README.md').split('\n').length;
  assert.ok(lines <= 160, `${lines} lines`);
});

test('every page of docs/ is in the table of links of the README', () => {
  const linked = new Set(linksOf(read('README.md')).map((link) => link.split('#')[0]));
  assert.deepEqual(
    pages.filter((page) => page.startsWith('docs/') && !linked.has(page)),
    [],
  );
});

test('prose is at most 100 characters wide, and a cell of a table at most 120', () => {
  const wide = written.flatMap((page) => [
    ...proseOf(read(page)).flatMap(({ line, text }) =>
      text.length > 100 && /\S\s+\S/.test(text.trim()) ? [`${page}:${line}: ${text.length} characters`] : [],
    ),
    ...tableRowsOf(read(page)).flatMap(({ line, cells }) =>
      cells.filter((cell) => cell.length > 120).map((cell) => `${page}:${line}: a cell of ${cell.length} characters`),
    ),
  ]);
  assert.deepEqual(wide, []);
});

test('comments are at most 100 characters wide, but for directives of the linter and what is drawn', () => {
  const wide = files
    .filter((file) => /\.(?:[cm]?[tj]s|sh|ya?ml)$|Dockerfile|^\.ci\//.test(file) && !file.startsWith('test/scripts/'))
    .flatMap((file) => {
      const comment = /[tj]s$/.test(file) ? /^\s*(?:\/\/|\/?\*)/ : /^\s*#/;
      return read(file)
        .split('\n')
        .flatMap((text, index) =>
          text.length > 100 && comment.test(text) && !/oxlint-disable|\S {3}/.test(text) ? [`${file}:${index + 1}: ${text.length}`] : [],
        );
    });
  assert.deepEqual(wide, []);
});

test('no file cites a document that is not in the repository', () => {
  const absent = new RegExp(
    [
      ['reference', '/'],
      ['house', '.md'],
    ]
      .map((parts) => `\\b${parts.join('').replace('.', '\\.')}`)
      .join('|'),
  );
  const citing = files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((text, index) => (absent.test(text) ? [`${file}:${index + 1}`] : [])),
  );
  assert.deepEqual(citing, []);
});

test('every page that a comment or a message cites is there, and so is the heading that it names', () => {
  const broken = files
    .filter((file) => /\.(?:[cm]?ts|[cm]?js|sh|ya?ml)$|Dockerfile/.test(file))
    .flatMap((file) =>
      Array.from(read(file).matchAll(/(?<![\w/.])((?:docs|server|bench|entry-scripts)\/(?:[\w-]+\/)*[\w-]+\.md)(?:#([\w-]+))?/g))
        .filter(([, page = '', anchor]) => !isThere(page) || (anchor !== undefined && !anchorsOf(read(page)).has(anchor)))
        .map(([cited]) => `${file}: ${cited}`),
    );
  assert.deepEqual(broken, []);
});

/** Names that look like options and belong to others. */
const OTHERS =
  /^(?:AZURE_|AZUREML_CONDA_|OTEL_|NVIDIA_|CUDA_(?:IMAGE|VISIBLE_DEVICES|DEVICE_ORDER)|ORT_(?:CUDA_|DISABLE_)|NODE_|UPDATE_DOCS|LD_LIBRARY_PATH|ONNXRUNTIME_|MODEL$|WORKER_PRELOAD$|DEFAULT_|SIG)/;
const PREFIXES =
  /^(?:AML|AZUREML|MDC|APP_INSIGHTS|APPLICATIONINSIGHTS|SERVICE|WORKER|QUEUE|SCORING|DRAIN|MODEL|CUDA|ORT|MAX_BATCH|INIT|CANCEL|REPLACEMENT|BODY|ANSWERS?|STREAM|KEEP_ALIVE|LOG|ACCESS|HEALTH|METRICS|STATUS|GRPC)_/;

test('every option that a page names exists', () => {
  const known = new Set(Object.values<Option<unknown>>(options).flatMap((row) => row.env));
  const unknown = written.flatMap((page) =>
    Array.from(read(page).matchAll(/\b[A-Z]+(?:_[A-Z0-9]+)+\b/g), ([name]) => name)
      .filter((name) => PREFIXES.test(name) && !OTHERS.test(name) && !known.has(name) && !inCode.has(name))
      .map((name) => `${page}: ${name}`),
  );
  assert.deepEqual(unknown, []);
});

/** Constants of the code that the architecture page names. */
const inCode = new Set(
  files
    .filter((file) => file.startsWith('server/') && file.endsWith('.ts'))
    .flatMap((file) => Array.from(read(file).matchAll(/^(?:export )?const ([A-Z]+(?:_[A-Z0-9]+)+)\b/gm), ([, name = '']) => name)),
);

test('every failure that a page names exists, and every text of the log in Troubleshooting is in the code', () => {
  const code = files
    .filter((file) => /^(?:server|\.setup)\/.*\.(?:m?[tj]s|py)$/.test(file))
    .map(read)
    .join('\n');
  const quoted = tableRowsOf(read('docs/troubleshooting.md'))
    .flatMap(({ cells }) => Array.from((cells[0] ?? '').matchAll(/`([^`]+)`/g), ([, text = '']) => text))
    .filter((text) => /[a-z]{2}.* /.test(text) && !text.startsWith('/'));
  assert.ok(quoted.length > 30);
  const unknown = quoted.flatMap((text) => text.split(/\s*\.\.\.\s*/)).filter((text) => !code.includes(text.trim()));
  assert.deepEqual(unknown, []);
  const codes = Array.from(read('docs/operating.md').matchAll(/503 \(`(\w+)`\)/g), ([, name = '']) => name);
  assert.deepEqual(
    codes.filter((name) => !Object.hasOwn(failures, name)),
    [],
  );
});

test('every file that the architecture page and the guide for contributors name is there', () => {
  const missing = ['server/README.md', 'CONTRIBUTING.md'].flatMap((page) =>
    Array.from(read(page).matchAll(/`([\w.-]+\/(?:[\w.-]+\/)*(?:[\w-]+\.\w+)?)`/g), ([, path = '']) => path)
      .filter((path) => !['server/', '', 'server/collection/'].some((folder) => isThere(join(folder, path))))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('every test that the threat model names is there', () => {
  const named = Array.from(read('SECURITY.md').matchAll(/`(test\/[\w./-]+)`/g), ([, path = '']) => path);
  assert.ok(named.length > 15);
  assert.deepEqual(
    named.filter((path) => !isThere(path)),
    [],
  );
});

/** Files that a page names between backticks. */
const namedIn = (page: string): string[] => Array.from(read(page).matchAll(/`((?:[\w-]+\/)*[\w-]+\.ts)`/g), ([, path = '']) => path);

test('every file that the page of a room names is there, and the pages of ipc and scoring name all of theirs', () => {
  const rooms = ['ipc', 'scoring', 'collection'].map((name) => `server/${name}`);
  const missing = rooms.flatMap((room) =>
    namedIn(`${room}/README.md`)
      .filter((path) => ![room, 'server'].some((folder) => isThere(join(folder, path))))
      .map((path) => `${room}/README.md: ${path}`),
  );
  assert.deepEqual(missing, []);
  const silent = rooms.slice(0, 2).flatMap((room) => {
    const named = namedIn(`${room}/README.md`);
    return files.filter((file) => dirname(file) === room && file.endsWith('.ts') && !named.includes(file.slice(room.length + 1)));
  });
  assert.deepEqual(silent, []);
});

test('every npm script that a page names exists', () => {
  const scripts = new Set(Object.keys(packageJson.scripts));
  const unknown = written.flatMap((page) =>
    Array.from(read(page).matchAll(/npm run ([\w:]+)/g), ([, script = '']) => script)
      .filter((script) => !scripts.has(script))
      .map((script) => `${page}: npm run ${script}`),
  );
  assert.deepEqual(unknown, []);
});
