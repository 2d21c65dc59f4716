import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlantedSecrets } from '../set-up/planted.ts';
import { reaped } from '../set-up/reaper.ts';
import { until } from '../set-up/until.ts';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
export const SCRIPTS = fileURLToPath(new URL('../scripts/', import.meta.url));

export type Line = Record<string, unknown> & { readonly msg: string };

/** Variables that would change what a test sees, wherever the tests run. */
const OWN_VARIABLES =
  /^(?:AIP_|AML_|AZURE_|AZUREML_|CUDA_|EXECUTION_PROVIDER$|IDENTITY_|MSI_|NVIDIA_|WORKER_|SCORING_|QUEUE_|DRAIN_|MDC_|SERVICE_|WEBSITES?_|MODEL_FILE$|MODEL_NAME$|GRPC_PORT$|PORT$|LOG_FORMAT$|NODE_OPTIONS$|APPLICATIONINSIGHTS_|APP_INSIGHTS_|OTEL_|METRICS_PORT$|STATUS_PAGE$|HOSTNAME$|K_|STORAGE_URI$|WORKSPACE_NAME$|https?_proxy$|npm_)/;

export interface StartOptions {
  /** A command of this server, before its flags; without it, it serves. */
  readonly command?: string;
  readonly env?: Record<string, string>;
  /** Address and port, where the platform gives them in variables. */
  readonly flags?: readonly string[];
  readonly cwd?: string;
  /** The folder of another copy of this server. */
  readonly home?: string;
  /** Shell commands before the server starts: `ulimit -n 90`, say, or a cgroup that it joins. */
  readonly prelude?: string;
  /**
   * A file descriptor that gets the log; `unread`: a pipe that nobody reads. By default the log is
   * read as `lines`.
   */
  readonly log?: number | 'unread';
}

/** The server as a process of its own, as operators start it. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  stderr = '';
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #planted: PlantedSecrets;
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(args: readonly string[], options: StartOptions = {}) {
    const { log = 'read' } = options;
    this.#planted = new PlantedSecrets(options.env ?? {});
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name)));
    const own = options.command === undefined ? [] : [options.command];
    const command = [
      process.execPath,
      join(options.home ?? HOME, 'server/main.ts'),
      ...own,
      ...(options.flags ?? ['--host', '127.0.0.1', '--port', '0']),
      ...args,
    ];
    const [file = '', ...rest] = options.prelude === undefined ? command : ['sh', '-c', `${options.prelude}; exec "$@"`, 'sh', ...command];
    this.child = reaped(
      spawn(file, rest, {
        env: { ...inherited, ...this.#planted.variables, ...options.env },
        cwd: options.cwd ?? SCRIPTS,
        stdio: ['ignore', typeof log === 'number' ? log : 'pipe', 'pipe'],
      }),
    );
    if (log === 'read') createInterface({ input: this.child.stdout! }).on('line', (text) => this.#read(text));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    const end = log === 'unread' ? 'exit' : 'close';
    this.exited = new Promise((resolve) => {
      this.child.once(end, (code: number | null, signal: NodeJS.Signals | null) => {
        this.#ended = true;
        this.#wake();
        resolve({ code, signal });
      });
    });
  }

  /** Process id of the host. */
  get pid(): number {
    assert.ok(this.child.pid !== undefined, 'the server could not be spawned');
    return this.child.pid;
  }

  /** Process ids of the workers that became ready, in that order; those that have ended, too. */
  get workers(): number[] {
    return this.linesWith('worker ready').map(({ pid }) => Number(pid));
  }

  /** The first line that matches, now or later. Rejects when the process ends without one. */
  async line(matches: (line: Line) => boolean): Promise<Line> {
    for (let seen = 0; ;) {
      for (; seen < this.lines.length; seen++) if (matches(this.lines[seen]!)) return this.lines[seen]!;
      if (this.#ended)
        throw new Error(
          `the server ended without that line; it logged:\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}\n${this.stderr}`,
        );
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  said(text: string): Promise<Line> {
    return this.line(({ msg }) => msg.includes(text));
  }

  /** The lines until now that have this text. */
  linesWith(text: string): Line[] {
    return this.lines.filter(({ msg }) => msg.includes(text));
  }

  async ready(): Promise<this> {
    await this.line(({ msg }) => msg === 'ready');
    return this;
  }

  async port(): Promise<number> {
    return Number((await this.line(({ msg }) => msg === 'listening'))['port']);
  }

  async url(path = ''): Promise<string> {
    return `http://127.0.0.1:${await this.port()}${path}`;
  }

  async score(data: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(await this.url('/score'), {
      method: 'POST',
      body: JSON.stringify(data),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** The status of a GET. */
  async status(path: string): Promise<number> {
    const answer = await fetch(await this.url(path));
    await answer.text();
    return answer.status;
  }

  /** The text of /metrics. */
  async metrics(): Promise<string> {
    const page = await (await fetch(await this.url('/metrics'))).text();
    this.#planted.look('/metrics', page);
    return page;
  }

  /** The value of a series of /metrics, named with its labels; 0 where it is not there. */
  async metric(series: string): Promise<number> {
    const line = (await this.metrics()).split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length) ?? 0);
  }

  /**
   * Resolves when so many requests are in flight: they have reached the server, and are not
   * answered.
   */
  inFlight(requests: number): Promise<void> {
    return until(async () => (await this.metric('scoring_requests_in_flight')) === requests);
  }

  /** Ends it as platforms do, and asserts that it drains. */
  async drain(): Promise<void> {
    this.child.kill('SIGTERM');
    assert.deepEqual(await this.exited, { code: 0, signal: null });
  }

  /** Ends it, and asserts that it has shown no planted secret. */
  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
    this.#planted.look('stderr', this.stderr);
    this.#planted.assertHidden();
  }

  #read(text: string): void {
    const line = JSON.parse(text) as Line;
    this.#planted.look('stdout', text);
    if (line.msg === 'worker ready') this.#planted.lookAtWorker(Number(line['pid']));
    this.lines.push(line);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Starts the server for one test, and ends it whatever happens. */
export async function withServer(
  args: readonly string[],
  test: (server: ServerProcess) => Promise<void>,
  options: StartOptions = {},
): Promise<void> {
  const server = new ServerProcess(args, options);
  try {
    await test(server);
  } finally {
    await server.stop();
  }
}
