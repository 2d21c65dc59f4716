import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../e2e/free-port.ts';
import type { Line } from '../e2e/start-server.ts';
import { PlantedSecrets } from '../set-up/planted.ts';
import type { Engine } from './engine.ts';

/** What a cluster allows at the least. Every container of this test runs under it. */
const CLOSED = ['--read-only', '--tmpfs', '/tmp', '--cap-drop=all', '--security-opt', 'no-new-privileges', '--pids-limit', '128'];
const LIMIT_MS = 90_000;

export interface RunOptions {
  /** Arguments for `docker run`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for the server. */
  readonly args?: readonly string[];
  /** False: the server takes its own default, or what `args` say. */
  readonly port?: number | false;
}

/** A container, from `docker run` to its removal. */
export class Container {
  readonly id: string;
  readonly port: number;
  readonly #engine: Engine;
  readonly #planted: PlantedSecrets;

  private constructor(engine: Engine, id: string, port: number, planted: PlantedSecrets) {
    this.#engine = engine;
    this.#planted = planted;
    this.id = id;
    this.port = port;
  }

  static async run(engine: Engine, image: string, { flags = [], env = {}, args = [], port }: RunOptions = {}): Promise<Container> {
    const given = port === undefined ? await freePort() : port;
    const planted = new PlantedSecrets(env);
    const own = { ...planted.variables, SCORING_HOST: '127.0.0.1', ...(given === false ? {} : { PORT: String(given) }), ...env };
    const all = [
      '--label',
      engine.prefix,
      '--network',
      'host',
      ...CLOSED,
      ...Object.entries(own).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ];
    const id = await engine.docker('run', '-d', ...all, ...flags, image, ...args);
    return new Container(engine, id, given === false ? 5001 : given, planted);
  }

  /** What the server wrote, both streams. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await this.#engine.try('logs', this.id);
    return stdout + stderr;
  }

  async lines(): Promise<Line[]> {
    return (await this.logs())
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  }

  async inspect(format: string): Promise<string> {
    return this.#engine.docker('inspect', '--format', format, this.id);
  }

  /** Runs a command inside, as the container's user. */
  async exec(...command: readonly string[]): Promise<string> {
    return this.#engine.docker('exec', this.id, ...command);
  }

  /** Answers once a route answers 200. Fails with the log when the container ends before that. */
  async answers(path: string, port = this.port): Promise<this> {
    const limit = performance.now() + LIMIT_MS;
    for (let tries = 0; (await status(port, path)) !== 200; tries++) {
      await delay(5);
      if (tries % 50 !== 49) continue;
      const ended = (await this.inspect('{{.State.Running}}')) === 'false';
      if (ended || performance.now() > limit)
        throw new Error(`the container does not answer ${path} with 200; it said:\n${await this.logs()}`);
    }
    return this;
  }

  ready(): Promise<this> {
    return this.answers('/health/ready');
  }

  async score(body: unknown): Promise<unknown> {
    const response = await this.post(body);
    const text = await response.text();
    if (!response.ok) throw new Error(`POST /score answers ${response.status}: ${text}\n${await this.logs()}`);
    return JSON.parse(text);
  }

  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}/score`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** Sends a signal and tells how, and how soon, the container ends. */
  async stop(signal = 'TERM'): Promise<{ readonly code: number; readonly ms: number }> {
    const began = performance.now();
    await this.#engine.docker('kill', '--signal', signal, this.id);
    const code = await this.exited();
    return { code, ms: performance.now() - began };
  }

  /** The exit code, once there is one. Fails with the log when there is none in time. */
  async exited(): Promise<number> {
    const limit = performance.now() + LIMIT_MS;
    while ((await this.inspect('{{.State.Running}}')) === 'true') {
      if (performance.now() > limit) throw new Error(`the container does not end; it said:\n${await this.logs()}`);
      await delay(20);
    }
    return Number(await this.inspect('{{.State.ExitCode}}'));
  }

  /** Asserts that the log shows no planted secret. */
  async hidesSecrets(): Promise<void> {
    this.#planted.look('the log', await this.logs());
    this.#planted.assertHidden();
  }

  async remove(): Promise<void> {
    await this.#engine.docker('rm', '-f', '-v', this.id);
  }
}

/** Runs a container for one check, and removes it whatever happens. */
export async function withContainer(
  engine: Engine,
  image: string,
  options: RunOptions,
  check: (container: Container) => Promise<void>,
): Promise<void> {
  const container = await Container.run(engine, image, options);
  try {
    await check(container);
    await container.hidesSecrets();
  } finally {
    await container.remove();
  }
}

/**
 * The status of an answer, 0 when there is none. A connection of its own each time, as a probe has
 * it.
 */
function status(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const probe = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    probe.once('error', () => resolve(0));
    probe.end();
  });
}
