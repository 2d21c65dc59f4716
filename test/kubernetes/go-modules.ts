import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** As in `tools/go.mod`. */
const OLDEST_GO = [1, 24] as const;

/** A module of Go, of which a test reads files, with the checksum that Go knows it by. */
export interface GoModule {
  readonly name: string;
  readonly version: string;
  readonly sum: string;
}

/** The folder of a module. Go's own cache keeps it. */
export async function moduleFolder({ name, version, sum }: GoModule): Promise<string> {
  const options = { cwd: tmpdir(), env: { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off', GOTOOLCHAIN: 'local' } };
  const { stdout } = await run(goCommand(), ['mod', 'download', '-json', `${name}@${version}`], options);
  const module = JSON.parse(stdout) as { Dir: string; Sum: string };
  assert.equal(module.Sum, sum, `${name}@${version}: the module has another checksum`);
  return module.Dir;
}

/**
 * The first Go that is new enough for `tools/go.mod`.
 * @throws Error that names those which are not
 */
export function goCommand(candidates: readonly string[] = ['go', '/usr/local/go/bin/go']): string {
  const found = candidates.map((path) => ({ path, version: versionOf(path) }));
  const fit = found.find(
    ({ version: [major = 0, minor = 0] }) => major > OLDEST_GO[0] || (major === OLDEST_GO[0] && minor >= OLDEST_GO[1]),
  );
  if (fit !== undefined) return fit.path;
  const names = found.filter(({ version }) => version.length > 0).map(({ path, version }) => `${path} ${version.join('.')}`);
  const got = names.length === 0 ? 'none' : names.join(', ');
  throw new Error(`expected Go ${OLDEST_GO.join('.')} or newer in PATH or in /usr/local/go, found ${got}`);
}

/** Empty where there is none. */
function versionOf(path: string): readonly number[] {
  const { stdout } = spawnSync(path, ['version'], { encoding: 'utf8' });
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  return major === undefined ? [] : [Number(major), Number(minor)];
}
