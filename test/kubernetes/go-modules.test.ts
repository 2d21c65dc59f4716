import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
import { goCommand } from './go-modules.ts';

/** A program that says that it is this version of Go. */
function go(version: string): string {
  const file = join(folder(), 'go');
  writeFileSync(file, `#!/bin/sh\necho go version go${version} linux/amd64\n`);
  chmodSync(file, 0o755);
  return file;
}

test('a Go that is too old is passed over for a newer one', () => {
  const [, wanted = ''] = /^go (\d+\.\d+)/m.exec(readFileSync(new URL('tools/go.mod', import.meta.url), 'utf8')) ?? [];
  const fit = go(wanted);
  assert.equal(goCommand([go('1.19.8'), fit, go('1.30.1')]), fit);
  assert.throws(() => goCommand([go('1.19.8'), '/nowhere/go']), /expected Go 1\.24 or newer .*, found \S+\/go 1\.19$/);
  assert.throws(() => goCommand(['/nowhere/go']), /found none$/);
});
