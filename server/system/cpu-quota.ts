import { readFileSync } from 'node:fs';

/**
 * CPUs that this container may use: the smaller of its cgroup quota (v2 `cpu.max`, v1
 * `cpu.cfs_quota_us`) and the scheduler's number. Why not Node's number, or ONNX Runtime's: they do
 * not see the quota, or not at its whole value (docs/performance.md).
 * @param offered os.availableParallelism()
 * @param root where the cgroup file system is mounted
 */
export function availableCpus(offered: number, root = '/sys/fs/cgroup'): number {
  const quota = quotaV2(`${root}/cpu.max`) ?? quotaV1(`${root}/cpu`) ?? quotaV1(`${root}/cpu,cpuacct`);
  return quota === undefined ? offered : Math.min(offered, Math.max(1, Math.ceil(quota)));
}

/** ONNX Runtime threads of one worker: all workers together use the CPUs once. */
export function threadsPerWorker(cpus: number, workers: number): number {
  return Math.max(1, Math.floor(cpus / workers));
}

function quotaV2(file: string): number | undefined {
  const [quota, period] = read(file).split(/\s+/).map(Number);
  return ratio(quota, period);
}

function quotaV1(folder: string): number | undefined {
  return ratio(Number(read(`${folder}/cpu.cfs_quota_us`)), Number(read(`${folder}/cpu.cfs_period_us`)));
}

/** `max`, -1 and a missing file mean no quota. */
function ratio(quota: number | undefined, period: number | undefined): number | undefined {
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
