import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { InitContext, RequestContext } from '../../../../server/entry-script.ts';
import { loadEntryScript, type LoadedScript } from '../../../../server/worker/script/load-entry-script.ts';
import { folder } from '../../../set-up/folder.ts';

/** The script of a file with this text, and of further files beside it. */
function load(name: string, text: string, others: Record<string, string> = {}): Promise<LoadedScript> {
  const path = folder();
  for (const [file, content] of Object.entries({ ...others, [name]: text })) writeFileSync(join(path, file), content);
  return loadEntryScript(join(path, name));
}

/** What no script under test looks at. */
const CONTEXT = {} as InitContext;
const REQUEST = {} as RequestContext;

const METHODS = 'factor: 2, init() { this.ready = true; }, run(x) { return [this.ready, x * this.factor]; }';
const CLASS = 'class Scorer { #factor = 2; init() { this.ready = true; } run(x) { return [this.ready, x * this.#factor]; } }';
const STATIC =
  'class Scorer { static factor = 2; static init() { this.ready = true; } static run(x) { return [this.ready, x * this.factor]; } }';
const DERIVED = `${CLASS} class Mine extends Scorer { run(x) { return super.run(x); } }`;
const ES_MODULE = "Object.defineProperty(exports, '__esModule', { value: true });";

/** Ways to export methods that use `this`. */
const ways: [way: string, name: string, text: string, others?: Record<string, string>][] = [
  ['an object', 'score.mjs', `export default { ${METHODS} };`],
  ['an instance', 'score.mjs', `${CLASS} export default new Scorer();`],
  ['an instance of a derived class', 'score.mjs', `${DERIVED} export default new Mine();`],
  ['a class with static methods', 'score.mjs', `export default ${STATIC}`],
  ['an object of CommonJS', 'score.cjs', `module.exports = { ${METHODS} };`],
  ['an instance of CommonJS', 'score.cjs', `${CLASS} module.exports = new Scorer();`],
  ['a class of CommonJS with static methods', 'score.cjs', `module.exports = ${STATIC}`],
  [
    'members of `exports`',
    'score.cjs',
    'exports.factor = 2; exports.init = function () { this.ready = true; }; exports.run = function (x) { return [this.ready, x * this.factor]; };',
  ],
  ['a function of CommonJS with members', 'score.cjs', `module.exports = Object.assign(() => {}, { ${METHODS} });`],
  ['the default of transpiled CommonJS', 'score.cjs', `${ES_MODULE} exports.default = { ${METHODS} };`],
  ['an instance that is the default of transpiled CommonJS', 'score.cjs', `${ES_MODULE} ${CLASS} exports.default = new Scorer();`],
  [
    'a default that another module passes on',
    'score.mjs',
    "export { default } from './other.cjs';",
    { 'other.cjs': `module.exports = { ${METHODS} };` },
  ],
  [
    'a default of transpiled CommonJS that another module passes on',
    'score.mjs',
    "export { default } from './other.cjs';",
    { 'other.cjs': `${ES_MODULE} exports.default = { ${METHODS} };` },
  ],
  [
    'a module that CommonJS requires',
    'score.cjs',
    "module.exports = require('./other.mjs');",
    { 'other.mjs': `export default { ${METHODS} };` },
  ],
  ['TypeScript', 'score.ts', `export default { ${METHODS.replace('x)', 'x: number)')} } as Record<string, any>;`],
];

for (const [way, name, text, others] of ways) {
  test(`\`this\` is the object that holds the function: ${way}`, async () => {
    const script = await load(name, text, others);
    await script.init(CONTEXT);
    assert.deepEqual(script.run(3, REQUEST), [true, 6]);
  });
}

test('`this` of a named export is undefined, and never an object of the server', async () => {
  const text = 'export function init() {} export function run() { return typeof this; } export function redact() { return typeof this; }';
  for (const script of [
    await load('score.mjs', text),
    await load('score.mjs', "export * from './other.mjs';", { 'other.mjs': text }),
    await load('score.mjs', "export * as default from './other.mjs';", { 'other.mjs': text }),
    await load('score.cjs', "module.exports = require('./other.mjs');", { 'other.mjs': text }),
  ]) {
    assert.equal(script.run(1, REQUEST), 'undefined');
    assert.equal(script.redact?.(1, { collection: 'request', contentType: '', id: '' }), 'undefined');
  }
});

test('settings may be getters and inherited, and the sample may come from init()', async () => {
  const script = await load(
    'score.mjs',
    `class Settings { get rawHttp() { return false; } get exactIntegers() { return this.exact; } get concurrency() { return 3; } redact(body) { return this.hidden(body); } }
     class Scorer extends Settings { exact = true; inputType = 'text'; hidden() { return 'hidden'; } init() { this.rows = [1]; } get sample() { return this.rows; } run() {} }
     export default new Scorer();`,
  );
  const { inputType, rawHttp, exactIntegers, concurrency } = script;
  assert.deepEqual(
    { inputType, rawHttp, exactIntegers, concurrency },
    { inputType: 'text', rawHttp: false, exactIntegers: true, concurrency: 3 },
  );
  assert.equal(script.redact?.({}, { collection: 'request', contentType: '', id: '' }), 'hidden');
  await script.init(CONTEXT);
  assert.deepEqual(script.sample, [1]);
});

test('named exports and members of the default export complete each other; named ones come first', async () => {
  const script = await load(
    'score.mjs',
    "export const inputType = 'text'; export default { inputType: 'json', concurrency: 2, init() {}, run() { return this.concurrency; } };",
  );
  assert.deepEqual([script.inputType, script.concurrency, script.run(1, REQUEST)], ['text', 2, 2]);
});

const refused: [what: string, name: string, text: string, message: RegExp][] = [
  ['a class', 'score.mjs', `export default ${CLASS}`, /export an instance, `export default new Scorer\(\)`/],
  ['a class without a name', 'score.mjs', 'export default class { init() {} run() {} }', /`export default new Scorer\(\)`/],
  ['a class of CommonJS', 'score.cjs', `module.exports = ${CLASS}`, /`module\.exports = new Scorer\(\)`/],
  ['a class under its own name', 'score.mjs', `export ${CLASS.replaceAll('Scorer', 'Mine')}`, /`export default new Mine\(\)`/],
  [
    'an instance without run()',
    'score.mjs',
    'export default new (class { init() {} predict() {} })();',
    /a run\(\) function.*its exports are: default, init, predict\.$/,
  ],
  ['a run that is text', 'score.cjs', "module.exports = { init() {}, run: 'x' };", /its export `run` is of type string/],
  ['nothing', 'score.cjs', 'module.exports = null;', /its exports are: none/],
  [
    'a getter that throws',
    'score.mjs',
    "export default { init() {}, run() {}, get inputType() { throw new Error('unset'); } };",
    /reading its export `inputType` raised an exception: Error: unset/,
  ],
];

for (const [what, name, text, message] of refused) {
  test(`a script that exports ${what} is refused with the way out`, () =>
    assert.rejects(load(name, text), { code: 'script_broken', message }));
}
