import { spawn, type ChildProcess } from 'node:child_process';
import { freePort } from '../../e2e/free-port.ts';
import { folder } from '../../set-up/folder.ts';
import { reaped } from '../../set-up/reaper.ts';

/** Variables that would change what the peer does, wherever the tests run. */
const OWN_VARIABLES = /^(?:AML_|AZUREML_|WORKER_|SCORING_|SERVICE_|SERVER_|HEALTH_|HTTP_X|APP_INSIGHTS_|GUNICORN_|HOSTNAME$|PYTHON)/;

export interface PeerOptions {
  /** A Python with azureml-inference-server-http. */
  readonly python: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Azure's server of entry scripts, from PyPI, as a process of its own. */
export class Peer {
  readonly port: number;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #log = '';
  #ended = false;
  #waiting: (() => void)[] = [];

  private constructor(port: number, script: string, { python, cwd, env }: PeerOptions) {
    this.port = port;
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name)));
    this.#child = reaped(
      spawn(python, ['-m', 'azureml_inference_server_http', '--entry_script', script, '--port', `${port}`], {
        cwd,
        // Gunicorn makes a socket below HOME.
        env: { ...inherited, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', HOME: folder(), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    for (const output of [this.#child.stdout!, this.#child.stderr!]) output.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#ended = true;
        this.#read('');
        resolve(code);
      });
    });
  }

  static async start(script: string, options: PeerOptions): Promise<Peer> {
    return new Peer(await freePort(), script, options);
  }

  /** All that it has written. */
  get log(): string {
    return this.#log;
  }

  /** Resolves once the log has the text. Rejects when the process ends without it. */
  async said(text: string): Promise<void> {
    while (!this.#log.includes(text)) {
      if (this.#ended) throw new Error(`the peer ended without "${text}"; it logged:\n${this.#log}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async ready(): Promise<this> {
    await this.said('ready for serving traffic');
    return this;
  }

  /** Ends it with its workers. */
  async stop(): Promise<void> {
    // Gunicorn ends its workers at once on this signal.
    this.#child.kill('SIGQUIT');
    await this.exited;
  }

  #read(text: string): void {
    this.#log += text;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
