/**
 * Load for models that answer a few requests a second. At the end of its time wrk cuts off the
 * requests without an answer. If eight merged rows take half a second, that is a tenth of the
 * requests of five seconds. This generator waits for the last answers, so that the subject is busy
 * for exactly the time that is counted.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, type Shot } from './load.ts';
import type { Load } from './subject.ts';

const SCRIPT = fileURLToPath(new URL('./slow-load-process.ts', import.meta.url));

export async function slowLoad({ url, headers, body, folder, seconds, connections }: Shot): Promise<Load> {
  const content = join(folder, 'body');
  writeFileSync(content, body);
  const args = [SCRIPT, url, JSON.stringify(headers), content, String(seconds), String(connections)];
  return JSON.parse(await generate(url, process.execPath, args)) as Load;
}
