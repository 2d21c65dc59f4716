import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Where memory cgroups are made: version 2, or the controller's own hierarchy of version 1. */
const V2 = '/sys/fs/cgroup/cgroup.controllers';
const V1 = '/sys/fs/cgroup/memory';
const ROOT = existsSync(V2) ? '/sys/fs/cgroup' : V1;
const LIMIT = existsSync(V2) ? 'memory.max' : 'memory.limit_in_bytes';

/** Why a test that needs a memory cgroup cannot run here; false: it can. */
export const noCgroup: string | false = usable() ? false : 'needs root and a memory cgroup that can be written';

function usable(): boolean {
  const folder = `${ROOT}/scoring-server-probe-${process.pid}`;
  try {
    mkdirSync(folder);
    const found = existsSync(`${folder}/${LIMIT}`);
    rmdirSync(folder);
    return found;
  } catch {
    return false;
  }
}

/**
 * Runs `test` with a cgroup of so much memory.
 * @param test gets the prelude that a server starts with to join it
 */
export async function withMemory(bytes: number, test: (prelude: string) => Promise<void>): Promise<void> {
  const folder = `${ROOT}/scoring-server-${process.pid}-${Math.random().toString(36).slice(2)}`;
  mkdirSync(folder);
  try {
    writeFileSync(`${folder}/${LIMIT}`, String(bytes));
    await test(`echo $$ > ${folder}/cgroup.procs`);
  } finally {
    await remove(folder);
  }
}

/** A cgroup is busy until the kernel has buried its last process. */
async function remove(folder: string): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      rmdirSync(folder);
      return;
    } catch (thrown) {
      if (left === 0) throw thrown;
      await delay(100);
    }
  }
}
