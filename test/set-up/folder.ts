import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'scoring-server-test-'));
// Not after each test: a server that a failed test leaves behind may still write.
process.once('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 10 }));

/** An empty folder that goes with the test file. */
export function folder(): string {
  return mkdtempSync(join(root, 'folder-'));
}
