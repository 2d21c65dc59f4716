import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(ROOT + file, 'utf8');

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Licences that ask for no more than their text and the owner's name. */
const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', '(MIT AND Zlib)'];
/** Its manifest names MIT in a form that npm no longer reads. */
const MIT_BY_FILE = ['node_modules/machina'];

for (const folder of ['docker/iot-edge', 'test/platforms/edge-hub'])
  test(`${folder} locks every package, with a checksum, a free licence, and no script or registry`, () => {
    const { '': self, ...locked } = (JSON.parse(read(`${folder}/package-lock.json`)) as { packages: Record<string, Locked> }).packages;
    const wanted = (JSON.parse(read(`${folder}/package.json`)) as Locked).dependencies ?? {};
    assert.deepEqual(self?.dependencies, wanted);
    for (const [name, version] of Object.entries(wanted)) assert.equal(locked[`node_modules/${name}`]?.version, version);
    const wrong = Object.entries(locked).filter(
      ([place, { integrity = '', resolved, hasInstallScript, license = '' }]) =>
        !/^sha512-[\w+/]{86}==$/.test(integrity) ||
        resolved !== undefined ||
        hasInstallScript === true ||
        (!LICENCES.includes(license) && !MIT_BY_FILE.includes(place)),
    );
    assert.deepEqual(wrong, []);
  });

test('the image of IoT Edge puts the SDK where the command looks for it, and adds nothing else', () => {
  const dockerfile = read('docker/iot-edge.Dockerfile');
  const [, folder] = /^const SDK = '(.*)';$/m.exec(read('server/commands/iot-edge.ts')) ?? [];
  const [, last = ''] = dockerfile.split('FROM ${BASE_IMAGE} AS iot-edge\n');
  assert.deepEqual(last.trim().split('\n'), [`COPY --from=sdk ${folder} ${folder}`, 'USER 1000:1000', 'CMD ["iot-edge"]']);
  assert.match(dockerfile, /npm ci --omit=dev --ignore-scripts/);
});
