import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why there is no Java here that can run a source file; undefined: there is one. */
export function whyNoJava(): string | undefined {
  if (spawnSync('javac', ['-version']).error !== undefined) return 'there is no javac on this machine';
  return spawnSync('mvn', ['--version']).error === undefined ? undefined : 'there is no mvn on this machine';
}

/**
 * A folder with the libraries of the folder's pom.xml. Made once for each content of that file, in
 * the user's cache.
 */
async function libraries(programs: string): Promise<string> {
  const pom = join(programs, 'pom.xml');
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const folder = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'scoring-server',
    `java-${basename(programs)}-${version}`,
  );
  if (existsSync(folder)) return folder;
  const building = `${folder}-${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    console.log(`fetching Java libraries into ${folder} (once) ...`);
    await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${building}`]);
    renameSync(building, folder);
  } catch (cause) {
    rmSync(building, { recursive: true, force: true });
    // Another test file may have been faster.
    if (!existsSync(folder)) throw new Error('cannot fetch the Java libraries: expected mvn to reach a repository', { cause });
  }
  return folder;
}

/** Runs a source file with the libraries of its folder; rejects with its output when it fails. */
export async function runJava(path: string, args: readonly string[]): Promise<string> {
  const command = ['-cp', join(await libraries(dirname(path)), '*'), path, ...args];
  const { stdout } = await run('java', command, { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
