import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { models } from '../cookbook/models.ts';
import { tableRowsOf } from './markdown.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COOKBOOK = join(ROOT, 'docs/cookbook');
const LARGEST_BYTES = 8192;

const read = (...path: string[]): string => readFileSync(join(COOKBOOK, ...path), 'utf8');
const recipes = readdirSync(COOKBOOK).filter((name) => statSync(join(COOKBOOK, name)).isDirectory());

/** What the commands of a recipe install and make. */
const MADE = /^(?:node_modules|package-lock\.json|\.venv|__pycache__|model)(?:\/|$)/;

/** The other files of a recipe. */
const filesOf = (recipe: string): string[] =>
  readdirSync(join(COOKBOOK, recipe), { recursive: true, encoding: 'utf8' }).filter(
    (file) => !MADE.test(file) && statSync(join(COOKBOOK, recipe, file)).isFile(),
  );
const scriptOf = (recipe: string): string => filesOf(recipe).find((file) => /^score\.(?:[cm]?[jt]s|py)$/.test(file)) ?? '';
const isPython = (recipe: string): boolean => scriptOf(recipe).endsWith('.py');
const packagesOf = (recipe: string): Record<string, string> =>
  isPython(recipe)
    ? Object.fromEntries(
        Array.from(read(recipe, 'requirements.txt').matchAll(/^([\w-]+)(?:==)?(.*)$/gm), ([, name, version]) => [name, version]),
      )
    : ((JSON.parse(read(recipe, 'package.json')) as { dependencies?: Record<string, string> }).dependencies ?? {});

/** The lines of the comment at the head of a script. */
const firstComment = (recipe: string): string[] => {
  const [text = ''] = read(recipe, scriptOf(recipe))
    .slice(3)
    .split(isPython(recipe) ? '"""' : '*/', 1);
  return text.split('\n').map((line) => line.replace(/^ \* /, ''));
};

test('every recipe is in the table of the cookbook with its packages, and the table has no other', () => {
  const rows = tableRowsOf(read('README.md')).slice(1);
  const listed = rows.map(({ cells: [link = '', , packages] }) => `${/^\[([\w-]+)\]\(\1\//.exec(link)?.[1]}: ${packages}`);
  const there = recipes.map((recipe) => {
    const names = Object.keys(packagesOf(recipe)).map((name) => `\`${name}\``);
    return `${recipe}: ${names.join(', ') || 'none'}`;
  });
  assert.deepEqual(listed.toSorted(), there.toSorted());
});

test('every recipe is complete: script, packages, request and answer', () => {
  assert.ok(recipes.length >= 13);
  const missing = recipes.flatMap((recipe) =>
    [scriptOf(recipe) || 'score.*', isPython(recipe) ? 'requirements.txt' : 'package.json', 'try.sh', 'answer.txt'].filter(
      (file) => !existsSync(join(COOKBOOK, recipe, file)),
    ),
  );
  assert.deepEqual(missing, []);
});

test('the first comment of a recipe has the commands that install, start and try it', () => {
  const wrong = recipes.flatMap((recipe) => {
    const lines = firstComment(recipe);
    const folder = `docs/cookbook/${recipe}`;
    const install = isPython(recipe) ? `${folder}/.venv/bin/pip install -r ${folder}/requirements.txt` : `npm install --prefix ${folder}`;
    const commands = [`npm start -- --entry-script ${folder}/${scriptOf(recipe)}`, `sh ${folder}/try.sh`];
    if (lines.some((line) => line.startsWith(install)) !== Object.keys(packagesOf(recipe)).length > 0) return [`${recipe}: ${install}`];
    return commands.filter((command) => !lines.some((line) => line === command || line.startsWith(`${command} `)));
  });
  assert.deepEqual(wrong, []);
});

test('every file of the cookbook that a recipe names is there', () => {
  const broken = recipes.flatMap((recipe) =>
    filesOf(recipe)
      .filter((file) => /\.(?:[jt]s|py|sh)$/.test(file))
      .flatMap((file) => Array.from(read(recipe, file).matchAll(/docs\/cookbook\/[\w/.-]+/g), ([path]) => path))
      .filter((path) => !MADE.test(path.split('/').slice(3).join('/')) && !existsSync(join(ROOT, path))),
  );
  assert.deepEqual(broken, []);
});

test('packages of a recipe have an exact version, so that its answer stays the same', () => {
  const loose = recipes.flatMap((recipe) => Object.entries(packagesOf(recipe)).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)));
  assert.deepEqual(loose, []);
});

test('files of a recipe are small', () => {
  const large = recipes.flatMap((recipe) => filesOf(recipe).filter((file) => statSync(join(COOKBOOK, recipe, file)).size > LARGEST_BYTES));
  assert.deepEqual(large, []);
});

test('models of recipes are fresh, and each has its builder', () => {
  const there = recipes.flatMap((recipe) => filesOf(recipe).flatMap((file) => (file.endsWith('.onnx') ? `${recipe}/${file}` : [])));
  assert.deepEqual(there.toSorted(), Object.keys(models).toSorted());
  for (const [file, build] of Object.entries(models)) {
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(COOKBOOK, file), build());
    assert.ok(readFileSync(join(COOKBOOK, file)).equals(build()), `${file}: run UPDATE_DOCS=1 npm test to write it`);
  }
});
