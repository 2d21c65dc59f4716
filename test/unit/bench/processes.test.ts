import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePss, parseStat, type ProcessStat, selectTree } from '../../../bench/processes.ts';

test('fields of /proc/PID/stat are found behind any name', () => {
  const text = '4321 (a) b (c) S 4000 4321 4300 0 -1 4194560 900 80 7 6 150 50 30 20 20 0 11 0 12345 1 2 3\n';
  assert.deepEqual(parseStat(text), { pid: 4321, parent: 4000, session: 4300, cpuMicroseconds: 2_500_000 });
});

test('the proportional set size is in kB, and 0 where the process has gone', () => {
  assert.equal(parsePss('Rss:  900 kB\nPss:                 123 kB\nPss_Dirty:  7 kB\n'), 123 * 1024);
  assert.equal(parsePss(''), 0);
});

test('a tree is what descends from its root, and what is left in its session', () => {
  const stat = (pid: number, parent: number, session: number): ProcessStat => ({ pid, parent, session, cpuMicroseconds: 0 });
  const all = [
    stat(1, 0, 1),
    stat(13, 12, 50), // has a session of its own, below a grandchild that is listed later
    stat(10, 1, 10),
    stat(11, 10, 10),
    stat(12, 11, 10),
    stat(14, 1, 10), // its parent has gone
    stat(20, 1, 20),
    stat(21, 20, 20),
  ];
  assert.deepEqual(
    selectTree(10, all).map(({ pid }) => pid),
    [13, 10, 11, 12, 14],
  );
  assert.deepEqual(selectTree(99, all), []);
});
