import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why there is no Python here that can make an environment; undefined: there is one. */
export function whyNoPython(): string | undefined {
  const { status, error, stdout } = spawnSync('python3', ['-c', 'import ensurepip, venv, sys; print(sys.version_info >= (3, 11))'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return 'there is no python3 on this machine';
  if (status !== 0) return 'python3 has no venv or ensurepip (on Debian: the package python3-venv)';
  return stdout.trim() === 'True' ? undefined : 'python3 is older than 3.11';
}

/**
 * A Python with the packages of the folder's requirements.txt. Made once for each content of that
 * file, in the user's cache.
 */
export async function python(programs: string): Promise<string> {
  const requirements = join(programs, 'requirements.txt');
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'scoring-server', `${basename(programs)}-${version}`);
  if (existsSync(folder)) return join(folder, 'bin', 'python');
  const building = `${folder}-${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    console.log(`making a Python environment in ${folder} (once) ...`);
    await run('python3', ['-m', 'venv', building]);
    await run(join(building, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
    // Whole or not at all: a run that was cut off must not leave half of it behind.
    renameSync(building, folder);
  } catch (cause) {
    rmSync(building, { recursive: true, force: true });
    // Another test file may have been faster.
    if (!existsSync(folder)) throw new Error('cannot make the Python environment: expected pip to reach a package index', { cause });
  }
  return join(folder, 'bin', 'python');
}

/** Runs a program with the packages of its folder; rejects with its output when it fails. */
export async function runProgram(path: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(await python(dirname(path)), [path, ...args], { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
