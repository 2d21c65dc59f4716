/** Programs beside the subjects: load generators, pip. All of them end with the bench. */

import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { killTree } from './processes.ts';

const active = new Set<ChildProcess>();

/** For when the bench itself is stopped. */
export function killChildren(): void {
  for (const { pid } of active) if (pid !== undefined) killTree(pid);
}

export async function stopChildren(): Promise<void> {
  const gone = [...active].map((child) => once(child, 'close'));
  killChildren();
  await Promise.all(gone);
}

/** Runs a program; answers what it prints. */
export function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env, maxBuffer: 2 ** 26 }, (error, stdout) => {
      active.delete(child);
      if (error) reject(error);
      else resolve(stdout);
    });
    active.add(child);
  });
}
