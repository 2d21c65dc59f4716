import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { python, whyNoPython } from '../set-up/python.ts';
import { interpreters } from './interpreters.ts';

const UNIT = fileURLToPath(new URL('unit/', import.meta.url));
const SERVER = fileURLToPath(new URL('../../server/python/', import.meta.url));
const PLAIN = fileURLToPath(new URL('plain/', import.meta.url));

/** Runs all unit tests of the Python code; rejects with unittest's report. */
async function discover(program: string): Promise<void> {
  await promisify(execFile)(program, ['-B', '-m', 'unittest', 'discover', '--start-directory', UNIT, '--top-level-directory', UNIT], {
    cwd: dirname(UNIT),
    env: { ...process.env, PYTHONPATH: SERVER, PYTHONDONTWRITEBYTECODE: '1' },
    timeout: 120_000,
    maxBuffer: 16 * 1024 * 1024,
  });
}

const without = whyNoPython() ?? (readdirSync(UNIT).some((name) => name.startsWith('test_')) ? false : 'there are none');

describe('the unit tests of the Python code', { skip: without }, async () => {
  for (const { program, version } of without === false ? await interpreters() : [])
    it(`pass on Python ${version}`, () => discover(program));

  it('pass where the packages of scripts are installed', async () => discover(await python(PLAIN)));
});
