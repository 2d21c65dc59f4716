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

/** Rooms that a room may import, besides itself and the root files (server/README.md). */
const allowed: Record<string, readonly string[]> = {
  http: ['scoring', 'collection', 'telemetry'],
  grpc: ['scoring', 'collection', 'telemetry'],
  commands: ['http', 'scoring'],
  scoring: ['telemetry', 'worker/protocol.ts'],
  worker: ['inference'],
  inference: [],
  collection: [],
  telemetry: [],
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
  '@azure/storage-blob': /^collection\/blob-storage\.ts$/,
  '@azure/identity': /^collection\/blob-storage\.ts$/,
};

const roomOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : '');

const imports = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => ({ file, specifier })),
);

test('arrows point down: a room imports only rooms below it', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith('.') || file === 'serve.ts') return false;
    const target = relative(SERVER, resolve(SERVER, dirname(file), specifier));
    if (target.startsWith('..')) return target !== '../package.json';
    const [from, to] = [roomOf(file), roomOf(target)];
    if (to === '' || to === from) return false;
    return !(allowed[from] ?? []).some((room) => target === room || roomOf(target) === room);
  });
  assert.deepEqual(wrong, []);
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
    .filter(({ file, lines }) => lines > (file === 'config.ts' ? 320 : 220));
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
  const may = ['bench', 'deploy', 'LICENSE', 'CHANGELOG.md', 'package-lock.json', 'node_modules'];
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
