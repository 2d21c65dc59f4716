import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

export function init() {}

/** Says in a file that it runs, and answers once there is another; anything else is answered at once. */
export async function run(folder: unknown) {
  if (typeof folder !== 'string' || folder === '') return process.pid;
  writeFileSync(`${folder}/running`, '');
  while (!existsSync(`${folder}/released`)) await setTimeout(5);
  return process.pid;
}
