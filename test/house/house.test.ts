import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SERVER = join(ROOT, 'server');

const sources = readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SERVER, file), 'utf8') }));

/** The ground floor, which every room may import, besides the root files (server/README.md). */
const ground = ['guards', 'system', 'tensors'];

/** Rooms that a room may import, besides itself, its own rooms, the root files and the ground floor. A room has its parent's arrows, too. */
const allowed: Record<string, readonly string[]> = {
  host: ['config', 'request', 'exchange', 'ipc', 'telemetry', 'collection', 'scoring', 'http', 'grpc'],
  http: ['config', 'request', 'ipc', 'telemetry', 'scoring', 'exchange'],
  grpc: ['config', 'request', 'scoring', 'exchange'],
  exchange: ['config', 'request', 'ipc', 'telemetry', 'collection', 'scoring'],
  scoring: ['config', 'request', 'ipc', 'telemetry'],
  worker: ['config', 'request', 'ipc', 'inference'],
  'worker/codecs': ['worker'],
  'worker/collect': ['worker'],
  'worker/metrics': ['worker'],
  'worker/script': ['worker', 'worker/collect', 'worker/metrics'],
  inference: ['config', 'ipc'],
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

test('arrows point down: a room imports only rooms below it', () => {
  const wrong = imports.flatMap(({ file, specifier }) => {
    if (!specifier.startsWith('.') || roomOf(file) === '') return [];
    const target = relative(SERVER, resolve(SERVER, dirname(file), specifier));
    if (target.startsWith('..')) return target === '../package.json' ? [] : [`${file} imports ${target}`];
    const why = forbidden(roomOf(file), roomOf(target));
    return why === undefined ? [] : [`${file} imports ${target}: ${why}`];
  });
  assert.deepEqual(wrong, []);
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

test('no file has outgrown its room; only the table of options may be longer', () => {
  const long = sources
    .map(({ file, text }) => ({ file, lines: text.split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > (file === 'config/config.ts' ? 320 : 220));
  assert.deepEqual(long, []);
});

test('no file is a drawer for everything', () => {
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
    Object.keys(failures).filter((code) => !text.includes(`'${code}'`)),
    [],
  );
});
