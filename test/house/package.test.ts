import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageDeclarations } from './declarations.ts';
import { codeBlocksOf } from './markdown.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

for (const [entry, text] of Object.entries(packageDeclarations()))
  test(`the types of the package are fresh: ${entry}.d.ts`, () => {
    const file = join(ROOT, 'server/package', `${entry}.d.ts`);
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, text);
    else assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', text, 'run UPDATE_DOCS=1 npm test to write it');
  });

/** A `node_modules` with the package as npm installs its tarball, and with all other packages. */
let modules: string;

before(async () => {
  modules = join(mkdtempSync(join(tmpdir(), 'package-')), 'node_modules');
  mkdirSync(join(modules, 'scoring-server'), { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', modules], { cwd: ROOT });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run('tar', ['-xzf', filename, '-C', 'scoring-server', '--strip-components=1'], { cwd: modules });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
});
after(() => rmSync(join(modules, '..'), { recursive: true }));

/** An author's project beside the installed packages. */
function project(t: TestContext, type = 'module'): string {
  const folder = mkdtempSync(join(modules, '../project-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
  cpSync(join(ROOT, 'entry-scripts/diabetes.onnx'), join(folder, 'model.onnx'));
  return folder;
}

const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));

/** The TypeScript samples of all pages, by file name: the README's come first. */
const samples = ['README.md', ...pages.map((name) => `docs/${name}`)].flatMap((page) =>
  codeBlocksOf(readFileSync(join(ROOT, page), 'utf8')).flatMap(({ language, text, line }): [string, string][] => {
    if (language !== 'ts') return [];
    const [, name] = /^\/\/ ([\w.-]+)\n/.exec(text) ?? [];
    assert.ok(name !== undefined, `${page}:${line}: expected \`// <file>.ts\` in the first line`);
    return [[name, text]];
  }),
);

const COOKBOOK = join(ROOT, 'docs/cookbook');

/** Folders of the cookbook, but for those that need packages which are not installed here. */
const recipes = (existsSync(COOKBOOK) ? readdirSync(COOKBOOK) : []).filter((name) => {
  const file = join(COOKBOOK, name, 'package.json');
  if (!existsSync(file)) return false;
  const { dependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies?: Record<string, string> };
  return Object.keys(dependencies).every((needed) => needed === 'scoring-server' || existsSync(join(ROOT, 'node_modules', needed)));
});

const STRICT = {
  module: 'nodenext',
  target: 'esnext',
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  strict: true,
  jsx: 'react-jsx',
  verbatimModuleSyntax: true,
  isolatedModules: true,
  noUncheckedSideEffectImports: true,
  moduleDetection: 'force',
};
/** What `tsc --init` of TypeScript 5.9 to 7.0 writes. */
const INIT = { ...STRICT, types: [], sourceMap: true, declaration: true, declarationMap: true, skipLibCheck: true };

const settings: Record<string, object> = {
  'the settings of `tsc --init`': INIT,
  'those settings, and every library checked': { ...INIT, skipLibCheck: false },
  'module nodenext alone': { module: 'nodenext' },
  "Node's own types and no browser's": { ...STRICT, lib: ['es2024'], types: ['node'] },
  'a bundler, an old target, loose checks': {
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2020',
    strict: false,
    skipLibCheck: false,
  },
  "this server's own settings": {
    ...STRICT,
    types: ['node'],
    lib: ['esnext'],
    erasableSyntaxOnly: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
  },
};

for (const [name, compilerOptions] of Object.entries(settings))
  test(`every sample of the pages and the cookbook type-checks with the package installed: ${name}`, async (t) => {
    const folder = project(t);
    assert.ok(samples.length > 5);
    for (const [index, [file, text]] of samples.entries()) {
      // Two samples may have one name; a test is beside the script that it loads.
      const own = join(folder, file.endsWith('.test.ts') ? 'tests' : `sample-${index}`);
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, file), text);
    }
    for (const recipe of recipes) cpSync(join(COOKBOOK, recipe), join(folder, recipe), { recursive: true });
    writeFileSync(join(folder, 'forms.ts'), FORMS);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, outDir: 'out' } }));
    assert.equal(await compilerOutput(folder), '');
  });

async function compilerOutput(folder: string): Promise<string> {
  const compile = run(join(modules, '.bin/tsc'), [], { cwd: folder });
  return (await compile.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? JSON.stringify(error) }))).stdout;
}

/** Forms of a script that the guide's samples do not have. */
const FORMS = `
import { Collector, type EntryScript, type InitContext, type Model, type Tensor } from 'scoring-server';
import 'scoring-server/register';

interface Body { readonly rows: number[][] }

export class Scorer implements EntryScript<Body> {
  #model: Model | undefined;
  readonly concurrency = 4;
  readonly sample = { rows: [[1, 2]] };
  async init({ openModel }: InitContext) {
    this.#model = await openModel('model.onnx');
  }
  async run({ rows }: Body): Promise<Tensor | undefined> {
    const outputs = await this.#model?.run({ X: rows, ids: new BigInt64Array(2), text: ['a'] });
    return outputs?.['variable'];
  }
}

const seen = new Collector({ name: 'seen' });

export default {
  rawHttp: true,
  init: ({ log }) => log.info('ready', { a: 1 }),
  async run(request, { signal, id }) {
    seen.collect([{ id }]);
    return fetch('http://localhost', { body: await request.bytes(), signal, method: 'POST' });
  },
  redact: ({ name, ...rest }: { name?: string }) => rest,
} satisfies EntryScript<Request>;

export const typed = {
  inputType: 'tensors',
  init() {},
  run: ({ X }: { X: Tensor }) => X.data.length,
} satisfies EntryScript;

export const bytes = {
  inputType: 'bytes',
  init() {},
  run: (body: Buffer) => body.length,
} satisfies EntryScript;
`;

test('a mistake in the use of the types is an error', async (t) => {
  const folder = project(t);
  writeFileSync(
    join(folder, 'wrong.ts'),
    `import type { InitContext, RequestContext } from 'scoring-server';
export const init = (context: InitContext) => context.openModl('a');
export const run = (data: unknown, request: RequestContext): number => request.id;
`,
  );
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: INIT }));
  const found = Array.from((await compilerOutput(folder)).matchAll(/^wrong\.ts\((\d+),\d+\): error (TS\d+)/gm), ([, line, code]) => [
    line,
    code,
  ]);
  assert.deepEqual(found, [
    ['2', 'TS2551'],
    ['3', 'TS2322'],
  ]);
});

const node = (folder: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined } });

test("the guide's unit test passes with the package installed, with nothing but `node --test`", async (t) => {
  const folder = project(t);
  for (const [name, text] of samples) writeFileSync(join(folder, name), text);
  const { stderr } = await node(folder, '--test', 'score.test.ts');
  assert.equal(stderr, '');
});

test('the entries of the package export every value of the modules behind them', async () => {
  for (const [entry, source] of [
    ['index', 'exports'],
    ['testing', 'testing'],
  ]) {
    const [exported, own] = (await Promise.all([
      import(`../../server/package/${entry}.js`),
      import(`../../server/worker/script/${source}.ts`),
    ])) as [object, object];
    assert.deepEqual(Object.keys(exported), Object.keys(own));
  }
});

test('a module and a CommonJS file get the same classes from the installed package, without a warning', async (t) => {
  const folder = project(t);
  writeFileSync(
    join(folder, 'both.mjs'),
    `import { createRequire } from 'node:module';
import * as own from 'scoring-server';
import { loadScript } from 'scoring-server/testing';
const required = createRequire(import.meta.url)('scoring-server');
const script = await loadScript(new URL('score.cjs', import.meta.url));
const thrown = await script.run({}).catch((error) => error);
console.log(Object.keys(own).every((name) => own[name] === required[name]), thrown instanceof own.ScoringError, thrown.status);
`,
  );
  writeFileSync(
    join(folder, 'score.cjs'),
    `const { ScoringError } = require('scoring-server');
module.exports = { init() {}, async run() { throw new ScoringError(418, 'tea'); } };
`,
  );
  assert.deepEqual(await node(folder, 'both.mjs'), { stdout: 'true true 418\n', stderr: '' });
});

test('`node --import scoring-server/register` lets a script of another folder import the installed package', async (t) => {
  const folder = project(t);
  const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  writeFileSync(
    join(elsewhere, 'script.ts'),
    `import { ScoringError } from 'scoring-server';\nconsole.log(ScoringError.name as string);\n`,
  );
  assert.deepEqual(await node(folder, '--import', 'scoring-server/register', join(elsewhere, 'script.ts')), {
    stdout: 'ScoringError\n',
    stderr: '',
  });
});

test('types of other packages below node_modules are not stripped', async (t) => {
  const folder = project(t);
  mkdirSync(join(folder, 'node_modules/other'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/other/index.ts'), 'export const one: number = 1;\n');
  writeFileSync(join(folder, 'main.mjs'), "import 'scoring-server';\nawait import('./node_modules/other/index.ts');\n");
  await assert.rejects(node(folder, 'main.mjs'), /ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING/);
});

test('a link to the clone works as the tarball does', async (t) => {
  const folder = project(t);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/scoring-server'));
  for (const [name, text] of samples) writeFileSync(join(folder, name), text);
  const { stderr } = await node(folder, '--test', 'score.test.ts');
  assert.equal(stderr, '');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...INIT, outDir: 'out' }, files: ['score.ts', 'score.test.ts'] }),
  );
  assert.equal(await compilerOutput(folder), '');
});

test('the tarball holds the server and no tests', async () => {
  const files = readdirSync(join(modules, 'scoring-server'), { recursive: true, encoding: 'utf8' });
  for (const needed of ['LICENSE', 'README.md', 'server/main.ts', 'entry-scripts/onnx.ts', 'server/package/index.d.ts'])
    assert.ok(files.includes(needed), needed);
  assert.deepEqual(
    files.filter((file) => /\.test\.ts$|^(?:test|bench|docker|deploy)\//.test(file)),
    [],
  );
  const { exports } = createRequire(import.meta.url)('../../package.json') as { exports: Record<string, string | Record<string, string>> };
  for (const target of Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry))))
    assert.ok(files.includes(target.slice(2)), target);
});
