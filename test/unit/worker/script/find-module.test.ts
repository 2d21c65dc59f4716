import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { findModule } from '../../../../server/worker/script/find-module.ts';
import { withImportAdvice } from '../../../../server/worker/script/import-advice.ts';
import { adviceOnMissing } from '../../../../server/worker/script/missing-module.ts';
import { folder } from '../../../set-up/folder.ts';
import { assertLinear } from '../../linear-time.ts';

const home = folder();
writeFileSync(join(home, 'lib #1 50%.ts'), '');
const script = pathToFileURL(join(home, 'score.ts')).href;

/** What a script may import. */
const specifiers = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.webUrl(),
  fc.constantFrom('data:text/javascript,1', 'file:', 'file:///%2F', 'file:///%00', 'file://host/x', './a%00', './a\0', './%zz', './a?b#c'),
  fc.constantFrom(
    '.',
    '..',
    '/',
    '#',
    '@',
    '@/',
    '~/',
    '\0',
    'node:',
    'node:\0',
    '__proto__',
    './__proto__',
    'constructor',
    'scoring-server/',
  ),
);
const importers = fc.constantFrom(
  undefined,
  script,
  pathToFileURL(join(home, 'node_modules/p/i.js')).href,
  'data:text/javascript,1',
  'https://a/b',
);

test('no specifier makes the search for a module fail, or the advice on one that is missing', () => {
  fc.assert(
    fc.property(specifiers, importers, (specifier, importer) => {
      const found = findModule(specifier, importer, [home]);
      assert.ok(found === undefined || found.startsWith('file:///'));
      adviceOnMissing(specifier, importer);
    }),
  );
});

test('a file is found whatever characters its name has', () => {
  const url = pathToFileURL(join(home, 'lib #1 50%.ts')).href;
  assert.equal(findModule('./lib %231 50%25', script, []), url);
  assert.equal(findModule('./lib %231 50%25?again=1', script, []), url);
  assert.equal(findModule('lib #1 50%', script, [home]), url);
});

test('advice costs a linear time, and no text makes it fail', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => withImportAdvice(`file://${text}`, join(home, 'score.ts')) !== ''));
  assertLinear(
    'a specifier',
    100_000,
    (size) => 'a'.repeat(size),
    (specifier) => adviceOnMissing(specifier, script),
  );
});
