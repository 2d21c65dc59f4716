import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { functionFiles } from '../../server/commands/function-files.ts';
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

const functionApp = read('docker/functions.Dockerfile');

test('the image of a function app starts the server as host.json says, and as the image of the server does', () => {
  const host = JSON.parse(functionFiles({ trigger: 'http', name: 'score', authLevel: 'function' }).get('host.json') ?? '') as {
    customHandler: { description: { defaultExecutablePath: string; arguments: string[] } };
  };
  const { defaultExecutablePath, arguments: args } = host.customHandler.description;
  const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(cpu)?.[1] ?? '[]') as string[];
  assert.deepEqual([defaultExecutablePath, ...args], [...entrypoint.slice(entrypoint.indexOf('--') + 1), 'serve']);
  const copied = [...functionApp.matchAll(/^COPY --from=server (\S+) (\S+)$/gm)].map(([, from = '', to]) => {
    assert.equal(to, from, 'at the same place');
    return from;
  });
  for (const path of [defaultExecutablePath, ...args.filter((arg) => arg.startsWith('/'))])
    assert.ok(
      copied.some((from) => path === from || path.startsWith(`${from}/`)),
      `${path} is in the image`,
    );
  for (const path of copied) assert.ok(cpu.includes(path), `${path} is in the image of the server`);
});

test('the image of a function app has the variables of a custom handler, and any base', () => {
  const variables = [...functionApp.matchAll(/^(?:ENV| {3}) ?(\w+)=(\S+)/gm)].map(([, name, value]) => `${name}=${value}`);
  for (const needed of ['AzureWebJobsScriptRoot=/home/site/wwwroot', 'FUNCTIONS_WORKER_RUNTIME=custom', 'AML_APP_ROOT=/home/site/wwwroot'])
    assert.ok(variables.includes(needed), needed);
  assert.match(functionApp, /^COPY \. \/home\/site\/wwwroot$/m);
  const bases = [...functionApp.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  assert.deepEqual(bases, ['${SERVER_IMAGE}', '${FUNCTIONS_IMAGE}']);
  for (const [, name = ''] of functionApp.matchAll(/^ARG \w+=(\S+)$/gm)) assert.doesNotMatch(name.split('/')[0] ?? '', /[.:].*\/|\./);
  assert.doesNotMatch(functionApp, /^(?:CMD|ENTRYPOINT)/m, 'the Functions host stays the command');
  assert.doesNotMatch(functionApp, /^# syntax=|<<|--link/m);
});
