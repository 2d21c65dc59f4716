import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { loadScript } from '../../server/worker/script/testing.ts';
import { freePort } from '../e2e/free-port.ts';
import { whyNoPython } from '../set-up/python.ts';
import { codeBlocksOf, type CodeBlock } from './markdown.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/**
 * Pages whose examples a reader copies: each `sh` and `ts` block runs, or a comment above it says
 * why not.
 */
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : []))];
const blocksOf = (page: string): CodeBlock[] => codeBlocksOf(readFileSync(join(ROOT, page), 'utf8'));

/** The name in the first line of a block, `// score.ts` or `# score.py`. */
const nameOf = ({ text }: CodeBlock): string | undefined => /^(?:\/\/|#) ([\w.-]+\.\w+)\n/.exec(text)?.[1];

/** Languages of entry scripts. */
const SCRIPTS = new Set(['ts', 'python']);

/** An empty folder of a reader, in which paths of the clone work, too. */
function readersFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'examples-'));
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(ROOT, 'entry-scripts'), join(folder, 'entry-scripts'));
  return folder;
}

/** Ports of the examples, and those that a test uses in their place. */
const PORTS = ['5001', '5002'];

/** A page as a reader who does what it says, from top to bottom. */
class Reader {
  readonly #folder: string;
  readonly #ports: readonly string[];
  #server: ChildProcess | undefined;
  /** Why the server of the last `npm start` cannot run on this machine. */
  #lacks: string | undefined;

  constructor(folder: string, ports: readonly string[]) {
    this.#folder = folder;
    this.#ports = ports;
  }

  async read(page: string): Promise<void> {
    for (const block of blocksOf(page)) {
      const name = nameOf(block);
      if (SCRIPTS.has(block.language) && name !== undefined) writeFileSync(join(this.#folder, name), block.text);
      if (block.language !== 'sh' || block.notRun !== undefined) continue;
      for (const { command, expected } of commandsOf(block.text)) await this.#follow(`${page}:${block.line}`, command, expected);
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exit = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await exit;
  }

  async #follow(where: string, command: string, expected: string): Promise<void> {
    const [, script] = /^npm (?:run )?(test(?::\w+)?|check|bench)\b/.exec(command) ?? [];
    if (script !== undefined) return assert.ok(Object.hasOwn(packageJson.scripts, script), `${where}: there is no npm script ${script}`);
    const replaced = PORTS.reduce(
      (text, port, index) => text.replaceAll(new RegExp(`(localhost:|-port )${port}\\b`, 'g'), `$1${this.#ports[index]}`),
      command,
    );
    if (/^(?:\w+=\S+ )*npm start\b/.test(replaced)) return this.#start(where, replaced);
    if (this.#lacks !== undefined) return;
    const { stdout } = await run('bash', ['-c', replaced.replace(/^curl /, 'curl -sS --max-time 30 ')], { cwd: this.#folder });
    assert.equal(stdout.trimEnd(), expected, `${where}: ${command}`);
  }

  /**
   * `npm start` as package.json has it, on another port; without the set-up, which the tests have
   * behind them.
   */
  async #start(where: string, command: string): Promise<void> {
    await this.stop();
    this.#lacks = command.includes('.py') ? whyNoPython() : undefined;
    if (this.#lacks !== undefined) return;
    const main = packageJson.scripts.start
      .replace('server/main.ts', join(ROOT, 'server/main.ts'))
      .replace(/^node/, `exec ${process.execPath}`);
    const line = command.replace(/\s+#.*$/, '').replace(/npm start(?: --)?/, `${main} --port ${this.#ports[0]} --host 127.0.0.1`);
    const [assignments] = /^(?:\w+=\S+ )*/.exec(line) ?? [''];
    const server = spawn('bash', ['-c', `export LOG_FORMAT=json ${assignments}; ${line.slice(assignments.length)}`], {
      // Without a name the sample is served in the clone only, or in an empty folder.
      cwd: command.includes('npm start --') ? this.#folder : ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#server = server;
    const lines: string[] = [];
    for await (const text of createInterface({ input: server.stdout })) {
      lines.push(text);
      if (text.includes('"msg":"ready"')) {
        server.stdout.resume();
        return;
      }
    }
    assert.fail(`${where}: the server of \`${command}\` was not ready:\n${lines.join('\n')}`);
  }
}

/** The commands of a shell block, each with the answer that `# ` lines below it promise. */
function commandsOf(text: string): { readonly command: string; readonly expected: string }[] {
  const commands: { command: string; expected: string[] }[] = [];
  let open = false;
  for (const line of text.split('\n')) {
    const last = commands.at(-1);
    if (line.startsWith('# ') && !open) last?.expected.push(line.slice(2));
    else if (open && last !== undefined) last.command += `\n${line}`;
    else commands.push({ command: line, expected: [] });
    const { command = '' } = commands.at(-1) ?? {};
    open = command.endsWith('\\') || (command.match(/(?<!\\)'/g)?.length ?? 0) % 2 === 1;
  }
  return commands.map(({ command, expected }) => ({ command, expected: expected.join('\n') }));
}

for (const page of PAGES) {
  const blocks = blocksOf(page).filter(({ language, notRun }) => language === 'sh' && notRun === undefined);
  if (blocks.length === 0) continue;
  test(`a reader who follows the commands of ${page} gets the answers that it promises`, { timeout: 120_000 }, async (t) => {
    const reader = new Reader(readersFolder(t), [String(await freePort()), String(await freePort())]);
    t.after(() => reader.stop());
    await reader.read(page);
  });
}

/** The script that the guide begins with. Tests on other pages are about it. */
const guide = blocksOf('docs/entry-scripts.md').find((block) => nameOf(block) === 'score.ts')?.text ?? '';

test('every entry script among the examples can be loaded, and every test of one passes', async (t) => {
  for (const page of PAGES) {
    const folder = readersFolder(t);
    cpSync(join(ROOT, 'entry-scripts/diabetes.onnx'), join(folder, 'model.onnx'));
    writeFileSync(join(folder, 'score.ts'), guide);
    const names = blocksOf(page).flatMap((block) => {
      const name = block.language === 'ts' ? nameOf(block) : undefined;
      if (name !== undefined) writeFileSync(join(folder, name), block.text);
      return name ?? [];
    });
    for (const name of names.filter((each) => !each.endsWith('.test.ts'))) await (await loadScript(join(folder, name))).close();
    for (const name of names.filter((each) => each.endsWith('.test.ts')))
      await run(process.execPath, ['--import', join(ROOT, 'server/worker/register.ts'), '--test', name], {
        cwd: folder,
        env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      });
  }
});

test('a block of commands that is not run says why', () => {
  const silent = PAGES.flatMap((page) =>
    blocksOf(page)
      .filter(({ language, text, notRun }) => language === 'sh' && notRun === undefined && /^docker |onnxruntime-node\/script/m.test(text))
      .map(({ line }) => `${page}:${line}`),
  );
  assert.deepEqual(silent, []);
});

test('in the quick start and the guide of authors only commands of a container engine are not run', () => {
  const guides = PAGES.filter((page) => /README|script/.test(page));
  const others = guides.flatMap((page) =>
    blocksOf(page)
      .filter(({ notRun, text }) => notRun !== undefined && !text.startsWith('docker '))
      .map(({ line }) => `${page}:${line}`),
  );
  assert.deepEqual(others, []);
});
