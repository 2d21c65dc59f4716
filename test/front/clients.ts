import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { folder } from '../set-up/folder.ts';
import { python, whyNoPython } from '../set-up/python.ts';
import { reaped } from '../set-up/reaper.ts';

const run = promisify(execFile);
const LOAD = fileURLToPath(new URL('load/', import.meta.url));
const CLIENTS = fileURLToPath(new URL('../clients/', import.meta.url));
/** Of one client. */
const CONNECTIONS = '4';

/** What a client sends beside its body. Files are in PEM. */
export interface ClientOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The authority that it trusts. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly privateKey?: string;
}

/**
 * Answers by status. Any other key is a loss: `error` and its text, a wrong body, a refusal without
 * `Retry-After`.
 */
export type Tally = Record<string, number>;

/**
 * A client that sends one request after another over each of its kept connections, between `start`
 * and `stop`. After a refusal it waits for as long as `Retry-After` says.
 */
export interface LoadClient {
  start(): void;
  stop(): Promise<Tally>;
  end(): Promise<void>;
}

/**
 * A program that takes the lines `start` and `stop`, and writes its tally as a line of JSON after
 * each `stop`.
 */
class Program implements LoadClient {
  readonly #child: ChildProcess;
  readonly #tallies: AsyncIterator<string>;

  constructor(file: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = reaped(spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } }));
    this.#tallies = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  start(): void {
    this.#child.stdin!.write('start\n');
  }

  async stop(): Promise<Tally> {
    this.#child.stdin!.write('stop\n');
    const { value, done } = await this.#tallies.next();
    if (done === true) throw new Error('the client ended without its tally');
    return JSON.parse(value) as Tally;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    await ended;
  }
}

/** Requests of one run of curl, over its kept connections. */
const OF_A_RUN = 200;

/** curl, which is started again and again. */
class Curl implements LoadClient {
  readonly #args: readonly string[];
  #running = false;
  #load: Promise<Tally> = Promise.resolve({});

  constructor(url: string, { headers = {}, ca, certificate, privateKey }: ClientOptions) {
    const options = [
      '--no-progress-meter',
      '--parallel',
      '--parallel-max',
      CONNECTIONS,
      '--data',
      '[1]',
      '--header',
      'Content-Type: application/json',
    ];
    for (const [name, value] of Object.entries(headers)) options.push('--header', `${name}: ${value}`);
    if (ca !== undefined) options.push('--cacert', ca);
    if (certificate !== undefined && privateKey !== undefined) options.push('--cert', certificate, '--key', privateKey);
    const format = String.raw`%{http_code} %{exitcode} %{errormsg}\n`;
    this.#args = [...options, '--write-out', format, '--output', '/dev/null', `${url}?[1-${OF_A_RUN}]`];
  }

  start(): void {
    this.#running = true;
    this.#load = this.#run();
  }

  stop(): Promise<Tally> {
    this.#running = false;
    return this.#load;
  }

  async end(): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<Tally> {
    const tally: Tally = {};
    while (this.#running) {
      // It exits with the code of a transfer that failed, which is in the tally.
      const { stdout } = await run('curl', this.#args).catch((error: { stdout: string }) => error);
      for (const line of stdout.trim().split('\n')) {
        const [status = '', code = '', ...message] = line.split(' ');
        const key = code === '0' ? status : `error ${message.join(' ')}`;
        tally[key] = (tally[key] ?? 0) + 1;
      }
    }
    return tally;
  }
}

/** Builds load.go once. */
const go = once(async () => {
  const program = join(folder(), 'load');
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '' };
  await run(goCommand, ['build', '-o', program, join(LOAD, 'load.go')], { env });
  return program;
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

const lacks = (file: string, flag: string): boolean => spawnSync(file, [flag]).error !== undefined;
const goCommand = lacks('go', 'version') ? '/usr/local/go/bin/go' : 'go';

export interface ClientKind {
  /** Why it cannot run here. */
  readonly missing: string | false;
  readonly open: (url: string, options?: ClientOptions) => Promise<LoadClient>;
}

export const clients: Record<string, ClientKind> = {
  undici: {
    missing: false,
    open: async (url, { ca, ...options } = {}) =>
      new Program(
        process.execPath,
        [join(LOAD, 'fetch.ts'), url, CONNECTIONS, JSON.stringify(options)],
        ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca },
      ),
  },
  'Python requests': {
    missing: whyNoPython() ?? false,
    open: async (url, options = {}) =>
      new Program(await python(CLIENTS), [join(CLIENTS, 'load.py'), url, CONNECTIONS, JSON.stringify(options)]),
  },
  Go: {
    missing: lacks(goCommand, 'version') && 'there is no Go on this machine',
    open: async (url, options = {}) => new Program(await go(), [url, CONNECTIONS, JSON.stringify(options)]),
  },
  curl: {
    missing: lacks('curl', '--version') && 'there is no curl on this machine',
    open: async (url, options = {}) => new Curl(url, options),
  },
};
