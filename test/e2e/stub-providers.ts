import { spawnSync } from 'node:child_process';
import { constants, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
const LIBRARIES = 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64';

/** Why stub libraries cannot be used here; false when they can. Given to `skip`. */
export const missing =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'the CUDA provider exists for linux/x64 only'
    : spawnSync('gcc', ['--version']).status === 0
      ? false
      : 'gcc, which builds the stub libraries, is not installed';

/**
 * A copy of this server whose ONNX Runtime finds provider libraries that the test builds: as in a
 * GPU image, without its contents.
 */
export class ServerCopy {
  readonly home = mkdtempSync(join(tmpdir(), 'server-copy-'));

  constructor() {
    for (const name of ['package.json', 'server', 'entry-scripts']) cpSync(join(HOME, name), join(this.home, name), { recursive: true });
    mkdirSync(join(this.home, 'node_modules'));
    for (const name of readdirSync(join(HOME, 'node_modules'))) {
      if (name !== 'onnxruntime-node') symlinkSync(join(HOME, 'node_modules', name), join(this.home, 'node_modules', name));
    }
    const library = dirname(dirname(dirname(dirname(LIBRARIES))));
    for (const name of [`${library}/package.json`, `${library}/dist`, LIBRARIES]) {
      // Where the file system can, without a second copy of 40 MB.
      cpSync(join(HOME, name), join(this.home, name), { recursive: true, mode: constants.COPYFILE_FICLONE });
    }
  }

  /**
   * Compiles a library beside ONNX Runtime's own.
   * @param needs name of a library that it needs and that is nowhere
   */
  build(name: string, code: string, needs?: string): void {
    const folder = join(this.home, LIBRARIES);
    const link: string[] = [];
    if (needs !== undefined) {
      const elsewhere = join(this.home, 'elsewhere');
      mkdirSync(elsewhere, { recursive: true });
      compile('int needed(void) { return 0; }', join(elsewhere, needs), [`-Wl,-soname,${needs}`]);
      link.push('-Wl,--no-as-needed', `-L${elsewhere}`, `-l:${needs}`);
    }
    compile(code, join(folder, name), [`-Wl,-soname,${name}`, ...link]);
  }

  remove(): void {
    rmSync(this.home, { recursive: true });
  }
}

function compile(code: string, file: string, options: readonly string[]): void {
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-o', file, '-x', 'c', '-', '-x', 'none', ...options], {
    input: code,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`gcc could not build ${file}: ${stderr}`);
}
