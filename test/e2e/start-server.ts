import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
export const SCRIPTS = fileURLToPath(new URL('../scripts/', import.meta.url));

export type Line = Record<string, unknown> & { readonly msg: string };

/** Variables that would change what a test sees, wherever the tests run. */
const OWN_VARIABLES =
  /^(?:AML_|AZURE_|AZUREML_|CUDA_|EXECUTION_PROVIDER$|IDENTITY_|MSI_|NVIDIA_|WORKER_|SCORING_|QUEUE_|DRAIN_|MDC_|SERVICE_|MODEL_FILE$|MODEL_NAME$|GRPC_PORT$|PORT$|LOG_FORMAT$|NODE_OPTIONS$|APPLICATIONINSIGHTS_|APP_INSIGHTS_|OTEL_|METRICS_PORT$|STATUS_PAGE$|HOSTNAME$|WORKSPACE_NAME$|https?_proxy$|npm_)/;

interface StartOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** The folder of another copy of this server. */
  readonly home?: string;
  /** Shell commands before the server starts: `ulimit -n 90`, say, or a cgroup that it joins. */
  readonly prelude?: string;
}

/** The server as a process of its own, as operators start it. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  stderr = '';
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(args: readonly string[], options: StartOptions = {}) {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name)));
    const command = [process.execPath, join(options.home ?? HOME, 'server/main.ts'), '--host', '127.0.0.1', '--port', '0', ...args];
    const [file = '', ...rest] = options.prelude === undefined ? command : ['sh', '-c', `${options.prelude}; exec "$@"`, 'sh', ...command];
    this.child = spawn(file, rest, {
      env: { ...inherited, ...options.env },
      cwd: options.cwd ?? SCRIPTS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.child.stdout! }).on('line', (text) => {
      this.lines.push(JSON.parse(text) as Line);
      this.#check();
    });
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#ended = true;
        this.#check();
        resolve({ code, signal });
      });
    });
  }

  /** The first line that matches, now or later. Rejects when the process ends without one. */
  async line(matches: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      if (this.#ended)
        throw new Error(
          `the server ended without that line; it said:\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}\n${this.stderr}`,
        );
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  said(text: string): Promise<Line> {
    return this.line(({ msg }) => msg.includes(text));
  }

  async ready(): Promise<this> {
    await this.line(({ msg }) => msg === 'ready');
    return this;
  }

  async url(path = ''): Promise<string> {
    const { port } = await this.line(({ msg }) => msg === 'listening');
    return `http://127.0.0.1:${String(port)}${path}`;
  }

  async score(data: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(await this.url('/score'), {
      method: 'POST',
      body: JSON.stringify(data),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  #check(): void {
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
