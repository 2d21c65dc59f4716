/**
 * Base images for a machine that reaches no image registry: Debian's own packages, Node's own
 * binary. They prove the Dockerfiles' instructions, layout, user, signals and limits; they do not
 * prove what the published base images hold, nor anything of CUDA.
 */

import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { output } from './run.ts';

const NODE_BASE = `FROM scratch
ADD rootfs.tar /
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
`;

/** Neither Node nor a user of 1000, as in the base that it stands for. */
const CUDA_BASE = `FROM scratch
ADD rootfs.tar /
COPY cuda /usr/local/cuda/lib64
RUN echo /usr/local/cuda/lib64 > /etc/ld.so.conf.d/cuda.conf && ldconfig
`;

/** Libraries that the CUDA provider of ONNX Runtime 1.30 links: docs/images.md. */
const CUDA_LIBRARIES = ['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcufft.so.11', 'libcurand.so.10', 'libcudnn.so.9'];

export interface StandIns {
  readonly node: string;
  readonly cuda: string;
}

/** Builds both base images. @param providers where the stub of the CUDA provider is put */
export async function makeStandIns(engine: Engine, providers: string): Promise<StandIns> {
  const folder = join(engine.folder, 'stand-ins');
  mkdirSync(join(folder, 'cuda'), { recursive: true });
  await Promise.all([makeRootFs(folder), fetchNode(folder), makeStubs(join(folder, 'cuda'), providers)]);
  const built = { node: engine.tag('standin-node'), cuda: engine.tag('standin-cuda') };
  writeFileSync(join(folder, 'node.Dockerfile'), NODE_BASE);
  writeFileSync(join(folder, 'cuda.Dockerfile'), CUDA_BASE);
  for (const name of ['node', 'cuda'] as const)
    await engine.docker('build', '-q', '--network', 'host', '-f', join(folder, `${name}.Dockerfile`), '-t', built[name], folder);
  return built;
}

async function makeRootFs(folder: string): Promise<void> {
  const without = ['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  await output('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    '--include=libstdc++6,libatomic1',
    ...without,
    '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
    'bookworm',
    join(folder, 'rootfs.tar'),
  ]);
}

/** Node as this test runs on it; npm from the registry, as its client is set up on this machine. */
async function fetchNode(folder: string): Promise<void> {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  cpSync(process.execPath, join(folder, 'bin', 'node'));
  const tarball = (await output('npm', ['pack', '--silent', 'npm@11'], { cwd: folder })).trim();
  await output('tar', ['xzf', tarball], { cwd: folder });
  renameSync(join(folder, 'package'), join(folder, 'npm'));
}

/** Libraries with the right names and nothing in them. */
async function makeStubs(cuda: string, providers: string): Promise<void> {
  mkdirSync(providers, { recursive: true });
  const source = join(cuda, '..', 'stub.c');
  writeFileSync(source, 'int standin(void) { return 0; }\n');
  for (const name of CUDA_LIBRARIES) await output('gcc', ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', join(cuda, name), source]);
  const linked = CUDA_LIBRARIES.map((name) => join(cuda, name));
  const provider = (name: string, ...rest: readonly string[]): Promise<string> =>
    output('gcc', ['-shared', '-fPIC', '-o', join(providers, `libonnxruntime_providers_${name}.so`), source, ...rest]);
  await provider('shared');
  await provider('cuda', '-Wl,--no-as-needed', ...linked);
}
