import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { goCommand } from './go-modules.ts';

const run = promisify(execFile);

const MODULE = fileURLToPath(new URL('tools/', import.meta.url));

/** What the module builds. Its own program is the three of a control plane in one. */
const PACKAGES = ['.', 'helm.sh/helm/v3/cmd/helm', 'github.com/yannh/kubeconform/cmd/kubeconform'];

/** Names by which the one program is each of the three. */
const LINKS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

export type Tool = 'helm' | 'kubeconform' | (typeof LINKS)[number];

/**
 * Builds below a lock of the kernel, which no process leaves behind. The folder appears whole or
 * not at all.
 */
const BUILD = `
set -e
folder=$1; go=$2; flags=$3; shift 3
[ ! -e "$folder" ] || exit 0
rm -rf "$folder.building"
mkdir "$folder.building"
"$go" build -trimpath -ldflags "$flags" -o "$folder.building/" "$@"
for link in ${LINKS.join(' ')}; do ln -s kubernetes-tools "$folder.building/$link"; done
mv "$folder.building" "$folder"`;

/**
 * The path of a program of a cluster. All are built once for each content of the module, in the
 * user's cache; test files that run side by side wait for the same build.
 */
export async function tool(name: Tool): Promise<string> {
  const version = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go', 'tools.go']) version.update(readFileSync(join(MODULE, file)));
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'scoring-server');
  const folder = join(cache, `kubernetes-${version.digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) await build(cache, folder);
  return join(folder, name);
}

async function build(cache: string, folder: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  console.log(`building the tools of Kubernetes in ${folder} (once, some minutes) ...`);
  const env = { ...process.env, GOWORK: 'off', GOTOOLCHAIN: 'local' };
  const command = [`${folder}.lock`, 'sh', '-c', BUILD, 'sh', folder, goCommand(), linkerFlags(), ...PACKAGES];
  await run('flock', command, { cwd: MODULE, env, maxBuffer: 64 * 1024 * 1024 });
}

/** Without symbols; with the version that an API server tells helm, which Go does not know. */
function linkerFlags(): string {
  const [, version, major, minor] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8')) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return ['-s -w', ...Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(' ');
}
