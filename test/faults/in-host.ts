import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder for one test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'faults-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Variables of a server that runs code in its host before it starts, and neither in its workers nor in its threads. */
export function inHost(t: TestContext, code: string): Record<string, string> {
  const file = join(folder(t), 'fault.mjs');
  const isHost = "isMainThread && process.argv[1]?.endsWith('server/main.ts')";
  writeFileSync(file, `import { isMainThread } from 'node:worker_threads';\nif (${isHost}) {\n${code}\n}\n`);
  return { NODE_OPTIONS: `--import=${file}` };
}
