import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string): string => readFileSync(ROOT + name, 'utf8');
const [cpu, gpu] = [read('Dockerfile.cpu'), read('Dockerfile.gpu')];

/** What differs outside the blocks that Dockerfile.gpu marks, as [cpu, gpu]. */
const DIFFERENT = [
  ['FROM ${NODE_IMAGE} AS runtime', 'FROM ${CUDA_IMAGE} AS runtime'],
  ['ARG NODE_IMAGE', 'ARG CUDA_IMAGE'],
  ['      org.opencontainers.image.base.name="${NODE_IMAGE}"', '      org.opencontainers.image.base.name="${CUDA_IMAGE}"'],
];

/** The lines from the first instruction on. */
const instructions = (text: string): string[] => text.slice(text.search(/^ARG /m)).split('\n');

test('Dockerfile.gpu is Dockerfile.cpu, the base, and the blocks that it marks', () => {
  const marked = gpu.replaceAll(/^# GPU only\n[\s\S]*?^# end of GPU only\n/gm, '');
  const [ours, theirs] = [instructions(cpu), instructions(marked.replaceAll(/\n{3,}/g, '\n\n'))];
  assert.equal(theirs.length, ours.length);
  assert.deepEqual(
    ours.flatMap((line, index) => (line === theirs[index] ? [] : [[line, theirs[index]]])),
    DIFFERENT,
  );
});

test('both build without what older builders do not know, and let every base be replaced', () => {
  for (const text of [cpu, gpu]) {
    assert.doesNotMatch(text, /^# syntax=|<<|--link/m);
    const stages = [...text.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name);
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base ?? '');
    assert.equal(bases.length, stages.length, 'every stage has a name');
    assert.deepEqual(
      bases.filter((base) => !/\$\{[A-Z_]+\}$/.test(base) && base !== 'scratch' && !stages.includes(base)),
      [],
    );
  }
});

test('a build without --target makes the image without Python', () => {
  for (const text of [cpu, gpu]) {
    const stages = [...text.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, base, name]) => `${name} of ${base}`);
    assert.deepEqual(stages.slice(-2), ['python of runtime', 'plain of runtime']);
    assert.match(text, /\nFROM runtime AS plain\n$/, 'the last stage adds nothing');
  }
});

test("the images carry the package's version and licence", () => {
  for (const text of [cpu, gpu]) {
    assert.ok(text.includes(`ARG VERSION=${packageJson.version}\n`));
    assert.ok(text.includes(`licenses="${packageJson.license}"`));
  }
});

test('every file that compose.yaml mounts or builds from is there', () => {
  const compose = read('docker/compose.yaml');
  const paths = [...compose.matchAll(/^\s+- (\.{1,2}\/[^:]+):/gm), ...compose.matchAll(/^\s+dockerfile: (.*)$/gm)].map(
    ([, path]) => path ?? '',
  );
  assert.ok(paths.length > 3);
  const missing = paths.filter((path) => !existsSync(path.startsWith('.') ? `${ROOT}docker/${path}` : ROOT + path));
  assert.deepEqual(missing, []);
});
