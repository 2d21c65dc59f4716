import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from '../set-up/folder.ts';

/**
 * Variables of a server that runs code in its host before it starts, and neither in its workers nor
 * in its threads.
 */
export function inHost(code: string): Record<string, string> {
  const file = join(folder(), 'fault.mjs');
  const isHost = "isMainThread && process.argv[1]?.endsWith('server/main.ts')";
  writeFileSync(file, `import { isMainThread } from 'node:worker_threads';\nif (${isHost}) {\n${code}\n}\n`);
  return { NODE_OPTIONS: `--import=${file}` };
}
