/**
 * Virtual environments for the Python peers: made once, in a cache outside the repository, from
 * pinned versions.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { run } from './children.ts';

/** Models and Python environments stay here from one run to the next. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? tmpdir(), 'scoring-server-bench');

/** The same ONNX Runtime for everybody. */
const common = [`onnxruntime==${packageJson.dependencies['onnxruntime-node']}`, 'numpy==2.4.6'];

export class PythonEnvironment {
  readonly folder: string;
  readonly requirements: readonly string[];

  constructor(name: string, requirements: readonly string[]) {
    this.folder = join(CACHE, 'python', name);
    this.requirements = [...requirements, ...common];
  }

  /** Path of a program of the environment. */
  program(name: string): string {
    return join(this.folder, 'bin', name);
  }

  /** Makes the environment where it is not there yet; answers what is in it. */
  async prepare(): Promise<string> {
    const stamp = join(this.folder, 'requirements.txt');
    const wanted = this.requirements.join('\n');
    if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
      await this.#install();
      writeFileSync(stamp, wanted);
    }
    const version = await run(this.program('python'), ['--version']);
    return [version.trim(), ...this.requirements].join(', ');
  }

  async #install(): Promise<void> {
    process.stderr.write(`installing ${this.requirements.join(' ')} ...\n`);
    rmSync(this.folder, { recursive: true, force: true });
    const temporary = join(this.folder, 'tmp');
    mkdirSync(temporary, { recursive: true });
    const env = { ...process.env, TMPDIR: temporary };
    try {
      await run('python3', ['-m', 'venv', this.folder], env);
      await run(this.program('python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...this.requirements], env);
      rmSync(temporary, { recursive: true, force: true });
    } catch (error) {
      rmSync(this.folder, { recursive: true, force: true });
      throw error;
    }
  }
}
