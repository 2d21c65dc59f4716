import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { withContainer, type RunOptions } from '../container.ts';
import { writeFiles, type Images } from '../images.ts';
import { SAMPLE, SAMPLE_ANSWER } from './sample.ts';
import { slowness, STARTS } from './slowness.ts';

/**
 * Milliseconds from the start of the container's process, on the project's build machines of two
 * cores.
 */
const LIMITS = { live: 600, ready: 1000 };
/** Drain delay, a request, the end of the workers, and a slow machine. */
const LONGEST_STOP_MS = 30_000;
const LONGEST_CHECK_MS = 15_000;
/** Answers the number of milliseconds that it is given, after that time. */
const SLOW = `export const init = () => console.log('init runs');
export const run = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms));
`;

/** Start, health and end of a container. */
export function checkLifecycle({ engine, cpu }: Images): void {
  const slow = (): RunOptions => {
    const folder = join(engine.folder, 'slow');
    writeFiles(folder, { 'score.ts': SLOW });
    return { flags: ['-v', `${folder}:/var/azureml-app:ro`] };
  };

  test('SIGTERM drains: a request in flight is answered, and the container ends with 0', () =>
    withContainer(engine, cpu, slow(), async (container) => {
      await container.ready();
      const answer = container.score(3000);
      await container.answers('/health/live');
      const { code, ms } = await container.stop();
      assert.equal(await answer, 3000);
      assert.equal(code, 0);
      assert.ok(ms < LONGEST_STOP_MS, `${ms} ms`);
      assert.ok((await container.lines()).some(({ msg }) => msg === 'drained'));
    }));

  test('SIGTERM ends the container with 0, whenever it comes in its first half second', async () => {
    for (const wait of [0, 20, 50, 100, 200, 300, 500]) {
      await withContainer(engine, cpu, {}, async (container) => {
        await delay(wait);
        const { code, ms } = await container.stop();
        assert.equal(code, 0, `after ${wait} ms`);
        assert.ok(ms < LONGEST_STOP_MS, `${ms} ms after ${wait} ms`);
      });
    }
  });

  test('PID 1 buries what loses its parent', () =>
    withContainer(engine, cpu, {}, async (container) => {
      await container.ready();
      const pid = await container.exec('sh', '-c', 'sleep 3 >/dev/null 2>&1 & echo $!');
      assert.match(await container.exec('cat', `/proc/${pid}/status`), /^PPid:\s1$/m);
      while ((await container.exec('sh', '-c', `cat /proc/${pid}/status 2>/dev/null || true`)) !== '') await delay(50);
    }));

  test('HEALTHCHECK finds the server whatever port it has and whoever it runs as', async () => {
    for (const options of [
      { port: false, env: { SCORING_HOST: '0.0.0.0' } },
      { flags: ['--user', '4321:0'] },
      { port: false, args: ['--port', '5017', '--grpc-port', '5018'] },
    ] as const) {
      await withContainer(engine, cpu, options, async (container) => {
        while ((await container.inspect('{{.State.Health.Status}}')) !== 'healthy') await delay(100);
        const began = performance.now();
        await container.exec('/opt/scoring-server/docker/health.sh');
        assert.ok(performance.now() - began < LONGEST_CHECK_MS);
      });
    }
  });

  test('HEALTHCHECK says no until init() has ended', async () => {
    const folder = join(engine.folder, 'never');
    writeFiles(folder, {
      'score.ts': 'export const init = () => new Promise(() => setInterval(() => {}, 1000));\nexport const run = () => 1;\n',
    });
    await withContainer(engine, cpu, { flags: ['-v', `${folder}:/var/azureml-app:ro`] }, async (container) => {
      await container.answers('/health/live');
      await assert.rejects(container.exec('/opt/scoring-server/docker/health.sh'), /no process of this container answers GET \/ with 200/);
      assert.equal((await container.stop()).code, 0);
    });
  });

  test('a start compiles nothing anew: every module comes from the compile cache, for any uid', async () => {
    for (const user of ['1000:1000', '4321:0']) {
      const options = { flags: ['--user', user], env: { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' } };
      await withContainer(engine, cpu, options, async (container) => {
        await container.ready();
        await container.score(SAMPLE);
        assert.equal((await container.stop()).code, 0);
        const said = (await container.logs())
          .split('\n')
          .filter((line) => line.includes('[compile cache]') && line.includes('/opt/scoring-server/'));
        const code = said.filter((line) => line.includes('V8 code cache for'));
        assert.ok(code.length > 300, `${code.length} modules`);
        assert.deepEqual(
          code.filter((line) => !line.includes('was accepted')),
          [],
        );
        assert.ok(
          code.some((line) => line.includes('server/worker/main.ts')),
          'the worker uses the cache, too',
        );
      });
    }
  });

  test('a start is warm: the first answer of the liveness probe, and ready with the sample', async (t) => {
    const slower = slowness();
    const times: { live: number; ready: number }[] = [];
    const best = (key: 'live' | 'ready'): number => Math.min(...times.map((time) => time[key]));
    const kept = (): boolean => best('live') <= slower * LIMITS.live && best('ready') <= slower * LIMITS.ready;
    while (times.length < STARTS.min || (times.length < STARTS.max && !kept())) {
      await withContainer(engine, cpu, {}, async (container) => {
        await container.answers('/health/live');
        const live = Date.now();
        await container.ready();
        const ready = Date.now();
        const began = Date.parse(await container.inspect('{{.State.StartedAt}}'));
        times.push({ live: live - began, ready: ready - began });
      });
    }
    t.diagnostic(`live after ${times.map(({ live }) => live).join(', ')} ms, ready after ${times.map(({ ready }) => ready).join(', ')} ms`);
    assert.ok(kept(), `expected ${JSON.stringify(LIMITS)} at best, times ${slower.toFixed(2)} for this machine`);
  });

  test('a container that was stopped starts again', () =>
    withContainer(engine, cpu, {}, async (container) => {
      await container.ready();
      assert.equal((await container.stop()).code, 0);
      await engine.docker('start', container.id);
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
    }));
}
