import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const INSTALL_MS = 240_000;

/**
 * A folder with the packages of a lock file, which is that of `folder`. Made once for each content
 * of that file, in the user's cache.
 */
export async function installed(folder: string): Promise<string> {
  const version = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
    .slice(0, 12);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'scoring-server', `${basename(folder)}-${version}`);
  if (existsSync(cache)) return cache;
  const building = `${cache}-${process.pid}`;
  mkdirSync(building, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(folder, file), join(building, file));
  const npm = process.env['npm_execpath'] === undefined ? ['npm'] : [process.execPath, process.env['npm_execpath']];
  const [command = 'npm', ...first] = npm;
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const install = (): Promise<unknown> => promisify(execFile)(command, args, { cwd: building, timeout: INSTALL_MS });
  try {
    // A registry may fail for a moment.
    await install().catch(install);
    // Whole or not at all: a run that was cut off must not leave half of it behind.
    renameSync(building, cache);
  } catch (cause) {
    rmSync(building, { recursive: true, force: true });
    // Another test file may have been faster.
    if (!existsSync(cache)) throw new Error(`cannot install the packages of ${folder}: expected npm to reach a registry`, { cause });
  }
  return cache;
}
