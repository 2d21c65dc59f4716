import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { withContainer, type Container } from '../container.ts';
import { writeFiles, type Images } from '../images.ts';
import { MODEL, SAMPLE, SAMPLE_ANSWER, SCRIPT } from './sample.ts';

/** What the container may do, and what it can do without. */
export function checkClosed({ engine, cpu }: Images): void {
  test('it runs as 1000 or as any uid, without capabilities, on a read-only root', async () => {
    for (const [flags, uid] of [
      [[], '1000'],
      [['--user', '0:0'], '0'],
      [['--user', '1234567890:0'], '1234567890'],
      [['--user', '4321:4321'], '4321'],
    ] as const) {
      await withContainer(engine, cpu, { flags }, async (container) => {
        await container.ready();
        assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
        const status = await container.exec('cat', '/proc/1/status');
        assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s`, 'm'));
        assert.match(status, /^CapEff:\s+0+$/m);
        assert.match(status, /^CapBnd:\s+0+$/m);
        assert.match(status, /^NoNewPrivs:\s+1$/m);
        assert.match(status, /^Seccomp:\s+2$/m);
        await assert.rejects(container.exec('touch', '/opt/scoring-server/server/new'), /Read-only file system/);
        assert.equal((await container.stop()).code, 0);
      });
    }
  });

  test('started as root, it runs scripts as another user, who reaches neither its process nor its secrets', async () => {
    const folder = join(engine.folder, 'rights');
    writeFiles(folder, { 'score.ts': readFileSync(new URL('../../scripts/attempts.ts', import.meta.url), 'utf8') });
    const added = ['SETUID', 'SETGID', 'KILL'].flatMap((name) => ['--cap-add', name]);
    const flags = ['--user', '0:0', ...added, '-v', `${folder}:/var/azureml-app:ro`];
    for (const [WORKER_USER, WORKER_PERMISSION_MODEL, ids, refused] of [
      ['1000', 'off', '1000,1000,1000', 'EACCES'],
      ['4321:5', 'on', '4321,5,5', 'ERR_ACCESS_DENIED'],
    ] as const)
      await withContainer(engine, cpu, { flags, env: { WORKER_USER, WORKER_PERMISSION_MODEL } }, async (container) => {
        await container.ready();
        const seen = await container.score([
          ['user', ''],
          ['read', '/proc/1/environ'],
          ['write', '/tmp/of-a-script'],
          ['variable', 'MDC_HTTP_HEADERS'],
        ]);
        assert.deepEqual(seen, [ids, refused, 'written', 'absent']);
        assert.equal((await container.stop()).code, 0);
      });
  });

  test('not even /tmp needs to be writable', () =>
    withContainer(engine, cpu, { flags: ['--tmpfs', '/tmp:ro', '--user', '4321:0'] }, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
    }));

  test("the image's user can write to the application's folder and to nothing of the server's, and an arbitrary uid likewise", async () => {
    for (const user of ['1000:1000', '4321:0']) {
      const shell = (command: string): Promise<string> => engine.once('--user', user, '--entrypoint', 'sh', cpu, '-c', command);
      assert.equal(await shell('cd /var/azureml-app && mkdir node_modules && touch node_modules/a && echo done'), 'done');
      assert.equal(await shell('find /opt /usr /etc -xdev -writable ! -type l | head'), '');
    }
  });

  test('ONNX Runtime gets as many threads as the quota has CPUs', async () => {
    const cores = availableParallelism();
    for (const [cpus, threads] of [
      [undefined, cores],
      ['0.5', 1],
      ['1', 1],
      [String(Math.min(2, cores)), Math.min(2, cores)],
    ] as const) {
      const flags = cpus === undefined ? [] : ['--cpus', cpus];
      await withContainer(engine, cpu, { flags }, async (container) =>
        assert.equal(await threadsOf(container), String(threads), `--cpus ${cpus}`),
      );
    }
  });

  test('it serves within 256 MiB, and a script that wants more costs a worker, not the container', async () => {
    const folder = join(engine.folder, 'hungry');
    writeFiles(folder, {
      'model.onnx': MODEL,
      'score.ts': SCRIPT.replace('if (data.length === 0)', 'if (data.length > 1) Buffer.alloc(1e9, 1);\n  if (data.length === 0)'),
    });
    const flags = ['--memory', '256m', '--memory-swap', '256m', '-v', `${folder}:/var/azureml-app:ro`];
    await withContainer(engine, cpu, { flags }, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), { mine: [SAMPLE_ANSWER] });
      const lost = await container.post({ data: [...SAMPLE.data, ...SAMPLE.data] });
      assert.equal(lost.status, 503);
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), { mine: [SAMPLE_ANSWER] });
    });
  });
}

async function threadsOf(container: Container): Promise<string | undefined> {
  await container.ready();
  const metrics = await (await fetch(`http://127.0.0.1:${container.port}/metrics`)).text();
  return /^session_info\{.*intra_op_threads="(\d+)"/m.exec(metrics)?.[1];
}
