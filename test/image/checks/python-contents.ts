import assert from 'node:assert/strict';
import test from 'node:test';
import type { Images } from '../images.ts';

const PYTHON = '/opt/scoring-server/server/python';
const ENVIRONMENT = '/opt/python-env';
/** Megabytes that the target adds on the stand-in base. */
const LIMIT_MB = 90;

/** What the images for scripts in Python have, and who may change it. */
export function checkPythonContents({ engine, cpu, gpu, cpuPython, gpuPython, standIns }: Images): void {
  const both = [cpuPython, gpuPython];
  const shell = (image: string, command: string, user = '0'): Promise<string> =>
    engine.once('--user', user, '--entrypoint', 'sh', image, '-c', command);

  test('CPython is 3.10 or later, with pip and venv, and its environment is the first of PATH', async () => {
    for (const image of both) {
      const version = await shell(image, 'python3 -c "import sys; print(*sys.version_info[:2])"');
      const [major, minor] = version.split(' ').map(Number);
      assert.ok(major === 3 && minor !== undefined && minor >= 10, version);
      assert.equal(
        await shell(image, 'which python python3 pip'),
        ['python', 'python3', 'pip'].map((name) => `${ENVIRONMENT}/bin/${name}`).join('\n'),
      );
      assert.match(await shell(image, 'python3 -m ensurepip --version'), /^pip \d/);
    }
  });

  test('the images without Python have no interpreter', async () => {
    for (const image of [cpu, gpu])
      assert.equal(await shell(image, 'which python python3 pip || ls -d /opt/python-env /usr/lib/python3* 2>/dev/null || true'), '');
  });

  test('the image with Python has nothing to compile with, no package lists and no cache of pip', async () => {
    for (const image of both) {
      assert.equal(await shell(image, 'which gcc cc g++ make || true'), '');
      assert.equal(
        await shell(image, 'ls -A /var/lib/apt/lists /var/cache/apt /tmp; ls -d /root/.cache /home/*/.cache 2>/dev/null || true'),
        '/tmp:\n\n/var/cache/apt:\n\n/var/lib/apt/lists:',
      );
      assert.match(await shell(image, 'cat /opt/scoring-server/debian-packages.txt'), /^python3-venv\t3\.\d/m);
    }
  });

  test("the server's Python files are compiled, for every user, and a start writes none", async () => {
    for (const image of both) {
      const sources = (await shell(image, `cd ${PYTHON} && find . -name '*.py'`)).split('\n');
      const compiled = (await shell(image, `cd ${PYTHON} && find . -name '*.pyc' -perm -004`)).split('\n');
      const expected = sources.map((file) => file.replace(/([^/]+)\.py$/, '__pycache__/$1'));
      assert.deepEqual(compiled.map((file) => file.replace(/\.cpython-\d+\.pyc$/, '')).toSorted(), expected.toSorted());
    }
  });

  test("the image's user and any uid with group 0 may install, and change nothing of the server's", async () => {
    for (const image of both)
      for (const user of ['1000:1000', '4321:0']) {
        const writes = `cd ${ENVIRONMENT}/lib/python3*/site-packages && touch new ${ENVIRONMENT}/bin/new`;
        assert.equal(await shell(image, `${writes} && echo done`, user), 'done');
        assert.equal(await shell(image, `find /opt /usr /etc -xdev -writable ! -type l ! -path '${ENVIRONMENT}*' | head`, user), '');
      }
  });

  test('Python adds little, and a line says how much', async (t) => {
    const bytes = async (image: string): Promise<number> => Number(await engine.docker('inspect', '--format', '{{.Size}}', image));
    const added = ((await bytes(cpuPython)) - (await bytes(cpu))) / 1e6;
    t.diagnostic(`${added.toFixed(1)} MB  CPython, pip, venv`);
    if (standIns !== undefined) assert.ok(added <= LIMIT_MB, `${added} MB`);
  });
}
