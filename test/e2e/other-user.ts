import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const NOBODY = 65_534;

/** The user as which a server with `asOtherUser` runs. */
export const otherUid = process.getuid?.() === 0 ? NOBODY : process.getuid?.();

/** Permissions do not apply to root, so a server that root's tests start runs as another user. */
export const asOtherUser =
  process.getuid?.() === 0 ? { prelude: `set -- setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups "$@"` } : {};

/** A folder that every user may enter. */
export function sharedFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'shared-'));
  chmodSync(path, 0o755);
  t.after(() => {
    // Only root removes what it may not read.
    execFileSync('chmod', ['-R', 'u+rwX', path]);
    rmSync(path, { recursive: true });
  });
  return path;
}
