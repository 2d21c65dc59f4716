import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { withContainer, type Container, type RunOptions } from '../container.ts';
import { buildUserImage, writeFiles, type Images } from '../images.ts';
import { DOES, HOST_NAMES, PICKLE } from './python-scripts.ts';
import { SAMPLE, SAMPLE_ANSWER } from './sample.ts';
import { slowness, STARTS } from './slowness.ts';

const ENVIRONMENT = '/opt/python-env';
/**
 * Milliseconds from the start of the container's process, on the project's build machines of two
 * cores.
 */
const READY_LIMIT_MS = 1200;
const SIGKILL = 9;

/** Entry scripts in Python: in images of a user, in mounted folders, and where they cannot run. */
export function checkPython(images: Images): void {
  const { engine, cpu, cpuPython, gpuPython } = images;
  /** Mounts a folder with these files as the application's. */
  const mounted = (name: string, files: Readonly<Record<string, string>>): string[] => {
    const folder = join(engine.folder, name);
    writeFiles(folder, files);
    return ['-v', `${folder}:/var/azureml-app:ro`];
  };
  const does = (): string[] => mounted('does', { 'score.py': DOES });
  const refused = (image: string, options: RunOptions, says: RegExp): Promise<void> =>
    withContainer(engine, image, options, async (container) => {
      assert.equal(await container.exited(), 3);
      assert.match(await container.logs(), says);
    });

  for (const [kind, image] of [
    ['cpu', cpuPython],
    ['gpu', gpuPython],
  ] as const)
    test(`${kind}-python: three lines install what requirements.txt names, and the script is served`, async () => {
      const user = await buildUserImage(images, `host-names-${kind}`, {
        Dockerfile: `FROM ${await withPipOfThisMachine(images, image)}
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY score.py model.pkl ./
`,
        'requirements.txt': 'idna==3.10\n',
        'score.py': HOST_NAMES,
        'model.pkl': PICKLE,
      });
      await withContainer(engine, user, { env: { EXECUTION_PROVIDER: 'cpu' } }, async (container) => {
        await container.ready();
        await checkHostNames(container);
        assert.equal(await container.exec('sh', '-c', `stat -c %u ${ENVIRONMENT}/lib/python3*/site-packages/idna`), '1000');
        assert.equal((await container.stop()).code, 0);
      });
    });

  test('the example in Python: scikit-learn comes from the index, the model from a pickle', async () => {
    const image = await buildUserImage(images, 'python', join(images.context, 'docker/examples/python'), { BASE_IMAGE: cpuPython });
    await withContainer(engine, image, {}, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), [5430.9]);
      assert.ok((await container.lines()).some(({ msg }) => msg === 'scoring 1 rows'));
      assert.doesNotMatch(await container.logs(), /"level":"(?:warn|error)"/);
    });
  });

  test('without a script, an image with Python serves the sample, and is healthy', () =>
    withContainer(engine, cpuPython, {}, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
      while ((await container.inspect('{{.State.Health.Status}}')) !== 'healthy') await delay(100);
    }));

  test('a script in Python runs as 1000 or as any uid, on a read-only root, and with a read-only /tmp', async () => {
    for (const [flags, uid] of [
      [[], 1000],
      [['--user', '0:0'], 0],
      [['--user', '4321:4321'], 4321],
      [['--user', '1234567890:0', '--tmpfs', '/tmp:ro'], 1234567890],
    ] as const)
      await withContainer(engine, cpuPython, { flags: [...does(), ...flags], env: { DRAIN_DELAY_MS: '0' } }, async (container) => {
        await container.ready();
        assert.deepEqual(await container.score(['describe', 0]), { prefix: ENVIRONMENT, uid });
        assert.equal((await container.stop()).code, 0);
      });
  });

  test('SIGTERM drains a script in Python: a request in flight is answered, and the container ends with 0', () =>
    withContainer(engine, cpuPython, { flags: does() }, async (container) => {
      await container.ready();
      const answer = container.score(['sleep', 3]);
      await container.answers('/health/live');
      const { code } = await container.stop();
      assert.equal(await answer, 3);
      assert.equal(code, 0);
    }));

  test('a worker that is killed is replaced, and neither it nor its child stays as a zombie', () =>
    withContainer(engine, cpuPython, { flags: does() }, async (container) => {
      await container.ready();
      assert.equal((await container.post(['kill', SIGKILL])).status, 503);
      await container.ready();
      assert.equal(await container.score(['answer', 1]), 1);
      const states = 'cat /proc/[0-9]*/status 2>/dev/null | grep -c ^State:.Z || true';
      while ((await container.exec('sh', '-c', states)) !== '0') await delay(50);
      const children = await container.exec('sh', '-c', 'cat /proc/[0-9]*/comm 2>/dev/null | grep -c ^sleep');
      assert.equal(children, '1', 'the child of the worker that was killed has ended with it');
    }));

  test('the container and its HEALTHCHECK run no program of the environment but python3', async () => {
    const programs = ['node', 'sh', 'bash', 'grep', 'readlink'];
    const image = await buildUserImage(images, 'own-programs', {
      Dockerfile: `FROM ${cpuPython}\nCOPY --chmod=755 ${programs.join(' ')} ${ENVIRONMENT}/bin/\nCOPY score.py ./\n`,
      ...Object.fromEntries(programs.map((name) => [name, '#!/bin/false\n'])),
      'score.py': DOES,
    });
    await withContainer(engine, image, {}, async (container) => {
      await container.ready();
      assert.equal(await container.score(['answer', 1]), 1);
      await container.exec('/opt/scoring-server/docker/health.sh');
    });
  });

  test("an environment with an interpreter of its own, as conda's, is mounted beside the script or named", async () => {
    const folder = join(engine.folder, 'conda');
    writeFiles(folder, { 'app/score.py': DOES, 'app/env/.keep': '', 'env/conda-meta/history': '' });
    const fill = 'cd /made && mkdir bin lib && cp -L /usr/bin/python3 bin/python && cp -r /usr/lib/python3.* lib';
    await engine.once('--user', '0', '-v', `${folder}/env:/made`, '--entrypoint', 'sh', cpuPython, '-c', fill);
    const app = ['-v', `${folder}/app:/var/azureml-app:ro`];
    for (const [place, env] of [
      ['/var/azureml-app/env', {}],
      ['/conda/env', { AZUREML_CONDA_ENVIRONMENT_PATH: '/conda/env' }],
    ] as const)
      await withContainer(engine, cpuPython, { flags: [...app, '-v', `${folder}/env:${place}:ro`], env }, async (container) => {
        await container.ready();
        assert.deepEqual(await container.score(['describe', 0]), { prefix: place, uid: 1000 });
      });
  });

  test('an environment beside the script that was made elsewhere ends with 3, and says how to mend it', async () => {
    const home = '/home/me/.pyenv/versions/3.12.1/bin';
    const flags = mounted('elsewhere', { 'score.py': DOES, '.venv/pyvenv.cfg': `home = ${home}\nversion = 3.12.1\n` });
    mkdirSync(join(engine.folder, 'elsewhere/.venv/bin'));
    symlinkSync(`${home}/python3`, join(engine.folder, 'elsewhere/.venv/bin/python'));
    await refused(cpuPython, { flags }, /\/var\/azureml-app\/\.venv .*3\.12\.1\/bin\/python3, which does not exist here.*\.dockerignore/);
  });

  test('a script in Python that is broken ends with 3, and the log has the reason', async () => {
    const broken = (name: string, script: string): RunOptions => ({ flags: mounted(name, { 'score.py': script }) });
    await refused(cpuPython, broken('no-syntax', 'def init(:\n'), /SyntaxError/);
    await refused(cpuPython, broken('no-package', 'import pandas\n'), /No module named 'pandas'/);
    await refused(
      cpuPython,
      broken('no-init', 'def init():\n    raise ValueError("no such model")\n\n\ndef run(raw_data):\n    pass\n'),
      /no such model/,
    );
  });

  test('the image without Python refuses a script in Python with 3, and names the image that runs it', async () => {
    await refused(cpu, { flags: does() }, /score\.py needs Python 3\.10 or later.*scoring-server:cpu-python/);
  });

  test('a start with a script in Python is warm', async (t) => {
    const limit = slowness() * READY_LIMIT_MS;
    const times: number[] = [];
    while (times.length < STARTS.min || (times.length < STARTS.max && Math.min(...times) > limit))
      await withContainer(engine, cpuPython, { flags: does() }, async (container) => {
        await container.ready();
        times.push(Date.now() - Date.parse(await container.inspect('{{.State.StartedAt}}')));
      });
    t.diagnostic(`ready after ${times.join(', ')} ms`);
    assert.ok(Math.min(...times) <= limit, `expected ${limit} ms at best, got ${times.join(', ')} ms`);
  });
}

/** Answers, ids, statuses and lines of the log of the script. */
async function checkHostNames(container: Container): Promise<void> {
  assert.deepEqual(await container.score({ host: 'bücher.example' }), { host: 'www.xn--bcher-kva.example' });
  const ids = { 'x-request-id': 'of-a-proxy', 'x-ms-client-request-id': 'of-the-client' };
  const refused = await container.post({ host: '-' }, ids);
  assert.equal(refused.status, 400);
  assert.match(JSON.stringify(await refused.json()), /^\{"refused":/);
  for (const [name, id] of Object.entries(ids)) assert.equal(refused.headers.get(name), id);
  assert.doesNotMatch(await container.logs(), /"level":"(?:warn|error)"/);
  assert.equal((await container.post({ other: 1 })).status, 500);
  const lines = await container.lines();
  assert.ok(lines.some(({ msg }) => msg === 'init prints'));
  assert.ok(lines.some(({ msg, requestId }) => msg === 'run prints' && requestId === 'of-a-proxy'));
}

/**
 * The image with the settings of pip that this machine needs. Why: three lines have no secrets. The
 * example has them.
 */
async function withPipOfThisMachine(images: Images, image: string): Promise<string> {
  const { folder } = images.engine;
  const certificate = join(folder, 'ca.pem');
  const trusted = existsSync(certificate);
  const settings = readFileSync(join(folder, 'pip.conf'), 'utf8');
  return buildUserImage(images, `with-pip-${image.split(':').at(-1)}`, {
    Dockerfile: `FROM ${image}\nCOPY pip.conf ca.pem* /etc/pip/\nENV PIP_CONFIG_FILE=/etc/pip/pip.conf\n`,
    'pip.conf': `${settings}${trusted ? 'cert = /etc/pip/ca.pem\n' : ''}`,
    ...(trusted && { 'ca.pem': readFileSync(certificate) }),
  });
}
