import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import test from 'node:test';
import { NvidiaSmi, parseGpus, type GpuReading } from '../../../server/system/nvidia-smi.ts';
import { folder } from '../../set-up/folder.ts';
import { alive } from '../../set-up/processes.ts';
import { until } from '../../set-up/until.ts';

const TWO = '0, 1024, 81559, 37\n1, 0, 81559, 0\n';
const READ: GpuReading[] = [
  { gpu: 0, usedBytes: 2 ** 30, totalBytes: 81559 * 2 ** 20, utilization: 0.37 },
  { gpu: 1, usedBytes: 0, totalBytes: 81559 * 2 ** 20, utilization: 0 },
];

/** A stand-in for the program, which notes its process id and arguments at each run. */
function standIn(script: string): { env: Record<string, string>; runs: () => string[]; left: () => number } {
  const home = folder();
  const notes = join(home, 'runs');
  appendFileSync(notes, '');
  writeFileSync(join(home, 'nvidia-smi'), `#!/bin/sh\necho "$$ $*" >> '${notes}'\n${script}\n`, { mode: 0o755 });
  const runs = (): string[] => readFileSync(notes, 'utf8').split('\n').filter(Boolean);
  const left = (): number => runs().filter((line) => alive(Number.parseInt(line, 10))).length;
  return { env: { PATH: [home, process.env['PATH']].join(delimiter) }, runs, left };
}
const TIMES = { pauseMs: 20, limitMs: 300, retryMs: 20 };

test('a reading has bytes and shares; the program is asked for them by name', async () => {
  const { env, runs } = standIn(`printf '${TWO.replaceAll('\n', '\\n')}'`);
  const smi = new NvidiaSmi(env, { ...TIMES, pauseMs: 60_000 });
  assert.deepEqual(smi.read(), [], 'the first question waits for no child');
  await until(() => smi.read().length > 0);
  assert.deepEqual(smi.read(), READ);
  assert.equal(runs().length, 1, 'many questions are one run');
  assert.match(runs()[0]!, / --query-gpu=index,memory.used,memory.total,utilization.gpu --format=csv,noheader,nounits$/);
});

test('it runs again while it is asked, and not once it is asked no more', async () => {
  const { env, runs } = standIn(`printf '0, 1, 2, 3\\n'`);
  const smi = new NvidiaSmi(env, { ...TIMES, lastingMs: 200 });
  await until(() => smi.read().length > 0 && runs().length >= 3);
  // Not asked: the runs end, and what they read is not shown later.
  let before = -1;
  await until(async () => {
    if (before === runs().length) return true;
    before = runs().length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return false;
  });
  assert.deepEqual(smi.read(), []);
  await until(() => smi.read().length > 0);
});

for (const [what, script] of [
  ['fails', 'exit 9'],
  ['prints garbage', 'head -c 4000 /dev/urandom'],
  ['prints a message', "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'"],
  ['prints a line without end', "exec yes '0, 1, 2, 3'"],
  ['prints tables without end', "exec yes ''"],
  ['fails after a table', `printf '0, 1, 2, 3\\n'; exit 1`],
] as const)
  test(`a program that ${what} has no readings, and is tried again`, async () => {
    const { env, runs } = standIn(script);
    const smi = new NvidiaSmi(env, TIMES);
    await until(() => {
      assert.deepEqual(smi.read(), []);
      return runs().length >= 3;
    });
  });

test('a program that hangs is killed at its limit, and no second one runs beside it', async () => {
  const { env, runs, left } = standIn('exec sleep 60');
  const smi = new NvidiaSmi(env, TIMES);
  await until(() => {
    assert.deepEqual(smi.read(), []);
    assert.ok(left() <= 1);
    return runs().length >= 3;
  });
  await until(() => left() === 0);
});

test('a reading is not shown for long where no other follows', async () => {
  const { env } = standIn(`printf '0, 1, 2, 3\\n'`);
  const smi = new NvidiaSmi(env, { ...TIMES, pauseMs: 2000, freshMs: 200 });
  await until(() => smi.read().length > 0);
  await until(() => smi.read().length === 0);
});

test('a program that is not there is no error', async () => {
  const smi = new NvidiaSmi({ PATH: folder() }, TIMES);
  const asked = performance.now();
  await until(() => {
    assert.deepEqual(smi.read(), []);
    return performance.now() - asked > 100;
  });
});

test('a child that cannot be started is no error of the scrape', () => {
  // Node refuses such a value.
  const smi = new NvidiaSmi({ PATH: 'a\0b' }, TIMES);
  assert.deepEqual([smi.read(), smi.read()], [[], []]);
});

test('numbers that the driver does not have are left out, and so are lines of another form', () => {
  assert.deepEqual(parseGpus('0, [N/A], 40960, [Not Supported]\n'), [
    { gpu: 0, usedBytes: undefined, totalBytes: 40960 * 2 ** 20, utilization: undefined },
  ]);
  for (const line of [
    '',
    'x, 1, 2, 3',
    '-1, 1, 2, 3',
    '0, 1, 2',
    '0, 1, 2, 3, 4',
    '0; 1; 2; 3',
    '1e3, 1, 2, 3',
    '0, 1e99, 99999999999999999999, -5',
  ])
    assert.deepEqual(parseGpus(line), []);
  assert.equal(parseGpus('0, 1, 2, 3\n'.repeat(10_000)).length, 64);
});
