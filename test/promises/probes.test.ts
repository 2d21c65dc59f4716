import assert from 'node:assert/strict';
import test from 'node:test';
import { inHost } from '../faults/in-host.ts';
import { compare, quietServer } from './beside.ts';
import type { LoadName } from './loads.ts';

interface Case {
  readonly script: string;
  readonly env?: Record<string, string>;
  /** What the generator must have met, or the load was none. */
  readonly met: readonly RegExp[];
}

const cases: Partial<Record<LoadName, Case>> = {
  saturation: { script: 'works.ts', met: [/^200$/, /^429$/] },
  uploads: { script: 'counts-bytes.ts', met: [/^large 200$/, /^tiny chunks$/, /^slow$/] },
  floods: { script: 'floods.ts', met: [/^console 200$/, /^childLines 200$/, /^line 200$/] },
  scrapes: { script: 'echo.ts', met: [/^200$/] },
  broken: { script: 'echo.ts', met: [/^half a request$/, /^a reset inside a body$/, /^answers that nobody reads$/] },
};

for (const [load, { script, env = {}, met }] of Object.entries(cases) as [LoadName, Case][])
  test(`probes are true and quick beside an idle server's: ${load}`, async (t) => {
    const [loaded, idle] = await Promise.all([quietServer(t, script, { env }), quietServer(t, script, { env })]);
    const { counts, holds, text } = await compare(t, load, loaded, idle);
    const names = Object.keys(counts);
    for (const name of met)
      assert.ok(
        names.some((each) => name.test(each)),
        `${String(name)}: ${text}`,
      );
    assert.ok(holds, text);
  });

/** A fault of the host: it answers nobody for 20 ms, 20 times a second. */
const BLOCKS = `
  setInterval(() => {
    for (const ends = performance.now() + 20; performance.now() < ends;);
  }, 50).unref();`;

test('the measurement of probes finds a host that blocks for 20 ms', async (t) => {
  const [loaded, idle] = await Promise.all([quietServer(t, 'echo.ts', { env: inHost(BLOCKS) }), quietServer(t, 'echo.ts')]);
  const { holds, text } = await compare(t, 'scrapes', loaded, idle);
  assert.ok(!holds, text);
});
