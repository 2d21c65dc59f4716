import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { WriterLink } from '../../../../server/collection/host/writer-link.ts';
import { settings } from '../../../collection/start-writer.ts';
import { until } from '../../../set-up/until.ts';

function open(own: Partial<typeof settings> = {}): { readonly link: WriterLink; readonly errors: string[] } {
  const errors: string[] = [];
  const nothing = (): void => undefined;
  const log = { info: nothing, warn: nothing, error: (text: string) => void errors.push(text) };
  const link = new WriterLink(
    { ...settings, sink: { kind: 'stdout' }, ...own },
    'test/1',
    {},
    {
      log,
      stdout: { write: nothing, deliver: () => nothing },
      found: nothing,
      progress: nothing,
      recycle: nothing,
      lost: nothing,
    },
  );
  return { link, errors };
}

test('a writer that has nothing to do ends at once', async () => {
  const { link, errors } = open();
  assert.equal(await link.close(60_000), true);
  assert.deepEqual(errors, []);
});

/** The writing end of a FIFO; undefined if nothing reads it yet. */
function writingEnd(fifo: string): number | undefined {
  try {
    return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

test('a writer that is stuck in a file system is abandoned within its limit and two seconds, and the log has it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'writer-link-'));
  const fifo = join(root, 'left-by-another/owner.json');
  mkdirSync(join(root, 'left-by-another'));
  execFileSync('mkfifo', [fifo]);
  const { link, errors } = open({ spillDir: root });
  let fd: number | undefined;
  await until(() => (fd = writingEnd(fifo)) !== undefined);
  const began = performance.now();
  assert.equal(await link.close(100), false);
  assert.ok(performance.now() - began < 10_000);
  assert.match(errors.join(), /does not end: its folder or volume does not answer/);
  // Ends the read, and so the thread.
  writeSync(fd!, '{}');
  closeSync(fd!);
  rmSync(root, { recursive: true });
});
