import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../e2e/free-port.ts';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';
import { until } from '../set-up/until.ts';

const CONFIGS = fileURLToPath(new URL('../../deploy/proxies/', import.meta.url));

export const kinds = ['nginx', 'haproxy'] as const;
export type Kind = (typeof kinds)[number];

/** Debian's packages `nginx-light` and `haproxy`; `.ci/run` installs them. */
export const missing = (kind: Kind): string | false => spawnSync(kind, ['-v']).error !== undefined && `${kind} is not installed`;

/** A text of the documented configuration, and what stands in its place. */
export type Change = readonly [from: string | RegExp, to: string];

interface ProxyOptions {
  /** Ports of the servers behind the proxy. */
  readonly servers: readonly number[];
  /** Port of gRPC behind the proxy. */
  readonly grpc?: number;
  readonly changes?: readonly Change[];
  /** Path of another configuration. */
  readonly file?: string;
}

/** What ends the proxy: a test, or a suite. */
interface Suite {
  readonly after: (end: () => Promise<void>) => void;
}

/** A real proxy with its documented configuration, on ports of its own. */
export class Proxy {
  readonly port: number;
  readonly grpcPort: number;
  readonly #log: () => string;
  #seen = 0;

  private constructor(port: number, grpcPort: number, log: () => string) {
    this.port = port;
    this.grpcPort = grpcPort;
    this.#log = log;
  }

  /** Ends after the test. */
  static async start(t: Suite, kind: Kind, options: ProxyOptions): Promise<Proxy> {
    const [port, grpcPort] = [await freePort(), await freePort()];
    const home = folder();
    const log = join(home, 'access.log');
    const file = join(home, 'config');
    writeFileSync(log, '');
    writeFileSync(file, configuration(kind, { ...options, home, log, port, grpcPort }));
    const child = reaped(spawn(kind, commands[kind](file, home), { stdio: ['ignore', 'pipe', 'pipe'] }));
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const ended = once(child, 'exit');
    t.after(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${kind} did not start:\n${output}${errors}`);
      return accepts(port);
    });
    return new Proxy(port, grpcPort, kind === 'nginx' ? () => readFileSync(log, 'utf8') : () => output);
  }

  url(path = ''): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The lines of its log since the last call; each has the target of a request. */
  newLines(): string[] {
    const text = this.#log();
    const lines = text.slice(this.#seen).split('\n').slice(0, -1);
    this.#seen = text.lastIndexOf('\n') + 1;
    return lines;
  }
}

/** In the foreground, and one process, so that nothing stays behind. */
const commands: Record<Kind, (file: string, home: string) => string[]> = {
  nginx: (file, home) => ['-p', home, '-c', file, '-e', 'stderr', '-g', `daemon off; master_process off; pid ${home}/pid;`],
  haproxy: (file) => ['-db', '-f', file],
};

interface Places extends ProxyOptions {
  readonly home: string;
  readonly log: string;
  readonly port: number;
  readonly grpcPort: number;
}

function configuration(kind: Kind, { servers, grpc = 1, changes = [], home, log, port, grpcPort, file }: Places): string {
  let text = readFileSync(file ?? join(CONFIGS, kind === 'nginx' ? 'nginx.conf' : 'haproxy.cfg'), 'utf8')
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:8081', `127.0.0.1:${grpcPort}`)
    .replaceAll('127.0.0.1:8001', `127.0.0.1:${grpc}`)
    .replace('/dev/stdout', log)
    .replace(/^( *server) (.*)127\.0\.0\.1:5001(.*)$/m, (_line, word: string, name: string, rest: string) =>
      servers.map((each, place) => `${word} ${name.replace('one', `s${place}`)}127.0.0.1:${each}${rest}`).join('\n'),
    );
  if (kind === 'nginx') text = text.replace('http {', `http {\n${temporary(home)}`);
  for (const [from, to] of changes) {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`the configuration of ${kind} lacks ${from}`);
    text = changed;
  }
  return text;
}

/** nginx makes these folders at its start, in places that need root. */
function temporary(home: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => {
      mkdirSync(join(home, name));
      return `${name}_temp_path ${join(home, name)};`;
    })
    .join('\n');
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const taken = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return taken;
}
