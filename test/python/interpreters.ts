import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Interpreter {
  readonly program: string;
  readonly version: string;
}

/** Oldest Python that runs the worker: server/python/worker.py. */
const OLDEST = [3, 10] as const;

/** The Pythons of this machine that run the worker: python3, and those that pyenv has. */
export async function interpreters(): Promise<Interpreter[]> {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const ofPyenv = existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin', 'python3')) : [];
  const found = await Promise.all(['python3', ...ofPyenv.filter((program) => existsSync(program))].map(versionOf));
  return found.filter(({ version }) => isNewEnough(version));
}

async function versionOf(program: string): Promise<Interpreter> {
  const { stdout } = await promisify(execFile)(program, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])']);
  return { program, version: stdout.trim() };
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
