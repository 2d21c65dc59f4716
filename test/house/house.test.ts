import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SERVER = join(ROOT, 'server');

const python = readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.py'))
  .map((file) => readFileSync(join(SERVER, file), 'utf8'))
  .join('\n');
const sources = readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => ({ file, text: readFileSync(join(SERVER, file), 'utf8') }));

/** The ground floor, which every room may import, besides the root files (server/README.md). */
const ground = ['guards', 'system', 'tensors'];

/**
 * Rooms that a room may import, besides itself, its own rooms, the root files and the ground floor.
 * A room has its parent's arrows, too.
 */
const allowed: Record<string, readonly string[]> = {
  commands: ['config', 'host', 'batch', 'iot-edge'],
  batch: ['request', 'scoring'],
  host: ['config', 'request', 'access', 'exchange', 'ipc', 'telemetry', 'collection', 'scoring', 'http', 'grpc'],
  'iot-edge': ['config', 'request', 'delivery', 'telemetry', 'scoring', 'exchange', 'http'],
  http: ['config', 'request', 'access', 'ipc', 'telemetry', 'scoring', 'exchange'],
  grpc: ['config', 'request', 'access', 'scoring', 'exchange'],
  exchange: ['config', 'request', 'access', 'ipc', 'telemetry', 'collection', 'scoring'],
  access: ['config', 'request'],
  scoring: ['config', 'request', 'ipc', 'telemetry'],
  worker: ['config', 'request', 'ipc', 'inference'],
  'worker/codecs': ['worker'],
  'worker/collect': ['worker'],
  'worker/metrics': ['worker'],
  'worker/schemas': [],
  'worker/script': ['worker', 'worker/collect', 'worker/metrics', 'worker/schemas'],
  inference: ['config', 'ipc'],
  'inference/graph': ['inference/rows'],
  'inference/outputs': ['ipc', 'inference/graph'],
  'inference/rows': [],
  collection: ['config', 'delivery', 'request', 'ipc'],
  'collection/host': ['collection'],
  'collection/deliver': ['collection', 'collection/encode', 'collection/spool'],
  'collection/encode': ['collection'],
  'collection/spool': ['collection', 'collection/encode'],
  telemetry: ['config', 'delivery', 'request', 'ipc'],
  'telemetry/exporting': [],
  delivery: [],
  ipc: ['config'],
  request: ['config'],
  config: [],
  'config/platforms': [],
  guards: [],
  system: [],
  tensors: [],
};

/** A package that only one room may import. */
const soleImporters: Record<string, RegExp> = {
  'onnxruntime-node': /^inference\//,
  fastify: /^http\//,
  'node:http2': /^grpc\//,
  'prom-client': /^telemetry\//,
  applicationinsights: /^telemetry\/exporting\//,
  '@opentelemetry/exporter-trace-otlp-http': /^telemetry\/exporting\//,
  '@opentelemetry/exporter-trace-otlp-proto': /^telemetry\/exporting\//,
  pino: /^log\.ts$/,
  jose: /^access\//,
  ajv: /^worker\/schemas\//,
  '@azure/storage-blob': /^collection\/deliver\/blob-storage\.ts$/,
  '@azure/identity': /^collection\/deliver\/blob-storage\.ts$/,
};

/** The folder of a file; '' for the root. */
const roomOf = (file: string): string => (file.includes('/') ? dirname(file) : '');
const parentOf = (room: string): string => room.split('/')[0] ?? '';

const imports = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => ({ file, specifier })),
);

/** Why a room may not import another; undefined: it may. */
function forbidden(from: string, to: string): string | undefined {
  if (to === '' || to === from || from === parentOf(to)) return undefined;
  if (ground.includes(to) && !ground.includes(from)) return undefined;
  // A room of another room is its own business, but for what `allowed` opens as a whole.
  const open = [...(allowed[from] ?? []), ...(allowed[parentOf(from)] ?? [])];
  if (open.includes(to) || (parentOf(from) !== parentOf(to) && open.includes(parentOf(to)))) return undefined;
  return from === 'tensors' && to === 'guards' ? undefined : `${from} may not import ${to}`;
}

/** Which file imports which other one of this server, types too. */
const arrows = imports
  .filter(({ specifier }) => specifier.startsWith('.'))
  .map(({ file, specifier }) => ({ file, target: relative(SERVER, resolve(SERVER, dirname(file), specifier)) }));

test('arrows point down: a room imports only rooms below it', () => {
  const wrong = arrows.flatMap(({ file, target }) => {
    if (roomOf(file) === '') return [];
    if (target.startsWith('..')) return target === '../package.json' ? [] : [`${file} imports ${target}`];
    const why = forbidden(roomOf(file), roomOf(target));
    return why === undefined ? [] : [`${file} imports ${target}: ${why}`];
  });
  assert.deepEqual(wrong, []);
});

test('the check of arrows catches an import that is forbidden, and lets others pass', () => {
  for (const [from, to] of [
    ['http', 'inference'],
    ['scoring', 'http'],
    ['config', 'ipc'],
    ['guards', 'config'],
    ['system', 'tensors'],
    ['tensors', 'config'],
    ['request', 'telemetry'],
    ['worker/codecs', 'worker/collect'],
    ['collection/encode', 'collection/deliver'],
    ['telemetry', 'collection/host'],
  ] as const)
    assert.equal(forbidden(from, to), `${from} may not import ${to}`);
  for (const [from, to] of [
    ['http', ''],
    ['http', 'guards'],
    ['http', 'scoring'],
    ['tensors', 'guards'],
    ['worker', 'worker/codecs'],
    ['worker/codecs', 'inference'],
    ['collection/deliver', 'collection/spool'],
    ['collection/deliver', 'ipc'],
  ] as const)
    assert.equal(forbidden(from, to), undefined, `${from} imports ${to}`);
});

test('no arrow is open that nobody uses', () => {
  const within = (room: string, of: string): boolean => room === of || room.startsWith(`${of}/`);
  const used = (from: string, to: string): boolean =>
    arrows.some(({ file, target }) => within(roomOf(file), from) && within(roomOf(target), to));
  const unused = Object.entries(allowed).flatMap(([from, open]) => open.filter((to) => !used(from, to)).map((to) => `${from} -> ${to}`));
  assert.deepEqual(unused, []);
});

/** Every file that a file imports, directly or by others. */
function reached(from: string): Set<string> {
  const found = new Set<string>();
  const visit = (file: string): void => {
    for (const { file: importer, target } of arrows) {
      if (importer !== file || found.has(target)) continue;
      found.add(target);
      visit(target);
    }
  };
  visit(from);
  return found;
}

test('no files of two rooms import each other, be it by others', () => {
  const reach = new Map(sources.map(({ file }) => [file, reached(file)]));
  const circles = arrows
    .filter(({ file, target }) => roomOf(file) !== roomOf(target) && reach.get(target)?.has(file))
    .map(({ file, target }) => `${file} imports ${target}, and is imported by it`);
  assert.deepEqual(circles, []);
});

test('every room is in the table of rooms, and the table has no other', () => {
  assert.deepEqual(
    Array.from(new Set(sources.map(({ file }) => roomOf(file)).filter((room) => room !== ''))).toSorted(),
    Object.keys(allowed).toSorted(),
  );
});

test('the root holds only what everybody may know', () => {
  assert.deepEqual(
    sources.map(({ file }) => file).filter((file) => roomOf(file) === ''),
    ['entry-script.ts', 'errors.ts', 'lifecycle.ts', 'log.ts', 'main.ts'],
  );
});

test('a package with one owner is imported by nobody else', () => {
  const wrong = imports.filter(({ file, specifier }) => soleImporters[specifier]?.test(file) === false);
  assert.deepEqual(wrong, []);
});

test('the process is touched only where it is started', () => {
  const wrong = sources.filter(
    ({ file, text }) =>
      !/(?:^|\/)(?:main|testing)\.ts$/.test(file) &&
      /process\.(?:env|argv|exit\(|on\(|once\()/.test(text.replaceAll(/`[^`]*`/g, '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
  );
  assert.deepEqual(
    wrong.map(({ file }) => file),
    [],
  );
});

// Elsewhere a folder may answer ENOENT for ever, which Node's own `recursive: true` never ends.
test('folders are made in two places, and threads are ended in one', () => {
  const having = (pattern: RegExp): string[] => sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
  assert.deepEqual(having(/\bmkdir(?:Sync)?\(/).toSorted(), ['scoring/workers-cache.ts', 'system/make-folder.ts']);
  assert.deepEqual(having(/\.terminate\(/), ['delivery/thread-link.ts']);
});

/** Lines of code, without comments and blank lines. A rule of the linter bounds functions. */
const LONGEST_CLASS = 170;

/** Lines of code of each class of a file; oxfmt ends a class with a brace in the first column. */
function classesOf(text: string): { readonly name: string; readonly lines: number }[] {
  return Array.from(text.matchAll(/^(?:export )?(?:abstract )?class (\w+)[\s\S]*?^\}/gm), ([code, name = '']) => ({
    name,
    lines: code.split('\n').filter((line) => !/^\s*(?:$|\/\/|\/?\*)/.test(line)).length,
  }));
}

test('no class has outgrown one thought', () => {
  const found = sources.flatMap(({ file, text }) => classesOf(text).map(({ name, lines }) => ({ file, name, lines })));
  assert.ok(
    found.some(({ name }) => name === 'Lifecycle'),
    'the classes are not found',
  );
  assert.deepEqual(
    found.filter(({ lines }) => lines > LONGEST_CLASS),
    [],
  );
});

test('every suite has a time limit, and ends when its tests are over', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const suites = Object.entries(scripts).filter(([, command]) => command.includes(' --test '));
  assert.ok(suites.length >= 7);
  const ends = (command: string): boolean =>
    command.includes('--import ./test/set-up/end-of-tests.ts') || command.includes('--test-isolation=none');
  assert.deepEqual(
    suites.filter(([, command]) => !/ --test-timeout=\d+ /.test(command) || !ends(command)),
    [],
  );
});

test('no file has a name that fits everything', () => {
  assert.deepEqual(
    sources.filter(({ file }) => /(?:util|helper|common|manager|base|misc|index)s?\.ts$/.test(file)),
    [],
  );
});

test('the top level holds what the owner fixed, and dot files', () => {
  const fixed = [
    'server',
    'entry-scripts',
    'docker',
    'test',
    'package.json',
    'tsconfig.json',
    'Dockerfile.cpu',
    'Dockerfile.gpu',
    'README.md',
  ];
  const may = ['bench', 'deploy', 'docs', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'package-lock.json', 'node_modules'];
  assert.deepEqual(
    readdirSync(ROOT).filter((name) => !name.startsWith('.') && !fixed.includes(name) && !may.includes(name)),
    [],
  );
});

test('every failure of the table is used, and every code that is used is in the table', async () => {
  const { failures } = await import('../../server/errors.ts');
  const text = sources
    .filter(({ file }) => file !== 'errors.ts')
    .map((source) => source.text)
    .join('\n');
  assert.deepEqual(
    Object.keys(failures).filter((code) => !text.includes(`'${code}'`) && !python.includes(`"${code}"`)),
    [],
  );
});
