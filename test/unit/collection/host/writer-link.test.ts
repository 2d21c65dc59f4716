import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { WriterLink } from '../../../../server/collection/host/writer-link.ts';
import { settings } from '../../../collection/start-writer.ts';

function open(own: Partial<typeof settings> = {}): { readonly link: WriterLink; readonly errors: string[] } {
  const errors: string[] = [];
  const nothing = (): void => undefined;
  const log = { info: nothing, warn: nothing, error: (text: string) => void errors.push(text) };
  const link = new WriterLink({ ...settings, sink: { kind: 'stdout' }, ...own }, 'test/1', {
    log,
    print: nothing,
    progress: nothing,
    recycle: nothing,
    lost: nothing,
  });
  return { link, errors };
}

test('a writer that has nothing to do ends at once', async () => {
  const { link, errors } = open();
  assert.equal(await link.close(60_000), true);
  assert.deepEqual(errors, []);
});

test('a writer that is stuck in a file system is given up within its limit and two seconds, and is told so', async () => {
  const root = mkdtempSync(join(tmpdir(), 'writer-link-'));
  const fifo = join(root, 'left-by-another/owner.json');
  mkdirSync(join(root, 'left-by-another'));
  execFileSync('mkfifo', [fifo]);
  const { link, errors } = open({ spillDir: root });
  const began = performance.now();
  assert.equal(await link.close(100), false);
  assert.ok(performance.now() - began < 10_000);
  assert.match(errors.join(), /does not end: its folder or volume does not answer/);
  // Lets the thread go.
  writeFileSync(fifo, '{}');
  rmSync(root, { recursive: true });
});
