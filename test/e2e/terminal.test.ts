import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';
import { until } from '../set-up/until.ts';
import { SCRIPTS } from './start-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A synchronous call keeps the time limit of the test from coming to pass. */
const LONGEST_MS = 60_000;
const run = (...args: string[]): { status: number | null; stdout: string } =>
  spawnSync(process.execPath, [`${ROOT}server/main.ts`, '--port', '0', ...args], { cwd: SCRIPTS, encoding: 'utf8', timeout: LONGEST_MS });

test('--help lists every option, --version names the server', () => {
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /AZUREML_ENTRY_SCRIPT[\s\S]*SCORING_TIMEOUT_MS/);
  assert.match(run('--version').stdout, /^scoring-server\/\d/);
});

test('the log is lines for people where that is asked for, JSON lines in a pipe', () => {
  const pretty = run('--log-format', 'pretty', '--entry-script', 'no-run.ts');
  assert.equal(pretty.status, 3);
  assert.match(pretty.stdout, /^\[\d\d:\d\d:\d\d\.\d{3}\] FATAL[\s\S]*does not have a run\(\) function defined/m);
  const lines = run('--entry-script', 'no-run.ts').stdout.trim().split('\n');
  assert.equal((JSON.parse(lines.at(-1) ?? '') as { level: string }).level, 'fatal');
});

/** What a person sees at a terminal, while the server runs in it. */
class Terminal {
  readonly #child;
  text = '';

  constructor(t: TestContext, args: readonly string[], variables: Record<string, string> = {}) {
    const command = [process.execPath, `${ROOT}server/main.ts`, '--host', '127.0.0.1', '--port', '0', ...args].map((arg) => `'${arg}'`);
    // Node shows no colours where CI is set.
    const none = { LOG_FORMAT: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };
    const env = { ...process.env, ...none, TERM: 'xterm', ...variables };
    this.#child = reaped(spawn('script', ['-qec', `exec ${command.join(' ')}`, '/dev/null'], { env, cwd: SCRIPTS, stdio: 'pipe' }));
    this.#child.stdout.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    t.after(() => this.#child.kill('SIGKILL'));
  }

  /** The lines until now, without colours. */
  get lines(): string[] {
    // oxlint-disable-next-line no-control-regex -- colours are control characters
    return this.text.replaceAll(/\u001b\[\d*m/g, '').split('\r\n');
  }

  /** The first line that matches, now or later. */
  async line(pattern: RegExp): Promise<string> {
    const find = (): string | undefined => this.lines.slice(0, -1).find((line) => pattern.test(line));
    await until(() => find() !== undefined || this.#child.exitCode !== null);
    return find() ?? assert.fail(`the server ended without a line ${pattern}:\n${this.text}`);
  }

  /** The command that the server shows. */
  async curl(): Promise<string> {
    const [, command = ''] = /try it: (.*)$/.exec(await this.line(/try it: /)) ?? [];
    return command;
  }

  /** Ctrl+C. */
  async interrupt(): Promise<void> {
    this.#child.stdin.write('\u0003');
    await once(this.#child, 'exit');
  }
}

const noTerminal = process.platform !== 'linux' && 'needs the command `script` of Linux';
/** Runs a command as a person pastes it; the status comes last. */
const paste = async (command: string, variables: Record<string, string> = {}): Promise<string> => {
  const shown = command.replace(/^curl/, "curl -sS --max-time 30 -w ' %{http_code}'");
  return (await promisify(execFile)('bash', ['-c', shown], { env: { ...process.env, ...variables } })).stdout;
};

test('a terminal shows one line a request, in colour, and Ctrl+C ends the server', { skip: noTerminal }, async (t) => {
  const terminal = new Terminal(t, ['--entry-script', 'echo-says.ts']);
  const url = /http:\S+?(?=\/swagger)/.exec(await terminal.curl())?.[0] ?? '';
  await fetch(`${url}/score`, { method: 'POST', body: '{"a": 1}', headers: { 'x-request-id': 'mine' } });
  await fetch(`${url}/score`, { method: 'POST', body: '{"a": ', headers: { 'content-type': 'application/json' } });
  assert.match(await terminal.line(/POST \/score 200/), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: POST \/score 200 \d+\.\d ms mine$/);
  assert.match(await terminal.line(/POST \/score 400/), /^\[.*\] WARN: POST \/score 400 \d+\.\d ms [0-9a-f]{8}$/);
  assert.ok(terminal.text.includes('\u001b['));
  await terminal.interrupt();
  assert.deepEqual(
    terminal.lines.filter((line) => !/^\[\d\d:|^$|^\^C$/.test(line.replace(/^\^C/, ''))),
    [],
  );
});

test('NO_COLOR and a plain terminal get no colours', { skip: noTerminal }, async (t) => {
  for (const variables of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const terminal = new Terminal(t, ['--entry-script', 'no-run.ts'], variables);
    await terminal.line(/FATAL/);
    assert.ok(!terminal.text.includes('\u001b['), terminal.text);
  }
});

test('the curl line of a terminal works: 200 and the answer', { skip: noTerminal }, async (t) => {
  const models = folder();
  const script = (name: string, text: string): string[] => {
    writeFileSync(join(models, name), text);
    return ['--entry-script', join(models, name)];
  };
  const cases: [args: string[], answer: RegExp][] = [
    [['--entry-script', join(ROOT, 'entry-scripts/diabetes.ts')], /^\[11633\.1\d*\] 200$/],
    [['--model', join(ROOT, 'entry-scripts/diabetes.onnx')], /^\{"outputs":\{"variable":\[\[-?\d+\.\d+\]\]\}\} 200$/],
    [['--model', writeModel('strange_names', models)], / 200$/],
    [
      script(
        'quotes.mjs',
        `export const sample = { text: "it's \\"fine\\" $HOME" };\nexport function init() {}\nexport function run(d) { return d; }`,
      ),
      /^\{"text":"it's \\"fine\\" \$HOME"\} 200$/,
    ],
    [
      script(
        'text.mjs',
        `export const inputType = 'text';\nexport const sample = '@a file';\nexport function init() {}\nexport function run(d) { return d; }`,
      ),
      /^"@a file" 200$/,
    ],
    [['--entry-script', 'echo.ts'], /^\{"swagger".* 200$/],
  ];
  for (const [args, answer] of cases) {
    const terminal = new Terminal(t, args);
    assert.match(await paste(await terminal.curl()), answer);
    await terminal.interrupt();
  }
});

test('the command of a server with keys takes the key from a variable, and shows none', { skip: noTerminal }, async (t) => {
  const key = 'S3cretMark+/S3cretMark==';
  const terminal = new Terminal(t, ['--entry-script', join(ROOT, 'entry-scripts/diabetes.ts')], { SCORING_KEYS: key });
  const command = await terminal.curl();
  assert.match(await paste(command, { KEY: key }), /200$/);
  assert.match(await paste(command, { KEY: 'wrong' }), /401$/);
  await terminal.interrupt();
  assert.ok(!terminal.text.includes('S3cretMark'));
});

test('the JSON log has neither a curl line nor the sample', { skip: noTerminal }, async (t) => {
  const terminal = new Terminal(t, ['--entry-script', join(ROOT, 'entry-scripts/diabetes.ts')], { LOG_FORMAT: 'json' });
  await terminal.line(/"msg":"ready"/);
  await terminal.interrupt();
  assert.ok(!/curl|try it|10\]\]/.test(terminal.text), terminal.text);
});

test('setting up installs when the lock file has changed, and only then', () => {
  const root = folder();
  mkdirSync(join(root, '.setup'));
  mkdirSync(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
  cpSync(join(ROOT, '.setup', 'install.mjs'), join(root, '.setup', 'install.mjs'));
  symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'));
  // Stands in for npm: says what it was asked to do.
  writeFileSync(join(root, 'npm.mjs'), 'console.error(`npm ${process.argv[2]}, CUDA ${process.env.ONNXRUNTIME_NODE_INSTALL}`);');
  const setUp = (): string => {
    const { status, stderr } = spawnSync(process.execPath, ['.setup/install.mjs'], {
      cwd: root,
      timeout: LONGEST_MS,
      encoding: 'utf8',
      env: { ...process.env, npm_execpath: join(root, 'npm.mjs') },
    });
    assert.equal(status, 0, stderr);
    return stderr;
  };
  writeFileSync(join(root, 'package-lock.json'), '{}');
  assert.match(setUp(), /npm ci, CUDA skip[\s\S]*Node \d+\.\d+\.\d+ is in place/);
  assert.equal(setUp(), '');
  writeFileSync(join(root, 'package-lock.json'), '{"changed": true}');
  assert.match(setUp(), /npm ci/);
});
