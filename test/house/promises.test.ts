import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as limits from '../promises/limits.ts';
import { type Proof, promises } from '../promises/promises.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'docs/promises.md';
const [BEGIN, END] = ['<!-- promises: made from the code -->\n', '<!-- end of promises -->'];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const proofs = Object.values(promises).flat();

function table(): string {
  const rows = Object.entries(promises).flatMap(([promise, all]) =>
    all.map(({ precisely, file, test: name }, at) => `| ${at === 0 ? promise : ''} | ${precisely} | \`${file}\` | ${name} |`),
  );
  return ['| promise | precisely | proven in | by the test |', '|---|---|---|---|', ...rows, ''].join('\n');
}

test('the table of promises is fresh', () => {
  const text = read(PAGE);
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  assert.ok(from >= BEGIN.length && to >= from, `${PAGE} has no place for the table: ${BEGIN}${END}`);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(ROOT, PAGE), text.slice(0, from) + table() + text.slice(to));
  else assert.equal(text.slice(from, to), table(), 'run UPDATE_DOCS=1 npm test to write it');
});

/** Patterns of the names that the tests of a file may have: a part in `${}` may be anything. */
function namesIn(source: string): RegExp[] {
  const found = source.matchAll(/\b(?:test|it|describe)\(\s*(?:'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`([^`]+)`)/g);
  return Array.from(found, ([, single, double, template]) => {
    const name = (single ?? double ?? template ?? '').replaceAll(/\\(.)/g, '$1');
    const parts = template === undefined ? [name] : partsOf(name);
    return new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('.+')}$`);
  });
}

/** The text of a template around its expressions, which may hold braces. */
function partsOf(template: string): string[] {
  const parts = [''];
  let depth = 0;
  for (let at = 0; at < template.length; at++) {
    if (depth === 0 && template.startsWith('${', at)) {
      depth = 1;
      at++;
      parts.push('');
    } else if (depth > 0) depth += template[at] === '{' ? 1 : template[at] === '}' ? -1 : 0;
    else parts.push(`${parts.pop()}${template[at]}`);
  }
  return parts;
}

const LIMITS: readonly number[] = Object.values(limits);

function numbersOf(text: string): number[] {
  return Array.from(text.matchAll(/\b\d[\d,_]*(?:\.\d+)?/g), ([number]) => Number(number.replaceAll(/[,_]/g, '')));
}

/** Why a proof is none; undefined: it is one. */
function flawOf({ file, test: name, precisely, constants = {}, numbersIn }: Proof): string | undefined {
  if (!existsSync(join(ROOT, file))) return `${file} is not there`;
  const source = read(file);
  if (!namesIn(source).some((pattern) => pattern.test(name))) return `${file} has no test '${name}'`;
  for (const [constant, value] of Object.entries(constants)) {
    if (!source.includes(`const ${constant} = ${value};`)) return `${file}: ${constant} is not ${value}`;
    if (!precisely.includes(String(value))) return `'${precisely}' does not say ${value}`;
  }
  const known = new Set([...numbersOf(source), ...numbersOf(numbersIn === undefined ? '' : read(numbersIn)), ...LIMITS]);
  const unknown = numbersOf(precisely.replaceAll(/\bp99\b|\b5xx\b/g, '')).find((number) => !known.has(number));
  if (unknown !== undefined) return `'${precisely}' says ${unknown}, which ${file} does not`;
  return undefined;
}

test('every promise names tests that exist, and quotes their numbers', () => {
  assert.ok(Object.values(promises).every((all) => all.length > 0));
  assert.deepEqual(
    proofs.map(flawOf).filter((flaw) => flaw !== undefined),
    [],
  );
});

test('the check of promises catches a lost file, a renamed test and a changed number', () => {
  const [proof] = promises['Exactly one answer'] ?? [];
  assert.ok(proof !== undefined);
  assert.match(flawOf({ ...proof, file: 'test/faults/nowhere.test.ts' }) ?? '', /is not there/);
  assert.match(flawOf({ ...proof, test: 'SIGKILL: nothing is answered' }) ?? '', /has no test/);
  assert.match(flawOf({ ...proof, constants: { CONNECTIONS: 31 } }) ?? '', /is not 31/);
  assert.match(flawOf({ ...proof, precisely: 'all connections' }) ?? '', /does not say 32/);
  assert.match(flawOf({ ...proof, precisely: '32 connections, 12,345 of them slow' }) ?? '', /says 12345, which/);
});

test('every number of the measured promises is asserted by a test, and is in the table', () => {
  const folder = 'test/promises';
  const asserting = readdirSync(join(ROOT, folder))
    .filter((file) => /(?:\.test|beside|loads)\.ts$/.test(file))
    .map((file) => read(join(folder, file)))
    .join('\n');
  const naming = read(`${folder}/promises.ts`);
  assert.deepEqual(
    Object.keys(limits).filter((name) => !asserting.includes(name) || !naming.includes(`limits.${name}`)),
    [],
  );
});
