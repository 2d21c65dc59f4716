import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadScript } from 'scoring-server/testing';
import { scriptFolder } from './script-folder.ts';
import { SCRIPTS, Workers, withWorkers } from './start-workers.ts';

/** Modules of both systems, in both languages. */
const modules = {
  'lib/esm.ts': "import { sep } from 'node:path';\nexport const esmTs: string = sep;\n",
  'lib/esm-too.js': "import { sep } from 'node:path';\nexport const esmJs = sep;\n",
  'lib/cjs.ts': "const { sep }: { sep: string } = require('node:path');\nmodule.exports = { cjsTs: sep };\n",
  'lib/cjs-too.js': "const { sep } = require('node:path');\nmodule.exports = { cjsJs: sep };\n",
  // Without its types, it has neither import nor export.
  'lib/typed.ts': "import type { Model } from 'scoring-server';\nexport type { Model };\nmodule.exports = { typed: '/' };\n",
  'lib/index.ts': "export const index: string = '/';\n",
};
const answer = { esmTs: '/', esmJs: '/', cjsTs: '/', cjsJs: '/', typed: '/', index: '/' };

/** `./lib/esm.js`, `./lib/typed` and `./lib` are how TypeScript and bundlers name .ts files. */
const imports = `import { esmTs } from './lib/esm.js';
import { esmJs } from './lib/esm-too.js';
import cjsTs from './lib/cjs.ts';
import cjsJs from './lib/cjs-too';
import typed from './lib/typed';
import { index } from './lib';
const all = { esmTs, esmJs, ...cjsTs, ...cjsJs, ...typed, index };
`;
const requires = `const all = { ...require('./lib/esm.js'), ...require('./lib/esm-too'), ...require('./lib/cjs'),
  ...require('./lib/cjs-too.js'), ...require('./lib/typed'), ...require('./lib') };
`;
const run = (type: string): string => `function run(data${type}) {
  if (data === 'fail') throw new Error('as asked');
  return all;
}
`;

const scripts = {
  'esm.ts': `${imports}export const init = (): void => {};\nexport ${run(': unknown')}`,
  'esm.js': `${imports}export const init = () => {};\nexport ${run('')}`,
  'cjs.ts': `${requires}const init = (): void => {};\n${run(': unknown')}module.exports = { init, run };\n`,
  'cjs.cts': `${requires}const init = (): void => {};\n${run(': unknown')}module.exports = { init, run };\n`,
  'cjs.js': `${requires}const init = () => {};\n${run('')}module.exports = { init, run };\n`,
};

for (const [type, manifest] of [
  ['"type": "commonjs"', '{"type": "commonjs"}'],
  ['no type', '{"name": "app"}'],
] as const) {
  const home = scriptFolder({ 'package.json': manifest, ...modules, ...scripts });
  for (const [script, text] of Object.entries(scripts)) {
    test(`beside a package.json with ${type}, ${script} and what it imports are loaded by their syntax`, () =>
      withWorkers(join(home, script), async (workers) => {
        assert.deepEqual((await workers.score('go')).json, answer);
        // Where it throws, in the file that the author has.
        const line = text.split('\n').findIndex((each) => each.includes('as asked')) + 1;
        await assert.rejects(workers.score('fail'), ({ message }: Error) => message.includes(`${script}:${line}:`));
        const warned = workers.lines.filter(({ msg }) => /Experimental|Failed to load the ES module/.test(String(msg)));
        assert.deepEqual(warned, []);
      }));
  }
}

test('loadScript and register.ts load by syntax, too', () => {
  const home = scriptFolder({
    'package.json': '{"type": "commonjs"}',
    ...modules,
    ...scripts,
    'score.test.js':
      "import { loadScript } from 'scoring-server/testing';\nimport assert from 'node:assert';\nimport test from 'node:test';\n" +
      "test('runs', async () => assert.equal((await (await loadScript(new URL('esm.ts', import.meta.url))).run(1)).index, '/'));\n",
  });
  const register = fileURLToPath(new URL('../../server/worker/register.ts', import.meta.url));
  const options = { cwd: home, encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: undefined }, timeout: 60_000 } as const;
  assert.match(execFileSync(process.execPath, ['--import', register, '--test', '--test-reporter=tap'], options), /# pass 1/);
});

/** The least script that runs, in TypeScript, and in JavaScript. */
const rest = '\nexport function init() {}\nexport const run = (data: number): number => data;\n';
const plain = '\nexport function init() {}\nexport const run = (data) => data;\n';

/** What an author writes, and what the one line must say: the place, and what to write instead. */
const mistakes: Record<string, [files: Record<string, string>, ...words: (RegExp | string)[]]> = {
  'an enum': [{ 'score.ts': `enum Colour {\n  Red,\n}${rest}` }, '/score.ts:1\n', 'enum Colour', 'as const'],
  'a parameter property': [
    { 'score.ts': `class Scorer {\n  constructor(private readonly factor: number) {}\n}${rest}` },
    '/score.ts:2\n',
    'a field that the constructor sets',
  ],
  'a namespace in a module': [
    { 'score.ts': `import './lib.ts';${rest}`, 'lib.ts': 'export namespace Lib {\n  export const a = 1;\n}\n' },
    '/lib.ts:1\n',
    'a module for a namespace',
  ],
  'a decorator': [
    { 'score.ts': `const logged = (method: unknown) => method;\nclass Scorer {\n  @logged run() {}\n}${rest}` },
    '/score.ts:3\n',
    'Node has no decorators',
  ],
  'a bundle of one long line': [
    { 'score.js': `export function init() {} ${'void "</b>"; '.repeat(10_000)}let a let b; export function run() {}\n` },
    '/score.js:1\n',
    /^SyntaxError: /m,
    /^(?![^]{4000})/,
  ],
  'a decorator in a module': [
    { 'score.ts': `import './lib.ts';\nthrow new Error('it ran');${rest}`, 'lib.ts': 'export const a = 1;\n@a\nclass Scorer {}\n' },
    '/lib.ts:2\n',
    'Node has no decorators',
  ],
  'JSX in .ts': [{ 'score.ts': `const view = <div>text</div>;${rest}` }, '/score.ts:1\n', 'Node runs no JSX'],
  'a decorator behind other code': [
    { 'score.ts': `class Scorer {\n  constructor(private readonly log: unknown) {}\n}${rest}`.replace('private readonly', '@inject') },
    '/score.ts:2\n',
    'Node has no decorators',
  ],
  'a decorator of a modified field': [
    { 'score.ts': `class Scorer {\n  private @inject() log = 1;\n}${rest}` },
    '/score.ts:2\n',
    'Node has no decorators',
  ],
  'an exported decorator': [
    { 'score.ts': `export @logged class Scorer {}${rest}` },
    '/score.ts:1\n',
    'Node has no decorators',
    /^(?![^]*Rename the file)/,
  ],
  'an at sign that is no decorator': [{ 'score.js': `const to = me@example.com;${plain}` }, '/score.js:1\n', /^(?![^]*decorator)/],
  'JSX of several lines': [{ 'score.js': `const view = (\n  <div>\n    text\n  </div>\n);${plain}` }, '/score.js:2\n', 'Node runs no JSX'],
  'JSX of several lines in .ts': [
    { 'score.ts': `const view = (\n  <div class="a">\n    text\n  </div>\n);${rest}` },
    '/score.ts:2\n',
    'Node runs no JSX',
  ],
  'a quote that HTML lacks': [
    { 'score.js': `const bold = (text) => '<b>' + text + '</b>;${plain}` },
    '/score.js:1\n',
    'SyntaxError: Invalid or unexpected token',
    /^(?![^]*JSX)/,
  ],
  'a page in place of JSON': [{ 'score.js': `JSON.parse('<html></html>');${plain}` }, /score\.js:1:6/, /^(?![^]*JSX)/],
  'JSX in .tsx': [{ 'score.ts': `import './view.tsx';${rest}`, 'view.tsx': '' }, '/view.tsx', 'Node runs no JSX'],
  'a type imported as a value': [
    { 'score.ts': `import { InitContext } from 'scoring-server';${rest}` },
    '/score.ts:1\n',
    '`import { type InitContext }`',
  ],
  'a type of a module imported as a value': [
    { 'score.ts': `import { Row } from './row';${rest}`, 'row.ts': 'export type Row = number;\n' },
    '`import { type Row }`',
  ],
  'an alias of tsconfig.json': [
    { 'score.ts': `import '@app/lib';${rest}`, 'tsconfig.json': '{ // one\n"compilerOptions": { "paths": { "@app/*": ["./*"] }, } }' },
    '/score.ts',
    /"@app\/lib" looks like an alias .*tsconfig\.json.* relative path/,
  ],
  'an alias of a bundler': [{ 'score.ts': `import '@/lib';${rest}` }, '"#lib" in "imports" of package.json'],
  'a folder of baseUrl': [
    { 'score.ts': `import 'src/lib';${rest}`, 'src/x.ts': '', 'tsconfig.json': '{"compilerOptions": {"baseUrl": "."}}' },
    '"src/lib" looks like an alias',
  ],
  'a default type imported as a value': [
    { 'score.ts': `import Row from './row.ts';${rest}`, 'row.ts': 'export type Row = number;\n' },
    '/score.ts:1\n',
    'import type Name from',
  ],
  'an export that JavaScript does not have': [
    { 'score.js': `import { jion } from 'node:path';${plain}` },
    '/score.js:1\n',
    "named 'jion'",
    /^(?![^]*is a type)/,
  ],
  'CommonJS below "type": "module"': [
    { 'score.ts': `import { a } from './lib/a.js';${rest}`, 'lib/a.js': 'exports.a = 1;\n' },
    /\/lib\/a\.js has module\.exports\. "type" in \S+\/package\.json makes it a module: rename it to \.cjs/,
    /^(?![^]*is a type)/,
  ],
  'TypeScript in a package': [
    {
      'score.ts': `import 'there';${rest}`,
      'node_modules/there/package.json': '{"type": "module", "exports": "./index.ts"}',
      'node_modules/there/index.ts': '',
    },
    'A package below node_modules needs .js files',
    // The fields of an error, without the frames of the loader before them.
    / \{\n {2}code: 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'\n\}$/m,
  ],
  'an enum in a folder with a space': [
    { 'my app/score.ts': `enum Colour {}${rest}`, 'my app/package.json': '{}' },
    /: \S+\/my app\/score\.ts\n\S+\/my app\/score\.ts:1\nenum/,
    'as const',
  ],
  'JSON with the attribute of older Node.js': [
    { 'score.ts': `import a from './a.json' assert { type: 'json' };${rest}`, 'a.json': '{}' },
    "with { type: 'json' }",
  ],
  'JSON without an attribute': [{ 'score.ts': `import './a.json';${rest}`, 'a.json': '{}' }, "with { type: 'json' }"],
  'both systems in one file': [
    { 'score.js': "import 'node:fs';\nmodule.exports = { init() {}, run() {} };\n" },
    '/score.js:2',
    'Use import and export in a module',
  ],
  'CommonJS with "type": "module"': [
    {
      'score.js': "const path = require('node:path');\nmodule.exports = { init() {}, run: () => path };\n",
      'package.json': '{"type": "module"}',
    },
    '/score.js:1',
    /"type" is "module" in \S+\/package\.json\./,
    'runs as .cjs or .cts, and without that "type"',
  ],
  '__dirname in a module': [{ 'score.js': `const here = __dirname;${plain}` }, '/score.js:1', '`import.meta.dirname`'],
  'a module in .cjs': [{ 'score.cjs': plain }, '/score.cjs:2', '.mjs or .mts', '"type": "module"', '/package.json'],
  'a package': [{ 'score.ts': `import 'no-such-package/sub';${rest}` }, /Run `npm install no-such-package` in \S+\/folder-\w+\.$/],
  'a failure at the top level, with its own fields': [
    { 'score.ts': `throw Object.assign(new Error('no key'), { code: 7 });${rest}` },
    /score\.ts:1:\d+/,
    / \{\n {2}code: 7\n\}$/,
  ],
  'a required package': [
    { 'score.cjs': "require('@no/such');\nmodule.exports = { init() {}, run() {} };\n" },
    /Run `npm install @no\/such` in \S+\/folder-\w+\.$/,
  ],
  'a package of a package': [
    {
      'score.ts': `import 'there';${rest}`,
      'node_modules/there/package.json': '{"type": "module", "exports": "./index.js"}',
      'node_modules/there/index.js': "import 'its-peer';\n",
    },
    /Run `npm install its-peer` in \S+\/folder-\w+\./,
  ],
  'a module of Node, misspelt': [{ 'score.ts': `import 'crpyto';${rest}` }, /it has node:crypto\.$/m, /^(?![^]*npm install)/],
  'a module of Node with its scheme, misspelt': [{ 'score.ts': `import 'node:fs/promise';${rest}` }, /it has node:fs\/promises/],
  'a part of a module of Node': [{ 'score.ts': `import 'fs/nothing';${rest}` }, 'no module fs/nothing', /^(?![^]*npm install)/],
  'a file': [
    { 'score.ts': `import './lib/prices.ts';${rest}`, 'lib/price.ts': '', 'lib/other.ts': '' },
    /\/lib\/prices\.ts' imported from/,
    /Did you mean \S+\/lib\/price\.ts\?$/m,
  ],
  'a folder without an index': [{ 'score.ts': `import './lib';${rest}`, 'lib/price.ts': '' }, /In \S+\/lib are: price\.ts\.$/m],
  'a file of an empty folder': [{ 'score.ts': `import './lib/.keep/x.ts';${rest}`, 'lib/.keep/.a': '' }, /\/\.keep is empty\.$/m],
  'a folder': [{ 'score.ts': `import './lib/prices.ts';${rest}` }, /There is no folder \S+\/lib\.$/m],
};

for (const [what, [files, ...words]] of Object.entries(mistakes)) {
  test(`the one line about ${what} says what to write instead`, async () => {
    const home = scriptFolder({ 'package.json': '{"type": "module"}', ...files });
    await assert.rejects(loadScript(join(home, Object.keys(files)[0] ?? '')), ({ code, message }: Error & { code: string }) => {
      assert.equal(code, 'script_broken');
      for (const word of words) assert.ok(typeof word === 'string' ? message.includes(word) : word.test(message), `${word}\n${message}`);
      assert.doesNotMatch(message, /node:internal/);
      return true;
    });
  });
}

test('the worker logs the advice in its one line, and so for a module that init() imports late', async () => {
  const home = scriptFolder({
    'score.ts': "export const init = () => import('no-such-package');\nexport const run = () => 1;\n",
    'late.ts': "export const init = () => import('./enum.ts');\nexport const run = () => 1;\n",
    'enum.ts': 'export enum Colour {}\n',
  });
  const advices = { 'score.ts': /Run `npm install no-such-package` in /, 'late.ts': /as const/, 'enum.ts': /as const/ };
  for (const [script, advice] of Object.entries(advices)) {
    const workers = new Workers(join(home, script));
    try {
      assert.match((await workers.failure).message, advice);
    } finally {
      await workers.stop();
    }
  }
});

test('a package keeps its own rules: its optional modules are tried and missed', () => {
  const home = scriptFolder({
    'score.ts': `import { found } from 'there';\nexport const init = () => {};\nexport const run = () => found;\n`,
    'node_modules/there/package.json': '{"main": "index.js"}',
    'node_modules/there/index.js':
      "let found = 'nothing';\ntry { require('optional'); } catch (error) { found = error.code; }\ntry { require('./native'); } catch (error) { found += error.code; }\nexports.found = found;\n",
    'node_modules/there/native.ts': 'export const a = 1;\n',
  });
  return withWorkers(join(home, 'score.ts'), async (workers) =>
    assert.equal((await workers.score(1)).json, 'MODULE_NOT_FOUNDMODULE_NOT_FOUND'),
  );
});

test('a name of the import path is found as before', () =>
  withWorkers('imports-by-name.ts', async (workers) => assert.equal((await workers.score(1)).status, 200), {
    start: { importPath: [SCRIPTS, scriptFolder({ 'shared-code.ts': 'export const answer: number = 42;\n' })] },
  }));
