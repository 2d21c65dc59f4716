import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { connectionLimit } from '../../server/http/connection-limit.ts';
import { folder } from '../set-up/folder.ts';

test('connections leave descriptors to the host, however many there are', () => {
  const path = folder();
  const file = join(path, 'limits');
  const limitOf = (soft: string): number | undefined => {
    writeFileSync(
      file,
      `Limit   Soft Limit   Hard Limit   Units\nMax open files            ${soft}                20000                files\n`,
    );
    return connectionLimit(file);
  };
  assert.deepEqual(['90', '1024', '1048576', '20', 'unlimited'].map(limitOf), [42, 976, 1_048_528, 16, undefined]);
  assert.equal(connectionLimit(join(path, 'nowhere')), undefined);
});
