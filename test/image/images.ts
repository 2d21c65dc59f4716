/**
 * Builds the images from what git would hand to a stranger, with everything secret that a build may
 * need.
 */

import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from './engine.ts';
import { output, run, type Result } from './run.ts';
import { makeStandIns, type StandIns } from './stand-ins.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Stand in the secrets, and must stand nowhere else. */
export const CANARIES = ['CANARY-of-the-certificate', 'CANARY-of-the-npmrc'] as const;

export interface Images {
  readonly engine: Engine;
  readonly cpu: string;
  readonly gpu: string;
  readonly cpuPython: string;
  readonly gpuPython: string;
  /** The folder from which the images are built, as after a fresh clone. */
  readonly context: string;
  /** Undefined where an engine was there: it pulls the real ones. */
  readonly standIns: StandIns | undefined;
  /** `--secret` of npm and pip, and `id=extra_ca` where this machine needs one. */
  readonly secrets: readonly string[];
}

export async function buildImages(engine: Engine): Promise<Images> {
  const context = join(engine.folder, 'context');
  await copySources(context);
  const stubs = join(engine.folder, 'providers');
  const standIns = engine.isPrivate ? await makeStandIns(engine, stubs) : undefined;
  if (standIns !== undefined) cpSync(stubs, join(context, 'docker', 'ort-cuda'), { recursive: true });
  const images = {
    engine,
    context,
    standIns,
    secrets: await makeSecrets(engine.folder),
    cpu: engine.tag('scoring-server:cpu'),
    gpu: engine.tag('scoring-server:gpu'),
    cpuPython: engine.tag('scoring-server:cpu-python'),
    gpuPython: engine.tag('scoring-server:gpu-python'),
  };
  await expectBuilt(build(images, 'cpu', images.cpu));
  await expectBuilt(build(images, 'gpu', images.gpu));
  await expectBuilt(build(images, 'cpu', images.cpuPython, { target: 'python' }));
  await expectBuilt(build(images, 'gpu', images.gpuPython, { target: 'python' }));
  return images;
}

interface BuildOptions {
  readonly target?: 'python';
  /** Build arguments. */
  readonly args?: Readonly<Record<string, string>>;
}

/** `docker build` of one of the two Dockerfiles, as the documentation has it. */
export function build(images: Images, kind: 'cpu' | 'gpu', tag: string, { target, args = {} }: BuildOptions = {}): Promise<Result> {
  const { standIns, context, secrets } = images;
  const bases: Record<string, string> = standIns === undefined ? {} : { NODE_IMAGE: standIns.node };
  if (kind === 'gpu' && standIns !== undefined) Object.assign(bases, { CUDA_IMAGE: standIns.cuda, ORT_CUDA_SOURCE: 'local' });
  return images.engine.try(
    'build',
    '--network',
    'host',
    ...secrets,
    ...buildArgs({ ...bases, ...args }),
    ...(target === undefined ? [] : ['--target', target]),
    '-f',
    join(context, `Dockerfile.${kind}`),
    '-t',
    tag,
    context,
  );
}

/** Builds a user's image in a folder of its own; answers its name. */
export async function buildUserImage(
  { engine, secrets }: Images,
  name: string,
  files: Readonly<Record<string, string | Buffer>> | string,
  args: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = typeof files === 'string' ? files : join(engine.folder, name);
  if (typeof files !== 'string') writeFiles(folder, files);
  const tag = engine.tag(name);
  await engine.docker('build', '-q', '--network', 'host', ...secrets, ...buildArgs(args), '-t', tag, folder);
  return tag;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

async function expectBuilt(built: Promise<Result>): Promise<void> {
  const { code, stdout, stderr } = await built;
  if (code !== 0) throw new Error(`an image cannot be built (${code}):\n${stdout}${stderr}`);
}

/** What is committed or could be, and no more: no `node_modules`, nothing that git ignores. */
async function copySources(context: string): Promise<void> {
  const files = (await output('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT }))
    .split('\0')
    .filter(Boolean);
  for (const file of files) {
    mkdirSync(dirname(join(context, file)), { recursive: true });
    copyFileSync(join(ROOT, file), join(context, file));
  }
}

/** Settings of npm and pip always; a certificate where this machine's Node has been given one. */
async function makeSecrets(folder: string): Promise<string[]> {
  const registry = (await output('npm', ['config', 'get', 'registry'])).trim();
  const npmrc = join(folder, 'npmrc');
  writeFileSync(npmrc, `registry=${registry}\n//registry.invalid/:_authToken=${CANARIES[1]}\n`);
  const pipConf = join(folder, 'pip.conf');
  writeFileSync(pipConf, await pipSettings());
  const secrets = ['--secret', `id=npmrc,src=${npmrc}`, '--secret', `id=pip_conf,src=${pipConf}`];
  const certificate = process.env['NODE_EXTRA_CA_CERTS'];
  if (certificate === undefined) return secrets;
  const copy = join(folder, 'ca.pem');
  writeFileSync(copy, `# ${CANARIES[0]}\n${readFileSync(certificate, 'utf8')}`);
  return [...secrets, '--secret', `id=extra_ca,src=${copy}`];
}

/** The package index of this machine's pip, where it is told one. */
async function pipSettings(): Promise<string> {
  const index = process.env['PIP_INDEX_URL'] ?? (await run('pip', ['config', 'get', 'global.index-url'])).stdout.trim();
  return `[global]\n${index === '' ? '' : `index-url = ${index}\n`}`;
}

function buildArgs(args: Readonly<Record<string, string>>): string[] {
  return Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}
