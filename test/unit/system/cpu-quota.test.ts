import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { availableCpus, threadsPerWorker } from '../../../server/system/cpu-quota.ts';

test('the quota of cgroup v2 or v1 bounds what the scheduler offers', (t) => {
  const cases: [files: Record<string, string>, cpus: number][] = [
    [{}, 8],
    [{ 'cpu.max': 'max 100000\n' }, 8],
    [{ 'cpu.max': '200000 100000\n' }, 2],
    [{ 'cpu.max': '150000 100000' }, 2],
    [{ 'cpu.max': '50000 100000' }, 1],
    [{ 'cpu.max': '6400000 100000' }, 8],
    [{ 'cpu/cpu.cfs_quota_us': '-1', 'cpu/cpu.cfs_period_us': '100000' }, 8],
    [{ 'cpu/cpu.cfs_quota_us': '300000', 'cpu/cpu.cfs_period_us': '100000' }, 3],
    [{ 'cpu,cpuacct/cpu.cfs_quota_us': '25000', 'cpu,cpuacct/cpu.cfs_period_us': '100000' }, 1],
    [{ 'cpu.max': 'nonsense' }, 8],
  ];
  for (const [files, cpus] of cases) {
    const root = mkdtempSync(join(tmpdir(), 'cgroup-'));
    t.after(() => rmSync(root, { recursive: true }));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(root, file, '..'), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    assert.equal(availableCpus(8, root), cpus, JSON.stringify(files));
  }
});

test('workers share the CPUs, each with at least one thread', () =>
  assert.deepEqual([threadsPerWorker(8, 2), threadsPerWorker(8, 3), threadsPerWorker(2, 5)], [4, 2, 1]));
