/**
 * The container engine of this run: the one that answers, else a private one that is started for it
 * (root, Linux), else none.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run, type Result } from './run.ts';

const KEEPER = fileURLToPath(new URL('engine.sh', import.meta.url));
const START_LIMIT_MS = 30_000;

export class Engine {
  /** For everything that the test writes; goes with the engine. */
  readonly folder: string;
  /** Of every image's name, and the label of every container. */
  readonly prefix: string;
  /** True where nothing but this test has images, so base images are stand-ins. */
  readonly isPrivate: boolean;
  readonly #keeper: ChildProcess;
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(isPrivate: boolean) {
    this.isPrivate = isPrivate;
    this.prefix = `scoring-server-test-${process.pid}`;
    this.folder = join(tmpdir(), this.prefix);
    this.#program = isPrivate ? '/usr/bin/docker' : 'docker';
    const own = { DOCKER_HOST: `unix://${this.folder}/docker.sock`, DOCKER_CONFIG: `${this.folder}/config` };
    this.#env = { ...process.env, DOCKER_BUILDKIT: '1', ...(isPrivate ? own : {}) };
    this.#keeper = spawn('bash', [KEEPER, this.folder, this.prefix, ...(isPrivate ? ['private'] : [])], {
      // A group of its own: what ends this process must not end the one that tidies up after it.
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
  }

  /** @throws Error when no engine answers and none can be started */
  static async start(): Promise<Engine> {
    if ((await run('docker', ['info'])).code === 0) return new Engine(false);
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new Error('no container engine answers `docker info`: start one, or run this test as root on Linux, where it starts its own');
    }
    await install(['/usr/sbin/dockerd', '/usr/bin/mmdebstrap', '/usr/bin/gcc'], ['docker.io', 'mmdebstrap', 'gcc', 'libc6-dev']);
    const engine = new Engine(true);
    const limit = performance.now() + START_LIMIT_MS;
    while ((await engine.try('info')).code !== 0) {
      if (performance.now() > limit) {
        const log = join(engine.folder, 'log');
        throw new Error(
          `dockerd does not answer after ${START_LIMIT_MS} ms; it says:\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}`,
        );
      }
      await delay(100);
    }
    return engine;
  }

  /** Everything goes: containers, images, the engine itself where it is private, the folder. */
  async stop(): Promise<void> {
    const gone = once(this.#keeper, 'exit');
    this.#keeper.stdin?.end();
    await gone;
  }

  /** Runs `docker` with these arguments. */
  try(...args: readonly string[]): Promise<Result> {
    return run(this.#program, args, { env: this.#env });
  }

  /** What `docker` prints on stdout, without the last line break. */
  async docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ends with ${code}:\n${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /**
   * Runs a command in a container of its own, without network, and removes it.
   * @param args of `docker run`;
   * @returns its stdout
   */
  once(...args: readonly string[]): Promise<string> {
    return this.docker('run', '--rm', '--label', this.prefix, '--network', 'none', ...args);
  }

  /** The name of an image of this run. */
  tag(name: string): string {
    return `${this.prefix}/${name}`;
  }
}

async function install(programs: readonly string[], packages: readonly string[]): Promise<void> {
  if (programs.every((program) => existsSync(program))) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { code, stderr } = await run('apt-get', args, { env });
    if (code !== 0) throw new Error(`no container engine is here, and apt-get ${args.join(' ')} ends with ${code}:\n${stderr}`);
  }
}
