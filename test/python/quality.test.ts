import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { folder } from '../set-up/folder.ts';
import { python, whyNoPython } from '../set-up/python.ts';
import { interpreters } from './interpreters.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVER = fileURLToPath(new URL('../../server/python/', import.meta.url));
const RULES = join(SERVER, 'pyproject.toml');
const UNIT = join(HERE, 'unit');
const checked = [SERVER, ...(existsSync(UNIT) ? [UNIT] : [])];

/** Runs a program of the environment; its output is the failure's message. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const caches = { MYPY_CACHE_DIR: folder(), RUFF_NO_CACHE: 'true', PYTHONDONTWRITEBYTECODE: '1' };
  return promisify(execFile)(program, args, { cwd: SERVER, env: { ...process.env, ...caches }, maxBuffer: 16 * 1024 * 1024 }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr, message }: { stdout: string; stderr: string; message: string }) => assert.fail(`${message}\n${stdout}${stderr}`),
  );
}

describe('the Python code', { skip: whyNoPython() ?? false, concurrency: true }, () => {
  it('keeps the rules of its pyproject.toml', async () =>
    void (await run(await python(HERE), ['-m', 'ruff', 'check', '--config', RULES, ...checked])));

  it('is formatted', async () => void (await run(await python(HERE), ['-m', 'ruff', 'format', '--check', '--config', RULES, ...checked])));

  it('has types, strictly', async () => void (await run(await python(HERE), ['-m', 'mypy', '--config-file', RULES, '--strict', '.'])));

  it('is parsed by every interpreter from 3.10 on', async () => {
    const parse = 'import ast, pathlib, sys\nfor path in pathlib.Path(".").rglob("*.py"): ast.parse(path.read_text("utf-8"), str(path))';
    for (const { program } of await interpreters()) await run(program, ['-B', '-c', parse]);
  });

  it('leaves no bytecode behind', async () => {
    const look = 'import pathlib; print(*pathlib.Path(".").rglob("__pycache__"))';
    assert.equal((await run(await python(HERE), ['-B', '-c', look])).trim(), '');
  });
});
