import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { findInterpreter, type Interpreter } from '../../../server/scoring/python-interpreter.ts';
import { pythonVersion } from '../../../server/scoring/python-version.ts';
import { folder } from '../../set-up/folder.ts';
import { LogLines } from '../../set-up/log-lines.ts';

/** A program that answers as Python does. */
function program(path: string, text = "printf '3.11.2'"): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** An environment. @returns its folder */
function environment(path: string, kind: 'venv' | 'conda' = 'venv', version = '3.11'): string {
  program(join(path, 'bin', 'python'));
  mkdirSync(join(path, 'lib', `python${version}`), { recursive: true });
  if (kind === 'venv') writeFileSync(join(path, 'pyvenv.cfg'), '');
  else mkdirSync(join(path, 'conda-meta'));
  return path;
}

interface Place {
  readonly root: string;
  readonly script: string;
  readonly logged: LogLines;
  readonly find: (pythonPath?: string, env?: Record<string, string>) => Interpreter;
}

/** An application: its root, a script in a folder below it, and nothing else. */
function place(): Place {
  const root = folder();
  const script = join(root, 'code', 'score.py');
  mkdirSync(dirname(script));
  const logged = new LogLines();
  const found = { entryScript: script, importPath: [root] };
  return { root, script, logged, find: (pythonPath = '', env = {}) => findInterpreter({ pythonPath }, found, { env, log: logged.log }) };
}

function refusal(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (thrown) {
    assert.ok(thrown instanceof ServerError);
    assert.doesNotMatch(thrown.message, /\n/);
    return thrown;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

test('an interpreter is the one of the option, then beside the script, then of the application, of Azure, of PATH', () => {
  const { root, script, find } = place();
  const path = dirname(program(join(folder(), 'python3')));
  const conda = environment(join(folder(), 'minimal'), 'conda');
  const env = { PATH: `relative:${folder()}:${path}`, AZUREML_CONDA_ENVIRONMENT_PATH: conda };
  assert.deepEqual(find('', { PATH: env.PATH }), { path: join(path, 'python3'), environment: undefined, named: false });
  assert.deepEqual(find('', env), { path: join(conda, 'bin/python'), environment: { kind: 'conda', folder: conda }, named: false });
  const ofRoot = environment(join(root, 'env'));
  assert.equal(find('', env).path, join(ofRoot, 'bin/python'));
  const beside = environment(join(dirname(script), '.venv'));
  assert.deepEqual(find('', env), { path: join(beside, 'bin/python'), environment: { kind: 'venv', folder: beside }, named: false });
  assert.equal(find(conda, env).path, join(conda, 'bin/python'));
  assert.equal(find(join(conda, 'bin'), env).path, join(conda, 'bin/python'));
  assert.deepEqual(find(join(conda, 'bin/python'), env), {
    path: join(conda, 'bin/python'),
    environment: { kind: 'conda', folder: conda },
    named: true,
  });
});

test('of several environments one is used, and a line says which and how to choose', () => {
  const { root, logged, find } = place();
  environment(join(root, 'aaa'), 'conda');
  environment(join(root, 'venv'));
  environment(join(root, '.venv'));
  assert.equal(find().path, join(root, '.venv/bin/python'));
  const [line] = logged.lines;
  assert.match(line?.msg ?? '', /several Python environments .*\/\.venv is used: name another with AZUREML_INFERENCE_PYTHON_PATH/);
  assert.deepEqual(line?.['others'], [join(root, 'venv'), join(root, 'aaa')]);
});

test('an environment without an interpreter for this system is passed over', () => {
  const { root, find } = place();
  mkdirSync(join(root, '.venv/Scripts'), { recursive: true });
  writeFileSync(join(root, '.venv/pyvenv.cfg'), '');
  const other = environment(join(root, 'other'));
  assert.equal(find().path, join(other, 'bin/python'));
});

test('no interpreter: the error says where it looked, and what to do', () => {
  const { root, script, find } = place();
  const { code, message } = refusal(() => find('', { PATH: folder() }));
  assert.equal(code, 'script_broken');
  for (const word of [script, dirname(script), root, 'python3 in PATH', 'scoring-server:cpu-python', 'docs/migrate-from-azureml.md'])
    assert.ok(message.includes(word), message);
});

test('an environment of another machine is refused with the cure', () => {
  const { root, find } = place();
  mkdirSync(join(root, '.venv/bin'), { recursive: true });
  writeFileSync(join(root, '.venv/pyvenv.cfg'), '');
  symlinkSync('python3', join(root, '.venv/bin/python'));
  symlinkSync('/nowhere/python3.12', join(root, '.venv/bin/python3'));
  const { code, message } = refusal(() => find());
  assert.equal(code, 'script_broken');
  assert.match(
    message,
    /\.venv cannot be used: \S+bin\/python: it is a link to \/nowhere\/python3\.12, which does not exist here\. Make it/,
  );
  assert.match(message, /python3 -m venv --clear \S+\.venv.*\.dockerignore.*AZUREML_INFERENCE_PYTHON_PATH/);
});

test('an option that names no interpreter is a wrong option', () => {
  const { root, script, find } = place();
  writeFileSync(script, '');
  const cases: [path: string, word: RegExp][] = [
    [join(root, 'no'), /\/no: it does not exist/],
    [root, /a folder without bin\/python/],
    [script, /score\.py: it is not executable \(chmod a\+x/],
  ];
  for (const [path, word] of cases) {
    const { code, message } = refusal(() => find(path));
    assert.equal(code, 'usage');
    assert.match(message, /^AZUREML_INFERENCE_PYTHON_PATH \(or --python-path\): expected /);
    assert.match(message, word);
  }
});

test('the folder that Azure sets for local endpoints counts only where it is there', () => {
  const { root, logged, find } = place();
  const beside = environment(join(root, '.venv'));
  assert.equal(find('/opt/miniconda/envs/inf-conda-env/bin').path, join(beside, 'bin/python'));
  assert.match(logged.lines[0]?.msg ?? '', /is ignored: Azure's local endpoints set it/);
});

test("a conda environment of Azure's images that is not there is passed over with a warning", () => {
  const { find, logged } = place();
  const path = dirname(program(join(folder(), 'python3')));
  assert.equal(find('', { PATH: path, AZUREML_CONDA_ENVIRONMENT_PATH: '/no' }).path, join(path, 'python3'));
  assert.match(logged.lines[0]?.msg ?? '', /AZUREML_CONDA_ENVIRONMENT_PATH is ignored: \/no\/bin\/python: it does not exist/);
});

/** The error of a program that is asked for its version. */
async function refused(path: string, changes: Partial<Interpreter> = {}): Promise<ServerError> {
  try {
    await pythonVersion({ path, named: false, ...changes }, { env: { PATH: '/usr/bin:/bin' }, limitMs: 2000 });
  } catch (thrown) {
    assert.ok(thrown instanceof ServerError);
    assert.doesNotMatch(thrown.message, /\n/);
    return thrown;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

test('an interpreter that cannot run here is told in one line with the reason', async () => {
  const at = (text: string): string => program(join(folder(), 'python'), text);
  const library = "echo 'python: error while loading shared libraries: libpython3.11.so.1.0: cannot open' >&2; exit 127";
  const [other, moved] = [join(folder(), 'python'), join(folder(), 'python')];
  writeFileSync(moved, '#!/nowhere/python3\n', { mode: 0o755 });
  // The first bytes of a program for a 64-bit IBM mainframe.
  writeFileSync(
    other,
    Buffer.concat([Buffer.from('7f454c4602020100', 'hex'), Buffer.alloc(8), Buffer.from('00020016', 'hex'), Buffer.alloc(500)]),
    {
      mode: 0o755,
    },
  );
  const cases: [path: string, word: RegExp][] = [
    [at(library), /cannot be run here \(exit code 127\): python: error while loading shared libraries: libpython3\.11\.so\.1\.0/],
    [at('kill -SEGV $$'), /cannot be run here \(signal SIGSEGV\)/],
    [at('exec sleep 60'), /cannot be run here \(no answer within 2000 ms\)/],
    [at('echo hello'), /is no Python: it does not answer with its version/],
    [at("printf '3.9.18'"), /is Python 3\.9\.18, and entry scripts need Python 3\.10 or later/],
    [at("printf '2.7.18'"), /is Python 2\.7\.18/],
    [other, /cannot be run here \((?:exit code \d+|.*ENOEXEC.*)\)/],
    [moved, /cannot be run here \(ENOENT: what runs it, its loader or the program of its first line, is not here\)/],
    [at('yes'), /cannot be run here \(ERR_CHILD_PROCESS_STDIO_MAXBUFFER\)/],
  ];
  for (const [path, word] of cases) {
    const { code, message } = await refused(path);
    assert.equal(code, 'script_broken');
    assert.match(message, word);
    assert.match(message, /Install Python 3\.10 or later, or name one with AZUREML_INFERENCE_PYTHON_PATH/);
  }
  assert.equal((await refused(join(folder(), 'gone'), { named: true })).code, 'usage');
});

test('an environment that was made for another version is refused, because its packages are not found', async () => {
  const made = environment(join(folder(), '.venv'), 'venv', '3.12');
  const { message } = await refused(join(made, 'bin/python'), { environment: { kind: 'venv', folder: made } });
  assert.match(message, /\.venv was made for another version of Python than 3\.11\.2, which .* is\. Make it where the server runs/);
  const same = environment(join(folder(), '.venv'));
  const interpreter = { path: join(same, 'bin/python'), named: false, environment: { kind: 'venv', folder: same } as const };
  assert.equal(await pythonVersion(interpreter, { env: {} }), '3.11.2');
});
