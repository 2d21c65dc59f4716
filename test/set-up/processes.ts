import { readdirSync, readFileSync } from 'node:fs';

/** Why a test that reads /proc cannot run here; false: it can. */
export const noProc: string | false = process.platform === 'linux' ? false : 'needs /proc';

/** False for a process that has ended, even where its parent has not collected it yet. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false;
  } catch {
    return false;
  }
}

/** Megabytes that a process holds (`VmRSS`), or has held at most (`VmHWM`). */
export function memory(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Names of the threads of a process. */
export function threads(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).map((id) => readFileSync(`${folder}/${id}/comm`, 'utf8').trim());
}
