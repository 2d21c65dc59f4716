import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../e2e/free-port.ts';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COOKBOOK = join(ROOT, 'docs/cookbook');
const run = promisify(execFile);

const INSTALL_MS = 240_000;
const READY_MS = 30_000;
const ANSWERS_MS = 60_000;

/** The folders of docs/cookbook. */
export const recipes = readdirSync(COOKBOOK, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

/** A copy of a recipe outside of this repository, as a reader makes it. */
export class Recipe {
  readonly #folder = join(folder(), 'recipe');

  constructor(name: string) {
    cpSync(join(COOKBOOK, name), this.#folder, { recursive: true, filter: (path) => !/\/(?:node_modules|\.venv|model)$/.test(path) });
  }

  /** Whether its script is in Python. */
  get isPython(): boolean {
    return this.#files.includes('requirements.txt');
  }

  /** Path of a file of the copy. */
  path(file: string): string {
    return join(this.#folder, file);
  }

  /** Installs the recipe's packages, if it has any. */
  async install(): Promise<void> {
    if (this.isPython) return this.#installPython();
    const { dependencies } = JSON.parse(this.#read('package.json')) as { dependencies?: Record<string, string> };
    if (dependencies === undefined) return;
    const args = ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
    const npm = (): Promise<unknown> => run('npm', args, { cwd: this.#folder, timeout: INSTALL_MS });
    // A registry may fail for a moment.
    await npm().catch(npm);
  }

  /** Asserts that the scripts have the types that they use, with the packages that they name. */
  async checkTypes(): Promise<void> {
    const settings = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        typeRoots: [join(ROOT, 'node_modules/@types')],
        paths: {
          'scoring-server': [join(ROOT, 'server/worker/script/exports.ts')],
          'scoring-server/testing': [join(ROOT, 'server/worker/script/testing.ts')],
        },
      },
      include: ['recipe'],
      exclude: ['recipe/node_modules', 'recipe/.venv'],
    };
    if (!this.#files.some((file) => file.endsWith('.ts'))) return;
    // Beside the copy: the server gets what a reader copies, and no more.
    const project = join(this.#folder, '../tsconfig.json');
    writeFileSync(project, JSON.stringify(settings));
    const { stdout } = await run(join(ROOT, 'node_modules/.bin/tsc'), ['--project', project]).catch((error: { stdout?: string }) => ({
      stdout: error.stdout ?? JSON.stringify(error),
    }));
    assert.equal(stdout, '');
  }

  /** Runs one of its programs in Python. */
  async runPython(program: string): Promise<void> {
    await run(this.path('.venv/bin/python'), [this.path(program)], { timeout: ANSWERS_MS });
  }

  /**
   * Serves the copy, sends its request, and asserts the answer and an orderly end.
   * @param args what is served; by default the script that the server finds
   */
  async tryOut(t: TestContext, args: readonly string[] = []): Promise<void> {
    const models = this.isPython ? ['--model-dir', this.path('model')] : [];
    const server = new ServerProcess(['--app-root', this.#folder, ...models, ...args], {
      env: { ...(await this.#startService(t)), DRAIN_DELAY_MS: '0' },
    });
    t.after(() => server.stop());
    await server.ready();
    const request = this.#read('try.sh').replaceAll('localhost:5001', `127.0.0.1:${await server.port()}`);
    const { stdout } = await run('sh', ['-c', request], { cwd: this.#folder, timeout: ANSWERS_MS });
    assert.equal(stdout, this.#read('answer.txt'));
    await server.drain();
    assert.equal(server.workers.length, 1, 'the worker was replaced');
    const errors = server.lines.filter(({ level }) => level === 'error' || level === 'fatal');
    assert.deepEqual(errors, []);
  }

  /** Runs the recipe's own tests, if it has any. */
  async test(): Promise<void> {
    const tests = this.#files.filter((file) => file.endsWith('.test.ts'));
    if (tests.length === 0) return;
    await run(process.execPath, ['--import', join(ROOT, 'server/worker/register.ts'), '--test', ...tests], {
      cwd: this.#folder,
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
  }

  /** A virtual environment beside the script, and the model that `train.py` makes. */
  async #installPython(): Promise<void> {
    await run('python3', ['-m', 'venv', this.path('.venv')], { timeout: INSTALL_MS });
    const args = ['install', '--quiet', '--disable-pip-version-check', '-r', this.path('requirements.txt')];
    const pip = (): Promise<unknown> => run(this.path('.venv/bin/pip'), args, { timeout: INSTALL_MS });
    await pip().catch(pip);
    await this.runPython('train.py');
  }

  get #files(): string[] {
    return readdirSync(this.#folder);
  }

  /** Starts the service that the script calls, if the recipe has one; answers its address. */
  async #startService(t: TestContext): Promise<Record<string, string>> {
    if (!existsSync(join(this.#folder, 'service.js'))) return {};
    const port = String(await freePort());
    const service = reaped(
      spawn(process.execPath, ['service.js'], {
        cwd: this.#folder,
        env: { ...process.env, PORT: port },
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    t.after(() => service.kill('SIGKILL'));
    // Its first line says that it listens.
    await once(service.stdout, 'data', { signal: AbortSignal.timeout(READY_MS) });
    return { FEATURES_URL: `http://127.0.0.1:${port}` };
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }
}
