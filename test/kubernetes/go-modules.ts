import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

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

function goCommand(): string {
  const found = ['go', '/usr/local/go/bin/go'].find((each) => spawnSync(each, ['version']).status === 0);
  assert.ok(found !== undefined, 'expected Go in PATH or in /usr/local/go, found none');
  return found;
}
