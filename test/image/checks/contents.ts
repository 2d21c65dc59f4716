import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { GraphBuilder } from '../../models/graph-builder.ts';
import { attribute, value } from '../../models/onnx.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { withContainer } from '../container.ts';
import { IngestionServer } from '../../telemetry/ingestion-server.ts';
import { CANARIES, writeFiles, type Images } from '../images.ts';
import { output } from '../run.ts';
import { SAMPLE, SAMPLE_ANSWER } from './sample.ts';

const HOME = '/opt/scoring-server';
/** Packages that are published without one; docs/dependencies.md names their licences. */
const WITHOUT_LICENCE_TEXT = ['@nodable/entities', 'abstract-logging', 'onnxruntime-common', 'onnxruntime-node'];
/** Megabytes, on the stand-in base. */
const LIMITS = { unpacked: 400, compressed: 140 };

/** What is in the images, and what is not. */
export function checkContents({ engine, cpu, cpuPython, gpuPython, standIns }: Images): void {
  const shell = (command: string, image = cpu): Promise<string> => engine.once('--user', '0', '--entrypoint', 'sh', image, '-c', command);

  test('no secret of the build is in the files or in the history', async () => {
    // They hold the layers of the images without Python.
    for (const image of [cpuPython, gpuPython]) {
      const history = await engine.docker('history', '--no-trunc', image);
      const archive = join(engine.folder, 'image.tar');
      await engine.docker('save', '-o', archive, image);
      for (const canary of CANARIES) {
        assert.ok(!history.includes(canary), `${canary} is in the history of ${image}`);
        assert.equal(await output('sh', ['-c', `grep -a -c -F ${canary} ${archive} || true`]), '0\n', `${canary} is in ${image}`);
      }
      assert.doesNotMatch(history, /npmrc=|_authToken|BEGIN CERTIFICATE/);
      assert.equal(
        await shell(
          'find / -xdev \\( -name .npmrc -o -name .package-lock.json \\) ! -path "*/lib/node_modules/npm/*"; ls -A /run/secrets 2>/dev/null',
          image,
        ),
        '',
      );
      const host = new URL((await output('npm', ['config', 'get', 'registry'])).trim()).host;
      assert.ok(!history.includes(host));
      assert.equal(await shell(`grep -rlF ${host} --exclude-dir=node_modules /opt /var /etc /root /home || true`, image), '');
    }
  });

  test("only this machine's binaries, nothing to compile with, no package lists, nothing that production does not load", async () => {
    const native = await shell(`cd ${HOME}/node_modules && find . -name '*.node' -o -name '*.so*' -o -name '*.dll' -o -name '*.dylib'`);
    assert.deepEqual(native.split('\n').toSorted(), [
      `./onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
      `./onnxruntime-node/bin/napi-v6/linux/${process.arch}/onnxruntime_binding.node`,
    ]);
    assert.equal(await shell('which gcc cc g++ make python3 || true'), '');
    assert.equal(await shell('ls /var/lib/apt/lists /var/cache/apt /tmp'), '/tmp:\n\n/var/cache/apt:\n\n/var/lib/apt/lists:');
    const notes = await shell(`cd ${HOME}/node_modules && find * -name '*.map' -o -name '*.d.ts' -o -name '*.md' | grep -iv licen | sort`);
    assert.deepEqual(
      notes.split('\n').map((file) => file.toLowerCase()),
      WITHOUT_LICENCE_TEXT.map((name) => `${name}/readme.md`),
    );
    assert.equal(await shell(`ls ${HOME}/test ${HOME}/bench 2>/dev/null || true`), '');
  });

  test('it tells what it is made of: labels, SBOM of the packages, list of the Debian packages', async () => {
    const labels = JSON.parse(await engine.docker('inspect', '--format', '{{json .Config.Labels}}', cpu)) as Record<string, string>;
    assert.equal(labels['org.opencontainers.image.version'], packageJson.version);
    assert.equal(labels['org.opencontainers.image.licenses'], packageJson.license);
    const sbom = JSON.parse(await shell(`cat ${HOME}/sbom.cdx.json`)) as {
      bomFormat: string;
      components: { name: string; version: string; hashes?: { alg: string }[]; licenses?: unknown[] }[];
    };
    assert.equal(sbom.bomFormat, 'CycloneDX');
    const named = sbom.components.map(({ name, version }) => `${name}@${version}`);
    for (const [name, version] of Object.entries(packageJson.dependencies)) assert.ok(named.includes(`${name}@${version}`), name);
    const installed = (await installedPackages()).map(({ name, version }) => `${name}@${version}`);
    assert.deepEqual([...new Set(named)].toSorted(), [...new Set(installed)].toSorted());
    assert.deepEqual(
      sbom.components.filter(({ hashes, licenses }) => hashes?.[0]?.alg !== 'SHA-512' || licenses === undefined),
      [],
    );
    // Production needs some packages that development names too.
    for (const tool of ['typescript', 'oxlint', 'azurite', 'supertest'])
      assert.ok(!named.some((each) => each.startsWith(`${tool}@`)), tool);
    assert.match(await shell(`cat ${HOME}/debian-packages.txt`), /^tini\t\d/m);
  });

  test('each package has the text of its licence, or the readme of one that ships none', async () => {
    const packages = await installedPackages();
    assert.ok(packages.length > 100);
    const has = (pattern: RegExp): string[] =>
      packages.filter(({ files }) => !files.some((file) => pattern.test(file))).map(({ name }) => name);
    assert.deepEqual(has(/^(?:licen[cs]e|copying)/i).toSorted(), WITHOUT_LICENCE_TEXT);
    assert.deepEqual(has(/^(?:licen[cs]e|copying|readme)/i), []);
  });

  test('what the image lacks of Application Insights is not missed: it sends requests, traces and exceptions', async (t) => {
    const ingestion = await IngestionServer.start(t);
    const certificate = ['-v', `${ingestion.certificate}:/ca.pem:ro`];
    const env = { ...ingestion.env, NODE_EXTRA_CA_CERTS: '/ca.pem', DRAIN_DELAY_MS: '0' };
    await withContainer(engine, cpu, { flags: certificate, env }, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
      assert.equal((await container.post({ data: [['x']] })).status, 400);
      assert.equal((await container.stop()).code, 0);
    });
    const statuses = ingestion.of('RequestData').map(({ data }) => data.baseData.responseCode);
    assert.deepEqual(statuses.toSorted(), ['200', '400']);
  });

  test('the locale that StringNormalizer asks for is there', async () => {
    const builder = new GraphBuilder('lower');
    builder.node('StringNormalizer', ['x'], { output: 'y', attributes: [attribute.string('case_change_action', 'LOWER')] });
    const folder = join(engine.folder, 'text');
    writeFiles(folder, { 'lower.onnx': builder.build({ inputs: [value('x', 'string', ['N'])], outputs: [value('y', 'string', ['N'])] }) });
    await withContainer(
      engine,
      cpu,
      { flags: ['-v', `${folder}:/models:ro`], args: ['--model', '/models/lower.onnx'] },
      async (container) => {
        await container.ready();
        assert.deepEqual(await container.score({ inputs: { x: ['ÄRGER', 'Straße'] } }), { outputs: { y: ['ärger', 'straße'] } });
      },
    );
  });

  test('the CPU image is small, and a table says what each megabyte is', async (t) => {
    const bytes = async (image: string): Promise<number> => Number(await engine.docker('inspect', '--format', '{{.Size}}', image));
    const unpacked = await bytes(cpu);
    const compressed = Number(await output('sh', ['-c', `gzip -6 < ${await saved()} | wc -c`]));
    const used = async (paths: string): Promise<number> =>
      (await shell(`du -sb ${paths}`)).split('\n').reduce((sum, line) => sum + Number(line.split('\t')[0]), 0);
    const ort = await used(`${HOME}/node_modules/onnxruntime-node`);
    const rows: [string, number][] = [
      ['ONNX Runtime for this platform', ort],
      ['other packages', (await used(`${HOME}/node_modules`)) - ort],
      ['server, samples, SBOM', await used(`${HOME}/server ${HOME}/entry-scripts ${HOME}/docker ${HOME}/*.json ${HOME}/*.txt`)],
      ['compile cache', await used(`${HOME}/compile-cache`)],
    ];
    if (standIns !== undefined) {
      const base = await bytes(standIns.node);
      const rest = unpacked - base - rows.reduce((sum, [, size]) => sum + size, 0);
      rows.unshift([`base: Debian, Node ${process.versions.node}, npm`, base], ['tini, locale, libraries', rest]);
    }
    for (const [name, size] of [...rows, ['unpacked', unpacked], ['compressed', compressed]] as const)
      t.diagnostic(`${(size / 1e6).toFixed(1).padStart(6)} MB  ${name}`);
    if (standIns === undefined) return;
    assert.ok(unpacked <= LIMITS.unpacked * 1e6, `${unpacked} bytes unpacked`);
    assert.ok(compressed <= LIMITS.compressed * 1e6, `${compressed} bytes compressed`);
  });

  /** Every package below node_modules, nested ones too, with the files at its top. */
  async function installedPackages(): Promise<{ name: string; version: string; files: string[] }[]> {
    const script = `
      const { readFileSync, readdirSync } = require('node:fs');
      const found = readdirSync('.', { recursive: true }).filter((path) => /(?:^|node_modules\\/)(?:@[^/]+\\/)?[^/@]+\\/package\\.json$/.test(path));
      const packages = found.map((path) => ({ ...JSON.parse(readFileSync(path)), files: readdirSync(path.replace(/[^/]+$/, '')) }));
      console.log(JSON.stringify(packages.map(({ name, version, files }) => ({ name, version, files }))));`;
    return JSON.parse(await engine.once('--workdir', `${HOME}/node_modules`, '--entrypoint', 'node', cpu, '-e', script)) as {
      name: string;
      version: string;
      files: string[];
    }[];
  }

  async function saved(): Promise<string> {
    const archive = join(engine.folder, 'image.tar');
    await engine.docker('save', '-o', archive, cpu);
    return archive;
  }
}
