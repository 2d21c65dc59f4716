import assert from 'node:assert/strict';
import test from 'node:test';
import { type StartOptions, withServer } from '../e2e/start-server.ts';
import { inHost } from '../faults/in-host.ts';
import { folder } from '../set-up/folder.ts';
import { whyNoPython } from '../set-up/python.ts';
import { makePair } from '../set-up/tls-files.ts';
import { bareServer, compare, quietServer } from './beside.ts';
import { CHUNKS_BARE_SHARE, CHUNKS_P99_MS, TRUTH_MS, UPLOADS_P99_MS } from './limits.ts';
import type { LoadMessage } from './load-process.ts';
import type { LoadName } from './loads.ts';
import { goFirst, Program } from './program.ts';

interface Case {
  readonly what: string;
  readonly load: LoadName;
  readonly script: string;
  /** What the generator must have met, or there was no load. */
  readonly met: readonly RegExp[];
  readonly limitMs?: number;
  /** The limit as a share of a bare server's, where the machine is slower. */
  readonly bareShare?: number;
  readonly tls?: true;
}

const cases: readonly Case[] = [
  { what: 'more requests than workers and queue take', load: 'saturation', script: 'works.ts', met: [/^200$/, /^429$/] },
  { what: 'runs of a script in Python that hold the GIL', load: 'spins', script: '../python/scripts/spins.py', met: [/^200$/] },
  {
    what: 'large uploads and slow ones',
    load: 'uploads',
    script: 'counts-bytes.ts',
    met: [/^large 200$/, /^slow$/],
    limitMs: UPLOADS_P99_MS,
  },
  {
    what: 'uploads in chunks of one byte',
    load: 'chunks',
    script: 'counts-bytes.ts',
    met: [/^200$/],
    limitMs: CHUNKS_P99_MS,
    bareShare: CHUNKS_BARE_SHARE,
  },
  { what: 'log floods of a script', load: 'floods', script: 'floods.ts', met: [/^console 200$/, /^childLines 200$/, /^line 200$/] },
  { what: 'scrapes of /metrics', load: 'scrapes', script: 'echo.ts', met: [/^200$/] },
  { what: 'handshakes of TLS', load: 'handshakes', script: 'echo.ts', met: [/^handshake$/], tls: true },
  { what: 'broken clients', load: 'broken', script: 'echo.ts', met: [/^half a request$/, /^a reset inside a body$/, /^two lengths$/] },
];

for (const { what, load, script, met, limitMs, bareShare, tls } of cases)
  test(`probes are true and quick beside ${what}`, { skip: script.endsWith('.py') && (whyNoPython() ?? false) }, async (t) => {
    const { certificate = '', key = '' } = tls === true ? makePair(folder(), 'server') : {};
    const env: Record<string, string> = tls === true ? { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key } : {};
    const [loaded, idle] = await Promise.all([quietServer(t, script, { env }), quietServer(t, script, { env })]);
    const { counts, holds, text, best } = await compare(t, load, loaded, idle, limitMs);
    const names = Object.keys(counts);
    const missed = met.filter((each) => !names.some((name) => each.test(name)));
    assert.deepEqual(missed, [], `the load was none: ${text}`);
    if (holds || bareShare === undefined) return assert.ok(holds, text);
    // Node's parser decides how long one read takes, and the machine how long the parser does.
    const bare = await compare(t, load, await bareServer(t), idle, limitMs);
    assert.ok(best <= bareShare * bare.best, `${text}; a bare server: ${bare.text}`);
  });

/** A fault of the host: it answers nobody for 20 ms, 20 times a second. */
const BLOCKS = `
  setInterval(() => {
    for (const ends = performance.now() + 20; performance.now() < ends;);
  }, 50).unref();`;

test('the measurement of probes finds a host that blocks for 20 ms', async (t) => {
  const [loaded, idle] = await Promise.all([quietServer(t, 'echo.ts', { env: inHost(BLOCKS) }), quietServer(t, 'echo.ts')]);
  const { holds, text } = await compare(t, 'broken', loaded, idle);
  assert.ok(!holds, text);
});

const QUIET: StartOptions = { env: { ACCESS_LOG: 'false' } };

for (const load of [undefined, 'saturation'] as const)
  test(`readiness reports the loss of the only worker and its replacement, ${load === undefined ? 'at rest' : 'under saturation'}`, (t) =>
    withServer(
      ['--entry-script', 'works.ts'],
      async (server) => {
        await server.ready();
        goFirst(server.pid);
        if (load !== undefined) {
          const generator = new Program('load');
          t.after(() => generator.stop());
          await generator.ask({ start: load, port: await server.port() } satisfies LoadMessage);
        }
        process.kill(server.workers[0]!, 'SIGKILL');
        const killedAt = performance.now();
        while ((await server.status('/health/ready')) !== 503);
        const waitMs = performance.now() - killedAt;
        t.diagnostic(`503 after ${waitMs.toFixed(0)} ms`);
        assert.ok(waitMs < TRUTH_MS, `503 after ${waitMs.toFixed(0)} ms`);
        assert.deepEqual([await server.status('/health/live'), await server.status('/')], [200, 200]);
        while ((await server.status('/health/ready')) !== 200);
        await server.line(() => server.workers.length === 2);
      },
      QUIET,
    ));
